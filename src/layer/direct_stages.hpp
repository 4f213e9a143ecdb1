#pragma once
// The stages of a layer where kernels store straight into the memory of the other GPUs of a server
// (DirectRuntime), on a chip whose kernels and links were measured. Sizes are those of one
// micro-batch.

#include "layer/drawn_experts.hpp"
#include "layer/shape.hpp"
#include "spec/model.hpp"

namespace afford {

/// Whether `machine` runs a layer of `shape` so: its engine does, and its calibration has links and
/// a curve for the experts.
[[nodiscard]] bool runs_direct(const Machine& machine, const LayerShape& shape);

/// How the GPUs of a server share a layer.
struct DirectLayout {
  double ffn = 1;       // GPUs that have experts
  bool pooled = true;   // of their own; else the attention is on them too
  bool tensor = false;  // each expert cut over them; else every one has a share of the experts
  double shard = 1;     // ways an expert is cut besides
};

struct DirectAttention {
  double requests = 0, query_tokens = 1, context = 0;  // of an attention GPU
  bool uneven = false;  // requests are of unequal length, `context` their mean
};

/// The attention side of one GPU in order, with the changes between its kernels and the stores of
/// its tokens for every FFN GPU.
[[nodiscard]] OpList direct_attention_ops(const ModelSpec& model, const LayerShape& shape,
                                          const DirectAttention& work, const DirectLayout& layout,
                                          const Machine& machine);

/// The FFN side of a GPU for `tokens` of all attention GPUs together: placing and packing, the
/// experts, the weighted sum stored to where the tokens came from. `slowest`: of the GPU that drew
/// most, which every layer waits for.
struct DirectFfn {
  OpList mean, slowest;
};
[[nodiscard]] DirectFfn direct_ffn_ops(const ModelSpec& model, const LayerShape& shape,
                                       double tokens, const DirectLayout& layout,
                                       const Machine& machine);

/// From the end of a stage to the start of the next one on another GPU.
[[nodiscard]] Seconds direct_edge(const Machine& machine);

}  // namespace afford
