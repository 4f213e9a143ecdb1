#pragma once
// Order statistics of samples. Host code without CUDA, so that it is tested everywhere.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace afford::calibrate {

/// Quantile of sorted, non-empty samples, with linear interpolation between neighbours (type 7 of
/// Hyndman and Fan, 1996).
[[nodiscard]] inline double quantile(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(position);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (position - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

[[nodiscard]] inline double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return quantile(samples, 0.5);
}

/// Interquartile range over the median: how far samples wander, outliers aside. Zero without
/// samples.
[[nodiscard]] inline double quartile_spread(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  return (quantile(samples, 0.75) - quantile(samples, 0.25)) / quantile(samples, 0.5);
}

}  // namespace afford::calibrate
