#pragma once
// Quantiles of as many values as there are, in memory that does not grow with them.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace afford {

/// Weighted values of at least 0 in bins of 1 %, from 1e-6 to 1e9; smaller ones are zero.
class Histogram {
 public:
  void add(double value, double weight = 1) {
    if (!(weight > 0)) return;
    bins_[bin_of(value)] += weight;
    weight_ += weight;
    sum_ += weight * value;
    least_ = std::min(least_, value);
    most_ = std::max(most_, value);
  }
  void add(const Histogram& other) {
    for (size_t i = 0; i < count; ++i) bins_[i] += other.bins_[i];
    weight_ += other.weight_;
    sum_ += other.sum_;
    least_ = std::min(least_, other.least_);
    most_ = std::max(most_, other.most_);
  }

  /// The value that this share of the weight does not exceed, within 0.5 %; 0 of nothing.
  [[nodiscard]] double quantile(double share) const {
    if (weight_ == 0) return 0;
    double seen = 0;
    for (size_t i = 0; i < bins_.size(); ++i) {
      seen += bins_[i];
      if (seen > 0 && seen >= share * weight_) return std::clamp(middle_of(i), least_, most_);
    }
    return most_;
  }
  /// The share of the weight that does not exceed a value, its own bin counted whole.
  [[nodiscard]] double share_up_to(double value) const {
    if (weight_ == 0) return 0;
    double seen = 0;
    for (size_t i = 0; i <= bin_of(value); ++i) seen += bins_[i];
    return seen / weight_;
  }
  [[nodiscard]] double mean() const { return weight_ == 0 ? 0 : sum_ / weight_; }
  [[nodiscard]] double most() const { return most_; }
  [[nodiscard]] double weight() const { return weight_; }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  static constexpr double least_value = 1e-6, ratio = 1.01;
  static constexpr size_t count = 3480;  // 1.01^3478 = 1e15

  static size_t bin_of(double value) {
    if (!(value >= least_value)) return 0;
    const auto bin = static_cast<size_t>(std::log(value / least_value) / std::log(ratio));
    return std::min(bin + 1, count - 1);
  }
  static double middle_of(size_t bin) {
    return bin == 0 ? 0 : least_value * std::pow(ratio, static_cast<double>(bin) - 0.5);
  }

  std::array<double, count> bins_{};
  double weight_ = 0, sum_ = 0, most_ = 0;
  double least_ = std::numeric_limits<double>::infinity();
};

}  // namespace afford
