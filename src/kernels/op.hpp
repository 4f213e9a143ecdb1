#pragma once
// One operation of a decode step on one accelerator: what it moves and computes, how long it takes
// and what binds it. Op lists have a fixed capacity, so that a search can evaluate millions of
// deployments without touching the heap.

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string_view>

#include "units.hpp"

namespace afford {

enum class Limit { overhead, compute, memory, scale_up, network };
[[nodiscard]] constexpr std::string_view name_of(Limit limit) {
  constexpr std::array<std::string_view, 5> names = {"overhead", "compute", "memory", "scale-up",
                                                     "network"};
  return names[static_cast<size_t>(limit)];
}

struct Op {
  std::string_view name;
  double kernels = 1;
  Flops flops;
  Bytes weights, cache, activations, moved;  // moved: over the scale-up fabric or the network
  Seconds time;
  Limit bound = Limit::overhead;
  bool hidden = false;  // overlapped with other work: takes no time of its stage
  bool beyond = false;  // outside the sizes its calibrated curve was measured at
  bool uncovered =
      false;             // at default efficiencies on a calibrated chip, which has no curve for it
  bool widened = false;  // on the curve of a kernel that reads FP8 and multiplies in BF16
};

class OpList {
 public:
  /// Throws std::length_error beyond its capacity.
  void add(const Op& op) {
    if (size_ == ops_.size())
      throw std::length_error("a stage of more operations than OpList holds");
    ops_[size_++] = op;
  }
  [[nodiscard]] const Op* begin() const { return ops_.data(); }
  [[nodiscard]] const Op* end() const { return ops_.data() + size_; }
  /// Time of the stage: all that is not hidden, one after another.
  [[nodiscard]] Seconds time() const {
    Seconds sum;
    for (const Op& op : *this) sum += op.hidden ? Seconds(0) : op.time;
    return sum;
  }

 private:
  std::array<Op, 32> ops_{};
  size_t size_ = 0;
};

}  // namespace afford
