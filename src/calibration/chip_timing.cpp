#include "calibration/chip_timing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace afford {
namespace {

double peak_of(const HardwareSpec& chip, Dtype dtype) {
  const Peak* peak = find_peak(chip, dtype);
  return peak == nullptr ? 0 : peak->rate.value.base();
}

/// The tensor roof of `target`. On the measured chip it is what was measured. The clock of a data
/// sheet's peak follows from it: peak = SMs * FLOPs a clock and SM * clock.
double tensor_roof(const TensorRoof& roof, Dtype dtype, const HardwareSpec& measured,
                   const HardwareSpec& target) {
  const double peak = peak_of(measured, dtype), wanted = peak_of(target, dtype);
  if (!(roof.rate.base() > 0) || peak == 0 || wanted == 0) return 0;
  const double fraction = roof.rate.base() / peak;
  if (measured.name == target.name || !(roof.sm_clock_mhz > 0)) return fraction * wanted;
  // wgmma on Hopper: 1024 BF16 or 2048 FP8 products and sums a clock and SM (H100 white paper: 989
  // TFLOP/s on 132 SMs at 1.83 GHz).
  const double flops_a_clock = dtype == Dtype::bf16 ? 4096 : 8192;
  const double data_sheet_clock =
      peak / (static_cast<double>(measured.multiprocessors.value) * flops_a_clock);
  const double clock = roof.sm_clock_mhz * 1e6 / data_sheet_clock;
  if (clock >= 1) return fraction * wanted;
  const double watts_a_flop = measured.power.value.base() / peak;
  const double own_watts_a_flop = target.power.value.base() / wanted;
  const double own_clock = std::min(1.0, clock * own_watts_a_flop / watts_a_flop);
  return fraction / clock * own_clock * wanted;
}

/// The L2 rate of `target` over that of `measured`; by SMs where a bus is not stated.
double l2_ratio(const HardwareSpec& measured, const HardwareSpec& target) {
  const double sms = static_cast<double>(target.multiprocessors.value) /
                     static_cast<double>(measured.multiprocessors.value);
  if (!measured.bus_width.stated() || !target.bus_width.stated()) return sms;
  const double bus =
      static_cast<double>(target.bus_width.value) / static_cast<double>(measured.bus_width.value);
  return sms < 1 ? std::min(sms, bus) : bus;
}

/// Fractions of the roofs of a chip whose roof an SM is `ratio` times that of the measured one.
void carry_over(Curve& curve, double ratio) {
  for (double& f : curve.fraction) {
    if (f < 1) f = 1 / (1 + (1 / f - 1) * ratio);
  }
}

/// The curves of `c` on the roofs of `timing`.
void add_curves(ChipTiming& timing, const Calibration& c) {
  const double sms = timing.sms / static_cast<double>(c.provenance.multiprocessors);
  timing.own_curves = c.curves;
  for (OperationCurve& curve : timing.own_curves) {
    const bool bf16 = row_of(curve.precision).tensor == Dtype::bf16;
    const double own = bf16 ? timing.bf16 : timing.fp8;
    const double tensor = own / tensor_roof(c, curve.precision).rate.base();
    carry_over(curve.memory, timing.read / c.read.rate.base() / sms);
    if (tensor > 0) carry_over(curve.compute, tensor / sms);
    curve.rising = curve.memory.is_rising() && curve.compute.is_rising();
    if (curve.operation == OperationClass::grouped_gemm && timing.without_experts) continue;
    ChipTiming::ByPrecision& all = timing.curves[static_cast<size_t>(curve.operation)];
    // FP8 with block scales is what models use; one scale a tensor stands in where it was not
    // measured.
    if (curve.precision == OperandPrecision::fp8_cache) {
      all.fp8_cache = &curve;
    } else if (bf16) {
      all.bf16 = &curve;
    } else if (curve.precision == OperandPrecision::fp8_128 || all.fp8 == nullptr) {
      all.fp8 = &curve;
    }
  }
}

bool is_of_prompts(OperationClass operation) {
  return row_of(operation).work == WorkKind::prefill_core;
}

const OperationCurve*& fp8_cache_of(ChipTiming& timing) {
  return timing.curves[static_cast<size_t>(OperationClass::mla_decode)].fp8_cache;
}
const OperationCurve* fp8_cache_of(const ChipTiming& timing) {
  return timing.curves[static_cast<size_t>(OperationClass::mla_decode)].fp8_cache;
}

void borrow(ChipTiming& timing, std::shared_ptr<const ChipTiming> lender) {
  if (lender == nullptr) return;
  if (fp8_cache_of(timing) == nullptr) fp8_cache_of(timing) = fp8_cache_of(*lender);
  const bool prompts = !has_prompts(timing);
  for (const OperationClassRow& row : operation_classes) {
    const auto at = static_cast<size_t>(row.operation);
    if (prompts && is_of_prompts(row.operation)) timing.curves[at] = lender->curves[at];
  }
  timing.lender = std::move(lender);
}

}  // namespace

