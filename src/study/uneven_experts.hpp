#pragma once
// The grouped products of experts whose tokens are drawn, not dealt: some have more than the mean
// and need one token tile more, and the shared ones run all tokens through tiles made for few.

#include "kernels/machine.hpp"

namespace afford::study {

/// Experts of one GPU. Every one of `tokens` visits each of `experts` with probability `share`, and
/// `shared_tokens` of them every shared one.
struct DrawnExperts {
  double experts = 0, share = 0, tokens = 0;
  double shared = 0, shared_tokens = 0;
  double hidden = 0, intermediate = 0;  // as sharded
  Dtype weights = Dtype::fp8;
};

/// Both products, by the measured curve of grouped GEMMs, with the token tiles that are expected of
/// a binomial draw under the kernel's own rule for its tiling (calibrate/moe_plan.cpp).
[[nodiscard]] Seconds drawn_experts_time(const DrawnExperts& drawn, const Machine& machine);

}  // namespace afford::study
