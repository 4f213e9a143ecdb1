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
  };
  std::array<ByPrecision, operation_classes.size()> curves;  // into own_curves
  std::vector<OperationCurve> own_curves;  // the calibration's, carried over to this chip
  /// Of another chip: lends the curves of prompts that the calibration lacks.
  std::shared_ptr<const ChipTiming> lender;

  /// The curve of a class for operands of `dtype`: FP8 and narrower formats stream like FP8, wider
  /// ones like BF16. Null when it was not measured.
  [[nodiscard]] const OperationCurve* find(OperationClass operation, Dtype dtype) const {
    if (operation == OperationClass::none) return nullptr;
    const ByPrecision& both = curves[static_cast<std::size_t>(operation)];
    return bits_of(dtype) > 8.5 ? both.bf16 : both.fp8;
  }
  [[nodiscard]] double tensor(Dtype dtype) const { return bits_of(dtype) > 8.5 ? bf16 : fp8; }
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
/// by another calibration, whose curves of prompts it takes (may be null).
[[nodiscard]] std::shared_ptr<const ChipTiming> chip_timing(
    const MeasuredChip& measured, const HardwareSpec& target, bool experts = true,
    std::shared_ptr<const ChipTiming> lender = nullptr);

/// Whether it has a curve of any prefill kernel, its own or lent.
[[nodiscard]] bool has_prompts(const ChipTiming& timing);

/// "calibrated (h200, 2026-11-24)", "calibrated (h100, 2026-11-26, links of 2 and 4 GPUs)",
/// "transferred from h200 (2026-11-24)" (with " except experts"
/// where their curve is left out) or "roofline".
[[nodiscard]] std::string fidelity_of(const HardwareSpec& chip);

/// The half width of a prediction's interval: the error 9 of 10 left-out points stay within.
[[nodiscard]] inline double half_width(const OperationCurve& curve) { return curve.error.p90; }

}  // namespace afford
