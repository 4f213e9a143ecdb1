#pragma once
// The grouped products of experts whose tokens are drawn, not dealt: some have more than the mean
// and need one token tile more, and the shared ones run all tokens through tiles made for few.

#include "kernels/machine.hpp"

namespace afford {

/// Experts of one GPU. Every one of `tokens` visits each of `experts` with probability `share`, and
/// `shared_tokens` of them every shared one.
struct DrawnExperts {
  double experts = 0, share = 0, tokens = 0;
  double gpus = 1;  // that hold as many each
  double shared = 0, shared_tokens = 0;
  double hidden = 0, intermediate = 0;  // as sharded
  Dtype weights = Dtype::fp8;
};

/// Of a GPU, and of the one that drew most in each layer.
struct DrawnTime {
  Seconds mean, slowest;
};

/// Both products, by the measured curve of grouped GEMMs, for tokens drawn at random: in the mean
/// over layers, with the kernel's own choice of tiling in each (calibrate/moe_plan.cpp). Memory and
/// L2 overlap with the tensor cores as reading does in the curve. The draw is the same every time.
[[nodiscard]] DrawnTime drawn_experts_time(const DrawnExperts& drawn, const Machine& machine);

}  // namespace afford
