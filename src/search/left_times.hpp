#pragma once
// FFN times that the units of a family leave, in one ring of a search, to those in the next.

#include <mutex>
#include <utility>
#include <vector>

#include "search/ffn_times.hpp"

namespace afford {

/// For several threads at once; of two that leave those of one family the later stays.
class LeftTimes {
 public:
  using Times = std::vector<FfnTimes>;

  explicit LeftTimes(size_t families) : left_(families) {}
  /// Empty where none are left.
  [[nodiscard]] Times take(size_t family) {
    const std::lock_guard lock(mutex_);
    return std::exchange(left_[family], {});
  }
  void leave(size_t family, Times times) {
    const std::lock_guard lock(mutex_);
    left_[family] = std::move(times);
  }

 private:
  std::mutex mutex_;
  std::vector<Times> left_;
};

}  // namespace afford
