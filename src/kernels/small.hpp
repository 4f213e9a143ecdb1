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
[[nodiscard]] Op elementwise(const SmallKernels& small, const Machine& machine);

}  // namespace afford
