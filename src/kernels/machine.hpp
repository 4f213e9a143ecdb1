#pragma once
// What one accelerator can do: its chip, the engine that runs on it, and the timing measured on it,
// where there is one. And how long an operation takes there.

#include "calibration/chip_timing.hpp"
#include "kernels/formats.hpp"
#include "kernels/op.hpp"
#include "spec/engine.hpp"
#include "spec/hardware.hpp"

namespace afford {

/// What a kernel that reaches `share` of an H800's tensor peak reaches of another chip's: what
/// keeps it from the peak (softmax, shared memory, latency) takes an SM as long on either, as in
/// chip_timing(). An H20 comes to 0.86 where an H800 has 0.60, as FlashMLA is measured there.
[[nodiscard]] inline double share_on(const HardwareSpec& chip, double share) {
  constexpr double measured_on = 989e12 / 132;  // FLOP/s an SM
  const Peak* bf16 = find_peak(chip, Dtype::bf16);
  if (chip.multiprocessors.value == 0 || bf16 == nullptr) return share;
  const double each = bf16->rate.value.base() / real(chip.multiprocessors.value);
  return 1 / (1 + (1 / share - 1) * std::min(1.0, each / measured_on));
}

struct Machine {
  const HardwareSpec* chip = nullptr;
  const Engine* engine = nullptr;
  const ChipTiming* measured = nullptr;  // a calibration; null: the engine's fractions stand
  /// Where in the interval of a calibrated curve a time is taken: 0 as fitted, -1 its fast and +1
  /// its slow end.
  double residual = 0;
  ByteRate memory;
  /// Of each kernel that an engine launches, counted by layer; zero where none are, and every
  /// operation pays the `start` of its kernels instead.
  Seconds launch, start;
  // The engine's factors on the times of roofs and curves; on a core's curve on reading alone.
  double dense = 1, grouped = 1, narrow = 1, core = 1;
  double attention_compute = 1;  // share of the peak

  Machine(const HardwareSpec& hardware, const Engine& running, double at_residual = 0)
      : chip(&hardware),
        engine(&running),
        measured(hardware.measured.get()),
        residual(at_residual),
        memory(hardware.memory_bandwidth.value),
        start(running.kernel),
        attention_compute(running.attention_compute) {
    const EngineTime& time = running.time;
    const std::string_view architecture = hardware.architecture.value;
    launch = time.kernel.on(architecture);
    if (!launches()) return;
    start = Seconds(0);
    dense = time.dense.on(architecture);
    grouped = time.grouped.on(architecture);
    narrow = time.narrow.on(architecture);
    core = time.core.on(architecture);
    attention_compute = share_on(hardware, running.attention_compute / core);
  }

  /// It keeps the addresses: nothing that ends with the call.
  Machine(const HardwareSpec&, Engine&&, double = 0) = delete;
  Machine(HardwareSpec&&, const Engine&, double = 0) = delete;
  Machine(HardwareSpec&&, Engine&&, double = 0) = delete;

  [[nodiscard]] bool launches() const { return launch > Seconds(0); }

  [[nodiscard]] FlopRate peak(Dtype wanted) const {
    return find_peak(*chip, compute_format(*chip, wanted))->rate.value;
  }

  /// The measured curve of an operation class whose operands have `operands`, computing in
  /// `compute`. Null where it was not measured.
  [[nodiscard]] const OperationCurve* curve(OperationClass operation, Dtype operands,
                                            Dtype compute) const {
    if (measured == nullptr || !(measured->tensor(compute) > 0)) return nullptr;
    return measured->find(operation, operands, compute);
  }
};

/// What an operation reaches of its roofs.
struct Reached {
  FlopRate compute;
  ByteRate memory;
};

/// The longest of compute, memory and L2 time plus the start of its kernels; fills time and bound.
/// Weights and cache come from memory; the activations of a decode micro-batch, a few tens of MB,
/// stay in L2.
[[nodiscard]] inline Op timed(Op op, const Reached& reached, const Machine& machine) {
  const Seconds by_compute = op.flops / reached.compute;
  const Seconds by_memory =
      std::max((op.weights + op.cache) / reached.memory,
               op.activations / (machine.engine->l2_over_memory * reached.memory));
  const Seconds overhead = op.kernels * machine.start;
  const Seconds work = std::max(by_compute, by_memory);
  op.time = work + overhead;
  op.bound = overhead > work          ? Limit::overhead
             : by_compute > by_memory ? Limit::compute
                                      : Limit::memory;
  return op;
}

/// A kernel on its curve, which computes on the roof of `compute`: what reading and computing take,
/// and how long it takes in all. `reading`: a factor on what reading takes.
struct OnCurve {
  OperationParts parts;
  double seconds = 0;
};
[[nodiscard]] inline OnCurve on_curve(const OperationCurve& curve, const OperationWork& work,
                                      Dtype compute, const Machine& machine, double reading = 1) {
  const OperationRoofs roofs{machine.measured->read, machine.measured->tensor(compute)};
  OperationParts parts = operation_parts(curve, work, roofs);
  parts.reading *= reading;
  return {parts, operation_seconds(curve, parts, work) -
                     (machine.launches() ? start_of(curve, work).base() : 0)};
}

/// Where in the curve's interval times are taken.
[[nodiscard]] inline double in_interval(const OperationCurve& curve, const Machine& machine) {
  return 1 + machine.residual * half_width(curve);
}

/// Gives a calibrated operation its time and what binds it: `op` holds the totals of `op.kernels`
/// equal kernels of `work` each.
inline void take_time(Op& op, const OperationCurve& curve, const OperationWork& work,
                      const OnCurve& taken, const Machine& machine) {
  const auto& [parts, each] = taken;
  op.time = Seconds(op.kernels * each * in_interval(curve, machine));
  const bool computes = parts.computing > parts.reading;
  op.bound = 2 * std::max(parts.reading, parts.computing) < each ? Limit::overhead
             : computes                                          ? Limit::compute
                                                                 : Limit::memory;
  op.beyond =
      computes ? !curve.compute.covers(work.compute_size) : !curve.memory.covers(work.memory_size);
}
[[nodiscard]] inline Op timed(Op op, const OperationCurve& curve, const OperationWork& work,
                              Dtype compute, const Machine& machine, double reading = 1) {
  take_time(op, curve, work, on_curve(curve, work, compute, machine, reading), machine);
  return op;
}

/// What reading from L2 amounts to in bytes of device memory, of those read.
[[nodiscard]] inline double l2_share(const ChipTiming& chip) {
  return chip.l2 > 0 ? std::min(1.0, chip.read / chip.l2) : 0.5;
}
[[nodiscard]] inline double from_l2(Bytes activations, const ChipTiming& chip) {
  return activations.base() * l2_share(chip);
}

}  // namespace afford
