#pragma once
// A calibration as one chip uses it: the chip it was measured on, or one of the same architecture
// with roofs of its own.

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "calibration/operation_time.hpp"
#include "spec/engine.hpp"
#include "spec/hardware.hpp"
#include "spec/operation_class.hpp"

namespace afford {

/// Roofs in B/s and FLOP/s, curves by class, all looked up once so that an evaluation needs no
/// search.
struct ChipTiming {
  std::shared_ptr<const Calibration> calibration;
  std::shared_ptr<const Engine> kernels;  // whose times the curves are: their tiles count
  bool transferred = false, without_experts = false;
  double sms = 0;
  double read = 0, l2 = 0, bf16 = 0, fp8 = 0;
  double small_kernel = 0;  // seconds of a kernel that moves next to nothing, as a graph node

  struct ByPrecision {
    const OperationCurve *bf16 = nullptr, *fp8 = nullptr;
    const OperationCurve* fp8_cache = nullptr;  // read in FP8, multiplied in BF16
  };
  std::array<ByPrecision, operation_classes.size()> curves;  // into own_curves
  std::vector<OperationCurve> own_curves;  // the calibration's, carried over to this chip
  /// Of another chip: lends the curves of prompts, and of an FP8 cache of MLA, that the calibration
  /// lacks.
  std::shared_ptr<const ChipTiming> lender;

  /// The curve of a class for operands of `dtype` that are multiplied in `compute`: FP8 and
  /// narrower formats stream like FP8, wider ones like BF16. A kernel that widens FP8 operands
  /// serves products in BF16 alone, and before one that multiplies in FP8. Null when it was not
  /// measured.
  [[nodiscard]] const OperationCurve* find(OperationClass operation, Dtype dtype,
                                           Dtype compute) const {
    if (operation == OperationClass::none) return nullptr;
    const ByPrecision& all = curves[static_cast<std::size_t>(operation)];
    if (is_wide(dtype)) return all.bf16;
    return all.fp8_cache != nullptr && is_wide(compute) ? all.fp8_cache : all.fp8;
  }
  /// For operands that are multiplied as they are stored.
  [[nodiscard]] const OperationCurve* find(OperationClass operation, Dtype dtype) const {
    return find(operation, dtype, dtype);
  }
  [[nodiscard]] double tensor(Dtype dtype) const { return is_wide(dtype) ? bf16 : fp8; }

 private:
  [[nodiscard]] static bool is_wide(Dtype dtype) { return bits_of(dtype) > 8.5; }
};

/// A calibration with the chip it was measured on, as its data sheet has it, and the engine whose
/// kernels ran.
struct MeasuredChip {
  std::shared_ptr<const Calibration> calibration;
  HardwareSpec chip;
  std::shared_ptr<const Engine> kernels;
};

/// `target` on what was measured (on the same chip or another). The read roof
/// keeps its fraction of pin_bandwidth(); fixed times stay. L2 goes with the bus of the memory,
/// whose every controller has slices of it (H200 over H100: 1.17 measured, 6144 over 5120 bits),
/// and with fewer SMs as far as they ask for less. The
/// tensor roof keeps its efficiency a clock, and its clock as far as power allows: a chip with more
/// watts for each peak FLOP/s than the measured one comes nearer to the clock of its data sheet.
/// What keeps an operation from a roof (latency, shared memory, softmax, scaling) takes an SM as
/// long on either chip, so a fraction f of the measured chip becomes
///   1/f' = 1 + (1/f - 1) * (roof an SM of target) / (roof an SM of measured).
/// Null when the architectures differ or the SM count of `target` is unknown. Without `experts`
/// another chip than the measured one takes no curve for grouped GEMMs. `lender`: the same target
/// by another calibration, of which it takes what it lacks of those (may be null).
[[nodiscard]] std::shared_ptr<const ChipTiming> chip_timing(
    const MeasuredChip& measured, const HardwareSpec& target, bool experts = true,
    std::shared_ptr<const ChipTiming> lender = nullptr);

/// Whether it has a curve of any prefill kernel, its own or lent.
[[nodiscard]] bool has_prompts(const ChipTiming& timing);

/// Whether `from` has curves that `timing` lacks and that carry over between chips alike in tensor
/// cores: of prompts, and of MLA over an FP8 cache.
[[nodiscard]] bool could_lend(const ChipTiming& from, const ChipTiming& timing);
/// Whether its curves of prompts are another chip's.
[[nodiscard]] bool borrows_prompts(const ChipTiming& timing);

/// "calibrated (h200, 2026-11-24)", "calibrated (h100, 2026-11-26, links of 2 and 4 GPUs)",
/// "transferred from h200 (2026-11-24)" (with " except experts"
/// where their curve is left out) or "roofline".
[[nodiscard]] std::string fidelity_of(const HardwareSpec& chip);

/// The half width of a prediction's interval: the error 9 of 10 left-out points stay within.
[[nodiscard]] inline double half_width(const OperationCurve& curve) { return curve.error.p90; }

}  // namespace afford
