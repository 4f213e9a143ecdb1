#pragma once
// What one FFN layer costs one decoded token.
// Formula: Step-3 report (arXiv 2507.19427), Section 4: 2*3*hidden*intermediate for each gated MLP
// a token visits, shared experts and dense layers included; routed experts on a latent vector have
// 2*3*latent *intermediate, and two matrices hidden x latent around them.

#include <string>

#include "count/matrix.hpp"
#include "spec/model.hpp"

namespace afford {

/// `copies` gated MLPs (gate, up and down matrices) of one width, of which a token visits `active`.
struct GatedMlp {
  std::string_view name;
  std::int64_t intermediate = 0, active = 1, copies = 1;
  std::int64_t inputs = 0;  // 0: the hidden state
};

struct FfnCount {
  std::vector<GatedMlp> mlps;
  std::int64_t router_outputs = 0;  // 0: no router
  std::int64_t latent = 0;          // width of the matrices to the routed experts and back; 0: none
};

[[nodiscard]] FfnCount count_ffn(const FfnShape& shape);

/// Weights a token visits, and all weights, of the MLPs of one layer (router left out).
[[nodiscard]] double active_weights(const FfnCount& ffn, std::int64_t hidden);
[[nodiscard]] double total_weights(const FfnCount& ffn, std::int64_t hidden);

/// Weights of `copies` of one MLP, and of the two matrices around the routed experts.
[[nodiscard]] double weights_of(const GatedMlp& mlp, std::int64_t copies, std::int64_t hidden);
[[nodiscard]] double latent_weights(const FfnCount& ffn, std::int64_t hidden);

/// "MoE 3 of 48 x 5120 + 1 shared", "dense 18432".
[[nodiscard]] std::string describe(const FfnShape& shape);

}  // namespace afford
