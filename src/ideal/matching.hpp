#pragma once
// Does a model fit a chip? The Step-3 report's Section 5 as formulas.

#include "spec/hardware.hpp"
#include "spec/model.hpp"
#include "units.hpp"

namespace afford {

/// The tokens an FFN chip must see at once for its weights to cost no more than its FLOPs:
/// 2*B FLOPs per weight against the bytes of a weight, so B >= ridge * bytes_per_weight / 2; an MoE
/// layer spreads them over its experts, B / sparsity.
[[nodiscard]] double min_ffn_batch(FlopsPerByte ridge, Dtype weights, double sparsity);

/// One AFD stage's budget: a token's time split over the stages of the pipeline.
struct PipelineBudget {
  Seconds tpot{0.050};
  int stages = 3;
};

/// The smallest sparsity at which an FFN server both reaches its ridge and moves its tokens in
/// time. Dispatch takes 1 byte and combine 2 bytes per hidden element and token, so
///   3 * H * B(S) * L <= Net * TPOT / stages   with   B(S) = ridge * bytes_per_weight / (2 * S)
/// which for 8-bit weights is S >= H * ridge * L / (Net * 11.1 ms) at 50 ms and three stages.
[[nodiscard]] double min_sparsity(const ModelSpec& model, FlopsPerByte ridge,
                                  ByteRate server_network, const PipelineBudget& budget);

}  // namespace afford
