#pragma once
// From a case to the kernel that runs it.

#include <memory>

#include "cases.hpp"
#include "dense.hpp"
#include "work.hpp"

namespace afford::calibrate {

/// Whether this machine can run it: dense projections need cuBLASLt (`lt` not null).
[[nodiscard]] bool can_run(const Case& one, const CublasLt* lt);

/// Its kernel with inputs on the device of this thread. A Dense is a Dense still. Throws CudaError.
[[nodiscard]] std::unique_ptr<Work> make_work(const Case& one, const CublasLt* lt);

}  // namespace afford::calibrate
