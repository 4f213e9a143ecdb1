#pragma once
// What runs between the products: small elementwise kernels.

#include "kernels/machine.hpp"

namespace afford {

/// Norms, quantisation, rope, packing: `kernels` launches that move `bytes` together.
struct SmallKernels {
  std::string_view name;
  Bytes bytes;
  double kernels = 1;
};
[[nodiscard]] inline Op elementwise(const SmallKernels& small, const Machine& machine) {
  Op op{.name = small.name, .kernels = small.kernels};
  op.activations = small.bytes;
  if (const ChipTiming* chip = machine.measured; chip != nullptr && chip->small_kernel > 0) {
    op.time = Seconds((machine.launches() ? 0 : small.kernels * chip->small_kernel) +
                      from_l2(small.bytes, *chip) / chip->read);
    return op;
  }
  return timed(op, {machine.peak(Dtype::bf16), machine.engine->gemm_memory * machine.memory},
               machine);
}

}  // namespace afford
