#pragma once
// Published cases and kernel tables as records.

#include "report/record.hpp"
#include "study/validation.hpp"

namespace afford {

/// The cases; CSV and JSON have the points of the kernel tables as further rows.
enum class KernelRows { left_out, appended };
[[nodiscard]] Table validation_table(const study::Validation& validation, KernelRows kernels);

/// One row a kernel table.
[[nodiscard]] Table kernel_table(const study::Validation& validation);

}  // namespace afford
