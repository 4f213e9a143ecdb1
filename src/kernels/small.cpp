#include "kernels/small.hpp"

namespace afford {

Op elementwise(const SmallKernels& small, const Machine& machine) {
  Op op{.name = small.name, .kernels = small.kernels};
  op.activations = small.bytes;
  if (const ChipTiming* chip = machine.measured; chip != nullptr && chip->small_kernel > 0) {
    op.time =
        Seconds(small.kernels * chip->small_kernel + from_l2(small.bytes, *chip) / chip->read);
    return op;
  }
  return timed(op, {machine.peak(Dtype::bf16), machine.engine->gemm_memory * machine.memory},
               machine);
}

Op collective(const Collective& exchange, const Machine& machine) {
  const Engine& e = *machine.engine;
  Op op{.name = exchange.name, .kernels = 1};
  op.moved = exchange.bytes;
  op.time = exchange.bytes / (e.scale_up * machine.scale_up) + e.collective;
  op.bound = Limit::scale_up;
  op.hidden = exchange.hidden;
  return op;
}

}  // namespace afford
