#pragma once
// How well a curve predicts what it was not fitted to.

#include <cstdint>

namespace afford {

/// Leave-one-out errors |predicted / measured - 1|: each point predicted by the curve fitted
/// without it.
struct FitError {
  std::int64_t points = 0;
  double median = 0, p90 = 0, worst = 0;
};

}  // namespace afford
