#pragma once
// From points to a calibration: robust least squares on the logarithm of the times, with the
// leave-one-out error of every curve. Needs Eigen, neither YAML nor the rest of afford.

#include <string>
#include <vector>

#include "calibration/calibration.hpp"
#include "calibration/point.hpp"
#include "spec/engine.hpp"

namespace afford {

/// Fits roofs, overheads and one curve for each class and precision that has points enough.
/// `engine`: whose kernels the points are of, for their tiles. Rejected points are left out. Throws
/// UsageError when the read roof cannot be fitted, because every curve is a fraction of it.
[[nodiscard]] Calibration fit_calibration(const std::vector<Point>& points,
                                          const Provenance& provenance, const Engine& engine);

}  // namespace afford
