#pragma once
// When a measurement counts. A point that fails a gate stays in the table with the reason, and is
// not fitted. Host code without CUDA, so that it is tested everywhere.

#include <string>
#include <vector>

#include "calibration/point.hpp"

namespace afford::calibrate {

/// How the device was while a point was measured.
struct Conditions {
  double drift = 0;          // spread_of_medians() of the samples
  bool slowed_down = false;  // by heat or the power supply; the power cap is ordinary
};

/// Whether the read roof bounds it: it reads device memory, and is not a roof itself.
[[nodiscard]] bool is_bounded(const Point& point);

/// Bytes a second of the fastest read that counts; zero without one.
[[nodiscard]] double read_roof(const std::vector<Point>& points);

/// Why the point does not count, in a few words; empty when it does. `roof` is read_roof(), or
/// zero.
[[nodiscard]] std::string failed_gate(const Point& point, const Conditions& conditions,
                                      double roof);

/// How far the roofs measured at the end are from the same ones at the start, the worst, as a
/// fraction.
[[nodiscard]] double roof_drift(const std::vector<Point>& start, const std::vector<Point>& end);

inline constexpr double most_roof_drift = 0.01;

}  // namespace afford::calibrate
