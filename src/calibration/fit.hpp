#pragma once
// From points to a calibration: robust least squares on the logarithm of the times, with the
// leave-one-out error of every curve. Needs Eigen, neither YAML nor the rest of afford.

#include <string>
#include <vector>

#include "calibration/calibration.hpp"
#include "calibration/point.hpp"
#include "spec/engine.hpp"

namespace afford {

/// Whether the errors of left-out points are asked for: they are most of the work.
enum class LeftOutErrors { no, yes };

/// Fits roofs, overheads and one curve for each class and precision that has points enough. Of
/// several cards the curves are those of their mean, and an error is that of a card not seen.
/// `engine`: whose kernels the points are of, for their tiles. Rejected points are left out. Throws
/// UsageError when the read roof cannot be fitted, because every curve is a fraction of it.
[[nodiscard]] Calibration fit_calibration(const std::vector<Point>& points,
                                          const Provenance& provenance, const Engine& engine,
                                          LeftOutErrors errors = LeftOutErrors::yes);

}  // namespace afford
