#pragma once
// Steps that grow by the same amount each: how long so many take, and how many a time takes.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "units.hpp"

namespace afford {

/// The first step, and how much longer each is than the one before.
struct Steps {
  Seconds first, growth;
};

[[nodiscard]] inline Seconds time_of(const Steps& steps, std::int64_t count) {
  const double n = real(count);
  return n * steps.first + n * (n - 1) / 2 * steps.growth;
}

/// The fewest steps that take at least `time`, at least one and at most `most`: the positive root
/// of growth/2 n^2 + (first - growth/2) n = time, written so that no growth is no special case.
[[nodiscard]] inline std::int64_t steps_for(const Steps& steps, Seconds time, std::int64_t most) {
  if (time_of(steps, most) <= time) return most;
  const double linear = (steps.first - 0.5 * steps.growth).base();
  const double root = linear * linear + 2 * steps.growth.base() * time.base();
  const double n = 2 * time.base() / (linear + std::sqrt(std::max(root, 0.0)));
  constexpr double rounding = 1e-9;
  const double whole = std::ceil(n - rounding * std::max(1.0, n));
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::min(whole, real(most))), 1, most);
}

}  // namespace afford
