#pragma once
// Medians, quantiles and the parts of an error that series share.

#include <string>
#include <vector>

#include "deploy/interval.hpp"

namespace afford::study {

/// Deviations of predictions, as shares.
struct ErrorSummary {
  size_t points = 0;
  double median = 0, p90 = 0;  // of the absolute deviation
  double bias = 0;             // median of the signed one
};
[[nodiscard]] ErrorSummary summary_of(const std::vector<double>& deviations);

/// A logarithm of measured over predicted time, and the series it belongs to.
struct SeriesError {
  std::string series;
  double error = 0;
};

/// A random-effects model of the errors, by moments: points scatter within a series, and series
/// scatter around no error. What lies beyond the half and the 99.5 % quantile is left out.
[[nodiscard]] ErrorSpread spread_of(const std::vector<SeriesError>& errors);

}  // namespace afford::study
