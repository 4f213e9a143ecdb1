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

}  // namespace afford
