#pragma once
// Where a time that rises with the batch first exceeds a limit, found by few looks where it is
// known about where.

#include <algorithm>
#include <bit>
#include <cstddef>

namespace afford {

/// How batches came to cross the limit.
struct Crossing {
  size_t first = 0;  // whose time is above it
  double slope = 0;  // from one batch to the next around there; 0: not known
  double drift = 0;  // by how much the first was beyond the one before it
};

/// Where to look first: where it was in the same place, moved as it moved in the last one.
[[nodiscard]] inline double expected(const Crossing& here, const Crossing& last) {
  return here.slope > 0 ? static_cast<double>(here.first) + last.drift
                        : static_cast<double>(last.first);
}

/// The first of 0 .. end - 1 whose time is above the limit, or `end`. Looked for where a straight
/// line meets the limit and, where that does not find it soon, by halves. `found`: how it was
/// before, then how it is.
template <class Time>
size_t first_beyond(double limit, size_t end, double expected, const Time& time, Crossing& found) {
  constexpr int guesses = 5;
  size_t first = 0, beyond = end;  // it is one of these or between
  double below = 0, above = 0;     // the times before the one and at the other, where looked at
  const auto within = [&](double batch) {
    return static_cast<size_t>(
        std::clamp(batch, static_cast<double>(first), static_cast<double>(beyond - 1)));
  };
  size_t at = end > 0 ? within(expected) : 0;
  for (int look = 1; first < beyond; ++look) {
    const double now = time(at);
    if (now > limit) {
      beyond = at, above = now;
    } else {
      first = at + 1, below = now;
    }
    const bool between = first > 0 && beyond < end;
    const double from = static_cast<double>(between ? first - 1 : at);
    const double slope =
        between ? (above - below) / (static_cast<double>(beyond) - from) : found.slope;
    if (between) found.slope = slope;
    if (first == beyond) break;
    const bool guessing = slope > 0 && look < guesses;
    at = within(guessing ? from + (limit - (between ? below : now)) / slope
                         : static_cast<double>(first + beyond) / 2);
  }
  found.drift = static_cast<double>(first) - static_cast<double>(found.first);
  found.first = first;
  return first;
}

/// Of first .. last the number divisible by the highest power of two.
[[nodiscard]] inline size_t roundest(size_t first, size_t last) {
  return last & ~(std::bit_floor((first - 1) ^ last) - 1);
}

}  // namespace afford
