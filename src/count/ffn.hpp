#pragma once
// Weights of the FFN of one layer.

#include "spec/ffn/count.hpp"

namespace afford {

/// Values of a token that enter an MLP: the hidden state, or the latent of the routed experts.
[[nodiscard]] double inputs_of(const Mlp& mlp, std::int64_t hidden);

/// Weights of `copies` of one MLP, and of the two matrices around the routed experts.
[[nodiscard]] double weights_of(const Mlp& mlp, std::int64_t copies, std::int64_t hidden);
[[nodiscard]] double latent_weights(const FfnCount& ffn, std::int64_t hidden);

/// Weights that a layer has of its own where layers share the MLP's: hidden -> rank -> what the
/// first matrices put out.
[[nodiscard]] double adapter_weights(const FfnCount& ffn, std::int64_t hidden);

/// Weights a token visits, and all weights, of one layer's MLPs and adapter (router left out).
[[nodiscard]] double active_weights(const FfnCount& ffn, std::int64_t hidden);
[[nodiscard]] double total_weights(const FfnCount& ffn, std::int64_t hidden);

/// Routed experts a token visits; 0 in a layer without a router.
[[nodiscard]] double visited_experts(const FfnCount& ffn);

}  // namespace afford
