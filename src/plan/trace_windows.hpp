#pragma once
// Where a trace is densest, found while it goes by.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "plan/workload.hpp"

namespace afford {

/// The densest window.
class DensestWindow {
 public:
  /// `at`: where the trace was before it.
  void add(double arrival_s, const LinePosition& at) {
    if (last_.empty()) start_ = at;
    if (last_.size() < most) {
      last_.push_back({arrival_s, at});
    } else {
      last_[next_] = {arrival_s, at};
    }
    next_ = next_ + 1 == most ? 0 : next_ + 1;
    if (last_.size() < most) return;
    const double span = arrival_s - last_[next_].arrival_s;  // the oldest
    if (span >= least_) return;
    least_ = span;
    start_ = last_[next_].at;
  }
  [[nodiscard]] TraceWindow window() const {
    return {.start = start_, .requests = static_cast<std::int64_t>(last_.size())};
  }

 private:
  static constexpr size_t most = 50'000;  // requests: some seconds of replay for a plan
  struct Arrival {
    double arrival_s = 0;
    LinePosition at;
  };
  std::vector<Arrival> last_;  // the last ones, in a ring
  size_t next_ = 0;            // where the next one goes
  LinePosition start_;
  double least_ = std::numeric_limits<double>::infinity();
};

/// The most requests of a minute, counted from the first request on.
class BusiestMinute {
 public:
  void add(double since_first_s) {
    const double minute = std::floor(since_first_s / seconds);
    if (minute != minute_) here_ = 0;
    minute_ = minute;
    most_ = std::max(most_, ++here_);
  }
  [[nodiscard]] double rate() const { return most_ / seconds; }

 private:
  static constexpr double seconds = 60;
  double minute_ = 0, here_ = 0, most_ = 0;
};

}  // namespace afford
