#pragma once
// FFN times that the units of a family leave to those that come after them: in the next ring of a
// search, or in a search at another context.

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "search/ffn_times.hpp"

namespace afford {

/// For several threads at once; of two that leave those of one family the later stays. What would
/// take more than some memory is not kept: it is made again.
class LeftTimes {
 public:
  using Times = std::vector<FfnTimes>;

  explicit LeftTimes(size_t most_bytes = size_t{16} << 20) : most_bytes_(most_bytes) {}

  /// Empty where none are left.
  [[nodiscard]] Times take(size_t family) {
    const std::lock_guard lock(mutex_);
    const auto at = left_.find(family);
    if (at == left_.end()) return {};
    Times times = std::move(at->second);
    left_.erase(at);
    bytes_ -= bytes_of(times);
    return times;
  }
  void leave(size_t family, Times times) {
    const size_t bytes = bytes_of(times);
    const std::lock_guard lock(mutex_);
    Times& known = left_[family];
    if (bytes_ - bytes_of(known) + bytes > most_bytes_) return;
    bytes_ += bytes - bytes_of(known);
    known = std::move(times);
  }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  [[nodiscard]] static size_t bytes_of(const Times& times) {
    size_t bytes = 0;
    for (const FfnTimes& each : times) bytes += each.bytes();
    return bytes;
  }

  std::mutex mutex_;
  size_t most_bytes_, bytes_ = 0;
  std::map<size_t, Times> left_;  // by family
};

}  // namespace afford
