#pragma once
// The part that sparse and compressed attention share.

#include "spec/attention/count.hpp"

namespace afford {

/// The lightning indexer (DeepSeek-V3.2): small heads score every cached key, the best `top_k` are
/// attended.
struct Indexer {
  std::int64_t heads = 0, head_dim = 0, top_k = 0;
};

/// The indexer's walk: `heads` small queries against one key per entry, ReLU, weighted sum.
///   cache (head_dim + 4)*S bytes: an FP8 key with its FP32 scale; 2*heads*(head_dim + 1)*S FLOPs
/// DeepSeek-V3.2-Exp report (2025-09), Section 2.1, equation 1; the inference code keeps the keys
/// in FP8.
[[nodiscard]] inline Walk index_walk(const Indexer& index, double stride) {
  constexpr double scale_bytes = 4;
  return {.flops = 2 * real(index.heads) * (real(index.head_dim) + 1),
          .elements = real(index.head_dim) + scale_bytes,
          .stride = stride,
          .format = Dtype::fp8,
          .by = Walk::By::indexer};
}

/// Its queries, from the compressed query where there is one (query_rank > 0), and the weights of
/// its heads.
inline void add_index_projections(std::vector<Matrix>& to, const Indexer& index,
                                  std::int64_t hidden, std::int64_t query_rank) {
  const bool compressed = query_rank > 0;
  to.push_back({"index_q", compressed ? query_rank : hidden, index.heads * index.head_dim,
                compressed ? Role::from_rank : Role::from_hidden, Split::whole});
  to.push_back({"index_weights", hidden, index.heads, Role::from_hidden, Split::whole});
}

}  // namespace afford
