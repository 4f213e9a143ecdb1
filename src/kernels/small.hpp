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

/// The time of such launches on one machine, whatever they move.
class SmallKernel {
 public:
  SmallKernel(double kernels, const Machine& machine) {
    const ChipTiming* chip = machine.measured;
    measured_ = chip != nullptr && chip->small_kernel > 0;
    if (measured_) {
      starts_ = Seconds(machine.launches() ? 0 : kernels * chip->small_kernel);
      share_ = l2_share(*chip);
      rate_ = ByteRate(chip->read);
    } else {
      starts_ = kernels * machine.start;
      rate_ = machine.engine->l2_over_memory * (machine.engine->gemm_memory * machine.memory);
    }
  }
  [[nodiscard]] Seconds time(Bytes bytes) const { return starts_ + moving(bytes); }
  [[nodiscard]] Seconds moving(Bytes bytes) const { return bytes * share_ / rate_; }
  [[nodiscard]] bool measured() const { return measured_; }
  /// What they take before they move anything.
  [[nodiscard]] Seconds starts() const { return starts_; }

 private:
  bool measured_;
  Seconds starts_;
  double share_ = 1;  // of the bytes, in bytes of device memory
  ByteRate rate_;
};

[[nodiscard]] inline Op elementwise(const SmallKernels& small, const Machine& machine) {
  const SmallKernel kernel(small.kernels, machine);
  Op op{.name = small.name, .kernels = small.kernels};
  op.activations = small.bytes;
  op.time = kernel.time(small.bytes);
  if (!kernel.measured())
    op.bound = kernel.starts() > kernel.moving(small.bytes) ? Limit::overhead : Limit::memory;
  return op;
}

}  // namespace afford
