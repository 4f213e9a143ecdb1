#pragma once
// One layer of a pipeline recomputed in plain FP32, from the same weights, caches and inputs.

#include "pipeline.hpp"

namespace afford::calibrate {

/// |pipeline - reference| / |reference| over some requests: of what attention and the FFN add to
/// the residual, of the cache's newest rows; and how far a chosen expert's logit is below the last
/// one that should have been chosen, in standard deviations of the logits.
struct LayerErrors {
  double attention = 0, cache = 0, ffn = 0, routing = 0;
};

/// The largest errors accepted: FP8 rounds each operand by 2.6 % of it, BF16 by 0.2 %, and a chain
/// of products adds these up.
[[nodiscard]] LayerErrors accepted_errors(const DecodeLayer& layer);

/// Checks the layer that every micro-batch has run last. Synchronises.
[[nodiscard]] LayerErrors check_layer(Pipeline& pipeline, int layer, int micro_batch);

/// What is wrong, in a few words; empty when nothing is.
[[nodiscard]] std::string wrong_layer(const LayerErrors& errors, const LayerErrors& accepted);

}  // namespace afford::calibrate
