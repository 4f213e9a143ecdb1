#include "calibration/roof_fit.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace afford {
namespace {

struct Affine {
  double start = 0, per_byte = 0;
  [[nodiscard]] double at(double bytes) const { return start + per_byte * bytes; }
};

/// t = start + bytes * per_byte by relative least squares, start not below zero.
Affine affine(const std::vector<std::pair<double, double>>& bytes_and_seconds) {
  double s00 = 0, s01 = 0, s11 = 0, b0 = 0, b1 = 0;
  for (const auto& [bytes, seconds] : bytes_and_seconds) {
    const double x = 1 / seconds, y = bytes / seconds;
    s00 += x * x;
    s01 += x * y;
    s11 += y * y;
    b0 += x;
    b1 += y;
  }
  const double determinant = s00 * s11 - s01 * s01;
  if (determinant > 1e-12 * s00 * s11) {
    const Affine both{(b0 * s11 - b1 * s01) / determinant, (b1 * s00 - b0 * s01) / determinant};
    if (both.start >= 0 && both.per_byte > 0) return both;
  }
  return {0, b1 / s11};
}

/// The fastest time of a card at each size, as several kernels may have been tried, in the mean
/// over the cards.
std::vector<std::pair<double, double>> best_by_size(const std::vector<Point>& points,
                                                    std::string_view operation) {
  std::map<double, std::map<std::int64_t, double>> best;
  for (const Point& point : points) {
    if (!accepted(point) || point.operation != operation || !(point.bytes > 0)) continue;
    const double seconds = point.median_us * 1e-6;
    const auto [at, fresh] = best[point.bytes].try_emplace(point.card, seconds);
    if (!fresh) at->second = std::min(at->second, seconds);
  }
  std::vector<std::pair<double, double>> mean;
  for (const auto& [bytes, cards] : best) {
    double sum = 0;
    for (const auto& [card, seconds] : cards) sum += seconds;
    mean.emplace_back(bytes, sum / static_cast<double>(cards.size()));
  }
  return mean;
}

}  // namespace

StreamRoof stream_roof(const std::vector<Point>& points, std::string_view operation) {
  const auto measured = best_by_size(points, operation);
  if (measured.empty()) return {};
  const Affine fit = affine(measured);
  std::vector<double> errors;
  for (size_t i = 0; i < measured.size() && measured.size() > 2; ++i) {
    auto others = measured;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    errors.push_back(std::fabs(affine(others).at(measured[i].first) / measured[i].second - 1));
  }
  return {
      .start = Seconds(fit.start), .rate = ByteRate(1 / fit.per_byte), .error = fit_error(errors)};
}

TensorRoof fastest_products(const std::vector<Point>& points, std::string_view precision) {
  std::map<std::int64_t, TensorRoof> cards;
  for (const Point& point : points) {
    if (!accepted(point) || point.operation != "tensor" || point.precision != precision) continue;
    const FlopRate rate(point.flops / (point.median_us * 1e-6));
    TensorRoof& best = cards[point.card];
    if (rate > best.rate) best = {.rate = rate, .sm_clock_mhz = point.sm_clock_mhz};
  }
  TensorRoof mean;
  for (const auto& [card, roof] : cards) {
    mean.rate += roof.rate / static_cast<double>(cards.size());
    mean.sm_clock_mhz += roof.sm_clock_mhz / static_cast<double>(cards.size());
  }
  return mean;
}

Seconds launch_time(const std::vector<Point>& points, std::string_view operation) {
  std::vector<double> seconds;
  for (const Point& point : points) {
    if (accepted(point) && point.operation == operation) seconds.push_back(point.median_us * 1e-6);
  }
  return Seconds(interpolated_quantile(seconds, 0.5));
}

}  // namespace afford
