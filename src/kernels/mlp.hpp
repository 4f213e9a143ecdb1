#pragma once
// The two GEMMs of MLPs: grouped over experts, or dense.

#include <array>

#include "kernels/machine.hpp"

namespace afford {

/// MLPs of one width that run in one kernel: `rows` token rows over all of them.
struct MlpGroup {
  double rows = 0, mlps = 0, intermediate = 0;
  double inputs = 0;       // the hidden state, or the latent that experts work on
  double matrices_up = 2;  // into the intermediate: gate and up, or up alone
  Dtype format = Dtype::fp8;
};

/// The MLPs of one kernel: routed experts and, beside them, the shared ones; or a dense MLP.
struct MlpWork {
  std::array<MlpGroup, 2> groups;
  double shard = 1;  // ways each MLP is sharded over its intermediate
  bool grouped = false;
  Dtype compute = Dtype::fp8;
};

/// Matrices into the intermediate (gate and up, or up alone), and back.
[[nodiscard]] Op mlp_up(const MlpWork& work, const Machine& machine);
[[nodiscard]] Op mlp_down(const MlpWork& work, const Machine& machine);

/// The activation between the two, and its quantisation.
[[nodiscard]] Op mlp_activation(const MlpWork& work, const Machine& machine);
/// Whether it runs in the first GEMM: the measured grouped kernel ends with it.
[[nodiscard]] bool fuses_activation(const MlpWork& work, const Machine& machine);

}  // namespace afford
