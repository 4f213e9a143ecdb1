#pragma once
// What an accelerator must hold.

#include "deploy/evaluate.hpp"

namespace afford {

/// Cache or state of one request over all layers (and MTP modules in use), unsharded.
[[nodiscard]] Bytes cache_per_request(const Setting& setting);

/// Attention-side weights of one accelerator: projections (the last one over `output_ways`, all over
/// `tensor_ways`), routers, and embedding and LM head over `vocabulary_ways`, both BF16.
struct WeightWays {
  std::int64_t tensor = 1, output = 1, vocabulary = 1;
};
[[nodiscard]] Bytes attention_weights(const ModelSpec& model, const std::vector<LayerShape>& shapes,
                                      const WeightWays& ways);

/// FFN weights of one accelerator with experts sharded `tensor` ways and split over `groups` groups. Shared
/// experts and dense layers are held by every group.
[[nodiscard]] Bytes ffn_weights(const ModelSpec& model, const std::vector<LayerShape>& shapes,
                                std::int64_t tensor, std::int64_t groups, std::int64_t redundant);

}  // namespace afford
