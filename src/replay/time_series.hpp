#pragma once
// What was there over time, in a number of intervals that does not grow with the time.

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "units.hpp"

namespace afford {

/// Requests in flight and waiting, the share of the room for caches that they take, and tokens
/// made.
struct Load {
  double in_flight = 0, waiting = 0, memory = 0, tokens = 0;

  void add(const Load& other, double times) {
    in_flight += times * other.in_flight;
    waiting += times * other.waiting;
    memory += times * other.memory;
    tokens += times * other.tokens;
  }
};

/// Up to 4096 intervals of equal length from the first moment on. Where time goes beyond the last
/// one, two become one.
class TimeSeries {
 public:
  static constexpr size_t most = 4096;

  /// From `begin` on for `time`: a load, whose `tokens` are those of all that time.
  void add(Seconds begin, Seconds time, const Load& load) {
    if (!(time > Seconds(0))) return;
    if (!origin_) origin_ = begin;
    double at = std::max(0.0, (begin - *origin_).base());
    const double end = at + time.base();
    while (end > width_ * real(most)) halve();
    Load each = load;
    each.tokens /= time.base();
    while (at < end) {
      auto i = static_cast<size_t>(at / width_);
      if (width_ * (real(i) + 1) <= at) ++i;  // what is at an end may round to before it
      i = std::min(i, most - 1);
      const double until = i == most - 1 ? end : std::min(end, width_ * (real(i) + 1));
      sums_[i].add(each, until - at);
      used_ = std::max(used_, i + 1);
      at = until;
    }
  }

  [[nodiscard]] size_t size() const { return used_; }
  /// When the first interval begins; the others are told from there on.
  [[nodiscard]] Seconds origin() const { return origin_.value_or(Seconds(0)); }
  [[nodiscard]] Seconds begin(size_t i) const { return Seconds(real(i) * width_); }
  /// The mean of an interval; tokens a second. `each`: of so many intervals as one.
  [[nodiscard]] Load at(size_t i, size_t each = 1) const {
    Load mean;
    for (size_t k = i * each; k < std::min((i + 1) * each, most); ++k)
      mean.add(sums_[k], 1 / (real(each) * width_));
    return mean;
  }

 private:
  static double real(size_t count) { return static_cast<double>(count); }

  void halve() {
    for (size_t i = 0; i < most / 2; ++i) {
      sums_[i] = sums_[2 * i];
      sums_[i].add(sums_[2 * i + 1], 1);
    }
    std::fill(sums_.begin() + most / 2, sums_.end(), Load{});
    used_ = (used_ + 1) / 2;
    width_ *= 2;
  }

  std::vector<Load> sums_ = std::vector<Load>(most);
  std::optional<Seconds> origin_;
  double width_ = 1e-3;
  size_t used_ = 0;
};

}  // namespace afford
