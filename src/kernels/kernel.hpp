#pragma once
// One kernel by itself, as tables of measurements list it, on the formulas of a stage.

#include "kernels/machine.hpp"
#include "spec/attention/kinds.hpp"

namespace afford {

struct Kernel {
  enum class Kind { attention, prefill, experts, gate_up, down, dense };
  Kind kind = Kind::dense;
  AttentionShape attention;
  Dtype compute = Dtype::bf16, storage = Dtype::bf16;  // storage: of the cache, or of the weights
  double requests = 0, context = 0;                    // attention; prefill: prompts of `context`
  double experts = 0, tokens = 0;                      // with tokens; routed copies in all
  double hidden = 0, intermediate = 0;                 // of the experts, as sharded
  double m = 0, n = 0, k = 0;                          // dense
};
[[nodiscard]] OpList kernel_ops(const Kernel& kernel, const Machine& machine);

}  // namespace afford
