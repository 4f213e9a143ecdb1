#pragma once
// How long sending what a prompt of so many tokens leaves behind takes.

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "units.hpp"

namespace afford {

/// The time up to a token, linear between multiples of 64 tokens, each worked out when it is first
/// needed.
class PromptTable {
 public:
  using Evaluate = std::function<Seconds(double tokens)>;
  explicit PromptTable(Evaluate evaluate) : evaluate_(std::move(evaluate)) {}

  [[nodiscard]] Seconds up_to(double tokens) {
    const double at = tokens / stride, below = std::floor(at);
    const Seconds low = node(static_cast<size_t>(below));
    if (at == below) return low;
    return low + (at - below) * (node(static_cast<size_t>(below) + 1) - low);
  }

 private:
  static constexpr double stride = 64;

  [[nodiscard]] Seconds node(size_t i) {
    if (i == 0) return Seconds(0);
    if (i >= nodes_.size()) nodes_.resize(i + 1, unknown);
    if (nodes_[i] < Seconds(0)) nodes_[i] = evaluate_(static_cast<double>(i) * stride);
    return nodes_[i];
  }

  static constexpr Seconds unknown{-1};
  Evaluate evaluate_;
  std::vector<Seconds> nodes_;
};

}  // namespace afford
