#pragma once
// What runs between the products: small elementwise kernels, and the collectives of a server.

#include "kernels/machine.hpp"

namespace afford {

/// Norms, quantisation, rope, packing: `kernels` launches that move `bytes` together.
struct SmallKernels {
  std::string_view name;
  Bytes bytes;
  double kernels = 1;
};
[[nodiscard]] Op elementwise(const SmallKernels& small, const Machine& machine);

/// A collective of the scale-up fabric: `bytes` in and out of each accelerator, each way at the
/// same time. Hidden: behind other micro-batches' work.
struct Collective {
  std::string_view name;
  Bytes bytes;
  bool hidden = false;
};
[[nodiscard]] Op collective(const Collective& exchange, const Machine& machine);

}  // namespace afford
