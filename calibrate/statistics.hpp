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

/// How far the medians of consecutive windows of samples lie apart, largest from smallest, over the
/// median of all: what a repetition of the measurement would differ by. Samples in the order in
/// which they were taken; those beyond equal windows count in the last. Zero with fewer than two
/// samples a window.
[[nodiscard]] inline double spread_of_medians(const std::vector<double>& samples, size_t windows) {
  const size_t each = samples.size() / windows;
  if (each < 2) return 0;
  double least = 0, most = 0;
  for (size_t i = 0; i < windows; ++i) {
    const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(i * each);
    const auto end = i + 1 < windows ? begin + static_cast<std::ptrdiff_t>(each) : samples.end();
    const double now = median({begin, end});
    least = i == 0 ? now : std::min(least, now);
    most = std::max(most, now);
  }
  return (most - least) / median(samples);
}

}  // namespace afford::calibrate
