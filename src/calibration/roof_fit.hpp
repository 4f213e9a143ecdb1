#pragma once
// The roofs of a chip from the points that measured them.

#include <string_view>
#include <vector>

#include "calibration/calibration.hpp"
#include "calibration/point.hpp"

namespace afford {

/// Neither rejected when it was measured nor without a time.
[[nodiscard]] inline bool accepted(const Point& point) {
  return point.rejected.empty() && point.median_us > 0;
}

/// Start and rate of moving bytes, with the leave-one-out error; empty without a point.
[[nodiscard]] StreamRoof stream_roof(const std::vector<Point>& points, std::string_view operation);

/// The fastest products of that precision.
[[nodiscard]] TensorRoof fastest_products(const std::vector<Point>& points,
                                          std::string_view precision);

/// The median of that way to launch a kernel.
[[nodiscard]] Seconds launch_time(const std::vector<Point>& points, std::string_view operation);

}  // namespace afford
