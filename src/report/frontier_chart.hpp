#pragma once
// Pictures of a search: frontiers with the deployment to take, and costs over a sweep.

#include <cstdint>
#include <string>
#include <vector>

#include "report/gnuplot.hpp"

namespace afford {

/// A point of the frontier of one line (a model), in drawing order. The one to take has a name.
struct FrontierPoint {
  std::string line;
  std::int64_t context = 0;
  double x = 0, value = 0;
  double low = 0, high = 0;  // ends of the 90 % interval of x; 0: not known
  std::string winner;        // "2A2F h20 + h800"; empty: not the one
};

/// What is drawn over what, and where on x the limit lies. Values that fall steeply (costs) go on a
/// logarithmic axis.
struct FrontierAxes {
  std::string x, y;  // "ms per output token", "tokens/s a GPU"
  double limit = 0;
  bool logarithmic = false;
};

/// One panel per context, with a line at the limit and a band for the intervals of each line.
[[nodiscard]] Chart frontier_chart(const std::vector<FrontierPoint>& points,
                                   const FrontierAxes& axes);

/// One value of one line at one value of what is swept.
struct SweepPointDrawn {
  std::string line;
  double at = 0, value = 0;
};
[[nodiscard]] Chart sweep_chart(const std::vector<SweepPointDrawn>& points,
                                const std::string& parameter, const std::string& value);

}  // namespace afford
