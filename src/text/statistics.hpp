#pragma once
// Quantiles of a few numbers.

#include <algorithm>
#include <cmath>
#include <vector>

namespace afford {

/// The value at `share` of the way from the smallest (0) to the largest (1), by nearest rank.
/// `values` is not empty.
[[nodiscard]] inline double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
}

/// The same between the two values beside that place, by their distance; 0 without values.
[[nodiscard]] inline double interpolated_quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace afford
