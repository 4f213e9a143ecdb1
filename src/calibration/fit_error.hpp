#pragma once
// How well a curve predicts what it was not fitted to.

#include <cstdint>
#include <vector>

#include "text/statistics.hpp"

namespace afford {

/// Leave-one-out errors |predicted / measured - 1|: each point predicted by the curve fitted
/// without it.
struct FitError {
  std::int64_t points = 0;
  double median = 0, p90 = 0, worst = 0;
};

/// Of errors as shares.
[[nodiscard]] inline FitError fit_error(const std::vector<double>& errors) {
  return {.points = static_cast<std::int64_t>(errors.size()),
          .median = interpolated_quantile(errors, 0.5),
          .p90 = interpolated_quantile(errors, 0.9),
          .worst = interpolated_quantile(errors, 1)};
}

}  // namespace afford
