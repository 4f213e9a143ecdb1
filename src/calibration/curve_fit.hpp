#pragma once
// One curve from the points of a class and precision.

#include <vector>

#include "calibration/calibration.hpp"
#include "calibration/curve_sample.hpp"
#include "calibration/operation_time.hpp"

namespace afford {

/// Robust least squares on the logarithm of the times, with the leave-one-out error.
/// `fixed_compute`: the fraction of the tensor roof where too few samples are bound by it.
[[nodiscard]] OperationCurve fit_curve(const std::vector<CurveSample>& samples,
                                       const OperationRoofs& roofs, double fixed_compute,
                                       bool left_out_errors);

}  // namespace afford
