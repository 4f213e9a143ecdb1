#pragma once
// A runtime whose kernels store straight into the memory of the other GPUs of a server, in one CUDA
// graph over all of them.

#include "units.hpp"

namespace afford {

struct DirectRuntime {
  /// What a kernel takes longer to start behind an unlike one than behind itself. Zero: an engine
  /// of another kind, and the rest does not count.
  Seconds change_over;
  double kernels = 3;  // around the experts: placing and packing of tokens, summing up
  double l2 = 1;       // share of the L2 roof, of experts whose weights pass through it often

  [[nodiscard]] bool there() const { return change_over > Seconds(0); }
};

}  // namespace afford
