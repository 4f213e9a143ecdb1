#pragma once
// A calibration made up by hand, and points as a GPU that obeys it would give them.

#include <cstdint>
#include <vector>

#include "calibration/chip_timing.hpp"
#include "calibration/point.hpp"
#include "spec/engine.hpp"

namespace afford::test {

/// Roofs, overheads and a curve for each class, of a chip called h200 with 132 SMs.
[[nodiscard]] Calibration known_calibration();

/// Points of every operation at the sizes a calibration measures, timed by `truth`, with log-normal
/// noise of this standard deviation.
[[nodiscard]] std::vector<Point> points_of(const Calibration& truth, double noise,
                                           std::uint64_t seed);

/// The curve of a class; it must be there.
[[nodiscard]] const OperationCurve& curve_of(const Calibration& calibration,
                                             OperationClass operation, OperandPrecision precision);
/// The engine whose kernels they are: 64-row query tiles.
[[nodiscard]] Engine measured_kernels();
/// The calibration as measured on `chip`.
[[nodiscard]] MeasuredChip measured_on(const HardwareSpec& chip,
                                       const Calibration& calibration = known_calibration());

}  // namespace afford::test
