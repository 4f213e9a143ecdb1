#pragma once
// The kernels that tables of measurements are of.

#include "kernels/kernel.hpp"

namespace afford::study {

/// Core attention of one decoded token a request. MLA knows query heads alone.
struct AttentionShapeAt {
  double query_heads = 0, kv_heads = 0, head_dim = 0;
  double requests = 0, context = 0;  // context in tokens
  Dtype storage = Dtype::bf16;       // of the cache
};
[[nodiscard]] inline Kernel gqa_kernel(const AttentionShapeAt& at) {
  return {.kind = Kernel::Kind::attention,
          .attention = Gqa{.query_heads = static_cast<std::int64_t>(at.query_heads),
                           .kv_heads = static_cast<std::int64_t>(at.kv_heads),
                           .head_dim = static_cast<std::int64_t>(at.head_dim)},
          .storage = at.storage,
          .requests = at.requests,
          .context = at.context};
}

/// DeepSeek's absorbed form: a latent of 512 and 64 rotary dimensions a token, for all heads.
[[nodiscard]] inline Kernel mla_kernel(const AttentionShapeAt& at) {
  return {.kind = Kernel::Kind::attention,
          .attention = Mla{.query_heads = static_cast<std::int64_t>(at.query_heads),
                           .kv_rank = 512,
                           .nope_dim = 128,
                           .rope_dim = 64,
                           .value_dim = 128},
          .storage = at.storage,
          .requests = at.requests,
          .context = at.context};
}

/// Experts with `tokens` routed copies in all.
struct ExpertsAt {
  Kernel::Kind kind = Kernel::Kind::experts;
  Dtype dtype = Dtype::bf16;
  double hidden = 0, intermediate = 0, experts = 0, tokens = 0;
};
[[nodiscard]] inline Kernel experts_kernel(const ExpertsAt& at) {
  return {.kind = at.kind,
          .attention = {},
          .compute = at.dtype,
          .storage = at.dtype,
          .experts = at.experts,
          .tokens = at.tokens,
          .hidden = at.hidden,
          .intermediate = at.intermediate};
}

[[nodiscard]] inline Kernel dense_kernel(Dtype dtype, double m, double n, double k) {
  return {.kind = Kernel::Kind::dense,
          .attention = {},
          .compute = dtype,
          .storage = dtype,
          .m = m,
          .n = n,
          .k = k};
}

}  // namespace afford::study