bool has_prompts(const ChipTiming& timing) {
  return std::any_of(operation_classes.begin(), operation_classes.end(), [&](const auto& row) {
    return is_of_prompts(row.operation) &&
           timing.curves[static_cast<size_t>(row.operation)].bf16 != nullptr;
  });
}

bool could_lend(const ChipTiming& from, const ChipTiming& timing) {
  return (has_prompts(from) && !has_prompts(timing)) ||
         (fp8_cache_of(from) != nullptr && fp8_cache_of(timing) == nullptr);
}

bool borrows_prompts(const ChipTiming& timing) {
  return timing.lender != nullptr && has_prompts(*timing.lender) &&
         std::none_of(timing.own_curves.begin(), timing.own_curves.end(),
                      [](const OperationCurve& curve) { return is_of_prompts(curve.operation); });
}

std::shared_ptr<const ChipTiming> chip_timing(const MeasuredChip& of, const HardwareSpec& target,
                                              bool experts,
                                              std::shared_ptr<const ChipTiming> lender) {
  const Calibration& c = *of.calibration;
  const HardwareSpec& measured = of.chip;
  if (target.architecture.value != c.provenance.architecture || target.multiprocessors.value == 0)
    return nullptr;
  const auto made = std::make_shared<ChipTiming>();
  ChipTiming& timing = *made;
  timing.calibration = of.calibration;
  timing.kernels = of.kernels;
  timing.transferred = measured.name != target.name;
  timing.without_experts = timing.transferred && !experts;
  timing.sms = static_cast<double>(target.multiprocessors.value);
  timing.read = c.read.rate / pin_bandwidth(measured) * pin_bandwidth(target).base();
  timing.l2 = c.l2.rate.base() * l2_ratio(measured, target);
  timing.bf16 = tensor_roof(c.bf16, Dtype::bf16, measured, target);
  timing.fp8 = tensor_roof(c.fp8, Dtype::fp8, measured, target);
  timing.small_kernel = std::max(c.launch.graph, c.l2.start).base();
  add_curves(timing, c);
  borrow(timing, std::move(lender));
  return made;
}

namespace {

/// ", links of 2 and 4 GPUs"; "" where none were measured.
std::string links_text(const Links& links) {
  if (links.empty()) return "";
  return fmt::format(", links of {} GPUs", fmt::join(measured_counts(links), " and "));
}

}  // namespace

std::string fidelity_of(const HardwareSpec& chip) {
  if (chip.measured == nullptr) return "roofline";
  const Provenance& p = chip.measured->calibration->provenance;
  if (!chip.measured->transferred)
    return fmt::format("calibrated ({}, {}{})", p.chip, p.date,
                       links_text(chip.measured->calibration->links));
  return fmt::format("transferred from {} ({}){}", p.chip, p.date,
                     chip.measured->without_experts ? " except experts" : "");
}

}  // namespace afford
