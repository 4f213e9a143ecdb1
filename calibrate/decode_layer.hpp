#pragma once
// One layer of a model as a pipeline runs it: the shapes its kernels need. Host code without CUDA,
// so that it is tested everywhere.

#include <cstdint>
#include <string>

#include "spec/model.hpp"
#include "work.hpp"

namespace afford::calibrate {

enum class AttentionKind { mfa, gqa, mla };

/// The most frequent kind of layer of a model.
struct DecodeLayer {
  AttentionKind attention = AttentionKind::mfa;
  int hidden = 0, query_heads = 0, kv_heads = 1;
  int head_dim = 0;    // of a key as it is cached; MLA: latent and rotary part
  int query_rank = 0;  // 0: the query comes straight from the hidden state
  int latent = 0, nope = 0, rope = 0, value_dim = 0;  // MLA
  int experts = 0, active = 0, shared = 0;            // dense: one shared expert alone
  int intermediate = 0;                               // of an expert, as sharded
  Precision projections = Precision::fp8, ffn = Precision::fp8, cache = Precision::bf16;
  std::int64_t layers = 0;  // of the whole model

  [[nodiscard]] int value_width() const {
    return attention == AttentionKind::mla ? value_dim : head_dim;
  }
  [[nodiscard]] int copies() const { return active + shared; }  // of a token, on its way to experts
};

/// The layer of `model`, with its cache in `cache` and each expert (as a shard of) intermediate /
/// `shard` wide. Throws UsageError when the kernels do not have it: other attention than MFA with
/// heads of 256, GQA with heads of 128 or 256 and MLA; other weights than FP8 and BF16.
[[nodiscard]] DecodeLayer decode_layer(const ModelSpec& model, Dtype cache, int shard);

/// "mfa 64/1 d256, 48 experts of 7168 x 5120, 3 active, 1 shared"
[[nodiscard]] std::string layer_text(const DecodeLayer& layer);

}  // namespace afford::calibrate
