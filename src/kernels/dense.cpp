#include "kernels/dense.hpp"

#include <algorithm>

#include "calibration/dense_work.hpp"

namespace afford {

DenseCurve dense_curve(Dtype wanted, const Machine& machine) {
  const Dtype compute = compute_format(*machine.chip, wanted);
  return {compute, machine.curve(OperationClass::dense, compute, compute)};
}

namespace {

/// A kernel's time on a curve by its rows, all else alike.
struct DenseTimes {
  const OperationCurve& curve;
  const Machine& machine;
  Dtype compute;
  double weights, row;  // bytes
  DenseGemm gemm;       // but for what its rows make of it
  DenseCuts cuts = cuts_of(gemm);

  [[nodiscard]] OperationWork work(double rows, const DenseTiles& tiles) const {
    DenseGemm sized = gemm;
    sized.m = rows;
    sized.bytes = weights + rows * row;
    return work_of(sized, tiles, machine.measured->sms);
  }
  [[nodiscard]] OperationWork work(double rows) const {
    return work(rows, chosen_tiles(rows, cuts, machine.measured->sms));
  }
  [[nodiscard]] double seconds(const OperationWork& work) const {
    return on_curve(curve, work, compute, machine).seconds;
  }
  /// What no tiles would undercut, but for rounding.
  [[nodiscard]] double least_seconds(double rows) const {
    constexpr double rounding = 1 - 1e-12;
    return rounding * seconds(work(rows, {.idle = 0}));
  }

  /// An engine may pad its rows: more of them never take less time than these, which take
  /// `seconds_of_rows`. Mostly even without an idle SM, which is known before tiles are chosen.
  [[nodiscard]] double padded_seconds(double rows, double seconds_of_rows) const {
    double best = seconds_of_rows;
    for (const double more : next_tiles(rows, gemm.block_scaled)) {
      if (least_seconds(more) < best) {
        best = std::min(best, seconds(work(more)));
      } else if (curve.rising) {
        break;
      }
    }
    return best;
  }
};

}  // namespace

void time_on_dense_curve(Op& op, const DenseProduct& product, const OperationCurve& curve,
                         const Machine& machine) {
  const ChipTiming& chip = *machine.measured;
  const DenseTimes times{
      .curve = curve,
      .machine = machine,
      .compute = compute_format(*machine.chip, product.compute),
      .weights = op.weights.base() / op.kernels,
      .row = from_l2(op.activations, chip) / op.kernels / (product.rows > 0 ? product.rows : 1),
      // A measured time is that of the measured kernel, tile and all, unless the engine says
      // otherwise.
      .gemm = {.n = product.outputs,
               .k = product.inputs,
               .block_scaled = curve.precision == OperandPrecision::fp8_128 &&
                               !machine.engine->tile_on_curves}};
  const OperationWork work = times.work(product.rows);
  const OnCurve as_asked = on_curve(curve, work, times.compute, machine);
  take_time(op, curve, work, as_asked, machine);
  const double padded = times.padded_seconds(product.rows, as_asked.seconds);
  op.time = Seconds(op.kernels * padded * in_interval(curve, machine));
}

namespace {

Op by_itself(const DenseProduct& product, const Machine& machine) {
  const Engine& e = *machine.engine;
  const double weights = product.kernels * product.inputs * product.outputs;
  Op op{.name = product.name, .kernels = product.kernels};
  op.flops = Flops(2 * weights * computed_rows(product.rows, e.gemm_tile));
  op.weights = size_of(product.weights, weights);
  op.activations = product.activations;
  if (const DenseCurve measured = dense_curve(product.compute, machine);
      measured.curve != nullptr) {
    time_on_dense_curve(op, product, *measured.curve, machine);
    return op;
  }
  op.uncovered = machine.measured != nullptr;
  return timed(op, {e.gemm_compute * machine.peak(product.compute), e.gemm_memory * machine.memory},
               machine);
}

}  // namespace

Op dense(const DenseProduct& product, const Machine& machine) {
  Op op = by_itself(product, machine);
  op.time = machine.dense * op.time;
  return op;
}

}  // namespace afford
