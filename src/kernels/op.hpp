#pragma once
// One operation of a decode step on one accelerator: what it moves and computes, how long it takes
// and what binds it. Op lists have a fixed capacity, so that a search can evaluate millions of
// deployments without touching the heap.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "calibration/chip_timing.hpp"
#include "kernels/formats.hpp"
#include "spec/engine.hpp"
#include "spec/hardware.hpp"

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
};

class OpList {
 public:
  void add(const Op& op) {
    if (size_ < ops_.size()) ops_[size_++] = op;
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

/// The time of an OpList without the list, summed in the same order: what a search needs of a
/// stage.
class OpTime {
 public:
  void add(const Op& op) { sum_ += op.hidden ? Seconds(0) : op.time; }
  [[nodiscard]] Seconds time() const { return sum_; }

 private:
  Seconds sum_;
};

/// What one accelerator can do, under the engine that runs on it.
struct Machine {
  const HardwareSpec* chip = nullptr;
  const Engine* engine = nullptr;
  const ChipTiming* measured = nullptr;  // a calibration; null: the engine's fractions stand
  /// Where in the interval of a calibrated curve a time is taken: 0 as fitted, -1 its fast and +1
  /// its slow end.
  double residual = 0;
  ByteRate memory, scale_up;

  Machine(const HardwareSpec& hardware, const Engine& running, double at_residual = 0)
      : chip(&hardware),
        engine(&running),
        measured(hardware.measured.get()),
        residual(at_residual),
        memory(hardware.memory_bandwidth.value),
        scale_up(hardware.scale_up_bandwidth.value) {}

  [[nodiscard]] FlopRate peak(Dtype wanted) const {
    return find_peak(*chip, compute_format(*chip, wanted))->rate.value;
  }
};

/// The longest of compute, memory and L2 time plus the start of its kernels; fills time and bound.
/// Weights and cache come from memory; the activations of a decode micro-batch, a few tens of MB,
/// stay in L2, which is at least twice as fast (5.5 to 8 TB/s are reported on Hopper).
[[nodiscard]] inline Op timed(Op op, FlopRate compute, ByteRate memory, Seconds kernel) {
  const Seconds by_compute = op.flops / compute;
  const Seconds by_memory =
      std::max((op.weights + op.cache) / memory, op.activations / (2 * memory));
  const Seconds overhead = op.kernels * kernel, work = std::max(by_compute, by_memory);
  op.time = work + overhead;
  op.bound = overhead > work          ? Limit::overhead
             : by_compute > by_memory ? Limit::compute
                                      : Limit::memory;
  return op;
}

/// The time of a calibrated operation: `op` holds the totals of `op.kernels` equal kernels of
/// `work` each.
[[nodiscard]] inline Op timed(Op op, const OperationCurve& curve, const OperationWork& work,
                              double tensor, const Machine& machine) {
  const OperationRoofs roofs{machine.measured->read, tensor};
  const OperationParts parts = operation_parts(curve, work, roofs);
  const double each = operation_seconds(curve, parts, work);
  op.time = Seconds(op.kernels * each * (1 + machine.residual * half_width(curve)));
  const bool computes = parts.computing > parts.reading;
  op.bound = 2 * std::max(parts.reading, parts.computing) < each ? Limit::overhead
             : computes                                          ? Limit::compute
                                                                 : Limit::memory;
  op.beyond =
      computes ? !curve.compute.covers(work.compute_size) : !curve.memory.covers(work.memory_size);
  return op;
}

/// What reading `activations` from L2 amounts to in bytes of device memory.
[[nodiscard]] inline double from_l2(Bytes activations, const ChipTiming& chip) {
  return chip.l2 > 0 ? activations.base() * std::min(1.0, chip.read / chip.l2)
                     : activations.base() / 2;
}

}  // namespace afford
