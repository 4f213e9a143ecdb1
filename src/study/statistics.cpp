#include "study/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "text/statistics.hpp"

namespace afford::study {
namespace {

/// Of one series.
struct Moments {
  double count = 0, sum = 0, squares = 0;
  [[nodiscard]] double mean() const { return sum / count; }
  [[nodiscard]] double scatter() const { return squares - count * mean() * mean(); }
};

std::map<std::string, Moments> moments_of(const std::vector<SeriesError>& errors) {
  constexpr double cut = 0.005;
  std::vector<double> all;
  all.reserve(errors.size());
  for (const SeriesError& e : errors) all.push_back(e.error);
  const double least = quantile(all, cut), most = quantile(all, 1 - cut);
  std::map<std::string, Moments> by_series;
  for (const SeriesError& e : errors) {
    if (e.error < least || e.error > most) continue;
    Moments& m = by_series[e.series];
    m.count += 1;
    m.sum += e.error;
    m.squares += e.error * e.error;
  }
  return by_series;
}

}  // namespace

ErrorSummary summary_of(const std::vector<double>& deviations) {
  if (deviations.empty()) return {};
  std::vector<double> sizes;
  sizes.reserve(deviations.size());
  for (const double d : deviations) sizes.push_back(std::fabs(d));
  return {.points = deviations.size(),
          .median = quantile(sizes, 0.5),
          .p90 = quantile(sizes, 0.9),
          .bias = quantile(deviations, 0.5)};
}

ErrorSpread spread_of(const std::vector<SeriesError>& errors) {
  if (errors.empty()) return {};
  double scatter = 0, freedom = 0, between = 0, of_means = 0;
  const std::map<std::string, Moments> by_series = moments_of(errors);
  for (const auto& [series, m] : by_series) {
    scatter += m.scatter();
    freedom += m.count - 1;
  }
  const double within = freedom > 0 ? scatter / freedom : 0;
  // The mean of a series scatters by its own effect and by what is left of its points.
  for (const auto& [series, m] : by_series) {
    between += m.mean() * m.mean();
    of_means += within / m.count;
  }
  const double count = static_cast<double>(by_series.size());
  return {.between = std::sqrt(std::max(0.0, (between - of_means) / count)),
          .within = std::sqrt(std::max(0.0, within))};
}

}  // namespace afford::study
