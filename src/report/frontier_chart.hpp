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
  double tpot_ms = 0, value = 0;
  std::string winner;  // "2A2F h20 + h800"; empty: not the one
};

/// `value` (say, "tokens/s a GPU") over TPOT, one panel per context, a line at the TPOT limit.
/// Values that fall steeply (costs) go on a logarithmic axis.
[[nodiscard]] Chart frontier_chart(const std::vector<FrontierPoint>& points,
                                   const std::string& value, double tpot_limit_ms,
                                   bool logarithmic);

/// One value of one line at one value of what is swept.
struct SweepPointDrawn {
  std::string line;
  double at = 0, value = 0;
};
[[nodiscard]] Chart sweep_chart(const std::vector<SweepPointDrawn>& points,
                                const std::string& parameter, const std::string& value);

}  // namespace afford
