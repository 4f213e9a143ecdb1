#include "gates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "units.hpp"

namespace afford::calibrate {
namespace {

constexpr double most_of_roof = 1.02;  // more: lines left in the L2 cache, or bytes miscounted
// Of the medians of a point's four windows. At the power cap the clock moves all the time, which is
// the state that a server runs in. Four normal values lie 2.06 deviations apart in the mean, and
// the median of all four windows has half a deviation: 8 % apart is a standard error of 2 %.
constexpr double most_drift = 0.08;
constexpr double most_launch_drift = 0.25;  // the host takes part, and is shared on many machines

bool is_launch(const Point& point) { return point.operation.starts_with("launch_"); }

}  // namespace

bool is_bounded(const Point& point) {
  const std::string& operation = point.operation;
  return point.bytes > 0 && !operation.starts_with("read") && operation != "write" &&
         operation != "copy" && operation != "l2_read";
}

double read_roof(const std::vector<Point>& points) {
  double roof = 0;
  for (const Point& point : points)
    if (point.operation == "read" && point.rejected.empty() && point.median_us > 0)
      roof = std::max(roof, point.bytes / (1e-6 * point.median_us));
  return roof;
}

std::string failed_gate(const Point& point, const Conditions& conditions, double roof) {
  if (!(point.error <= point.tolerance))
    return fmt::format("error {:.2g}, more than {:.2g}", point.error, point.tolerance);
  if (!(point.median_us > 0)) return "not measured";
  const double most = is_launch(point) ? most_launch_drift : most_drift;
  if (conditions.drift > most)
    return fmt::format("medians of windows {:.1f} % apart, more than {:.0f} %",
                       100 * conditions.drift, 100 * most);
  if (conditions.slowed_down) return "slowed down by heat or power supply";
  const double rate = point.bytes / (1e-6 * point.median_us);
  if (roof > 0 && is_bounded(point) && rate > most_of_roof * roof)
    return fmt::format("{:.2f} of the read roof, more than {:.2f}", rate / roof, most_of_roof);
  return "";
}

double roof_drift(const std::vector<Point>& start, const std::vector<Point>& end) {
  double worst = 0;
  for (const Point& late : end)
    for (const Point& early : start)
      if (early.operation == late.operation && early.precision == late.precision &&
          early.bytes == late.bytes && early.median_us > 0)
        worst = std::max(worst, std::fabs(late.median_us / early.median_us - 1));
  return worst;
}

}  // namespace afford::calibrate
