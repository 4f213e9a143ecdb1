#include "kernels/dense.hpp"

#include <algorithm>

#include "calibration/dense_work.hpp"

namespace afford {

DenseCurve dense_curve(Dtype wanted, const Machine& machine) {
  const Dtype compute = compute_format(*machine.chip, wanted);
  return {compute, machine.curve(OperationClass::dense, compute, compute)};
}

namespace {

/// A kernel's time on a curve by its rows, all else alike. on_curve() taken apart, so that each
/// part is worked out once: equal to it to the last bit.
class DenseTimes {
 public:
  /// It keeps the addresses. `gemm`: but for what its rows make of it; `weights`, `row`: bytes.
  DenseTimes(const OperationCurve& curve, const DenseGemm& gemm, double weights, double row)
      : curve_(curve), gemm_(gemm), cuts_(cuts_of(gemm)), weights_(weights), row_(row) {}
  void on(const Machine& machine, Dtype compute) {
    sms_ = machine.measured->sms;
    roofs_ = {machine.measured->read, machine.measured->tensor(compute)};
    start_ = machine.launches() ? curve_.start.base() : 0;
    fill_ = 1 + curve_.fill / gemm_.k;
  }

  [[nodiscard]] DenseTiles tiles(double rows) const { return chosen_tiles(rows, cuts_, sms_); }
  [[nodiscard]] OperationWork work(double rows, const DenseTiles& tiles) const {
    DenseGemm sized = gemm_;
    sized.m = rows;
    sized.bytes = weights_ + rows * row_;
    return work_of(sized, tiles, sms_);
  }
  [[nodiscard]] OperationParts at_rates(const OperationWork& work) const {
    return parts_at_rates(curve_, work, roofs_);
  }
  [[nodiscard]] OnCurve on_tiles(const OperationParts& at_rates, const DenseTiles& tiles) const {
    const OperationParts parts{at_rates.reading * (1 + curve_.idle_memory * tiles.idle),
                               at_rates.computing * (1 + curve_.idle_compute * tiles.idle) * fill_};
    return {parts, fixed(tiles.parts) + overlapped(parts.reading, parts.computing, curve_.overlap) -
                       start_};
  }

  /// An engine may pad its rows: more of them never take less time than these, which take
  /// `seconds_of_rows`. Mostly even without an idle SM, which is known before tiles are chosen, or
  /// before it is known how reading and computing overlap.
  [[nodiscard]] double padded_seconds(double rows, double seconds_of_rows) const {
    double best = seconds_of_rows;
    for (const double more : next_tiles(rows, gemm_.block_scaled)) {
      const OperationParts least = at_rates(work(more, none_idle));
      if (at_least(least) < best && rounding * on_tiles(least, none_idle).seconds < best) {
        best = std::min(best, on_tiles(least, tiles(more)).seconds);
      } else if (curve_.rising) {
        break;
      }
    }
    return best;
  }

 private:
  static constexpr DenseTiles none_idle{.idle = 0};
  static constexpr double rounding = 1 - 1e-12;

  [[nodiscard]] double fixed(double parts) const {
    return (curve_.start + (parts - 1) * curve_.split).base();
  }
  /// The longer of both parts takes its time, however they overlap.
  [[nodiscard]] double at_least(const OperationParts& least) const {
    return rounding * (fixed(1) + std::max(least.reading, least.computing * fill_) - start_);
  }

  const OperationCurve& curve_;
  DenseGemm gemm_;
  DenseCuts cuts_;
  double weights_, row_;
  double sms_ = 1, start_ = 0, fill_ = 1;
  OperationRoofs roofs_;
};

}  // namespace

void time_on_dense_curve(Op& op, const DenseProduct& product, const OperationCurve& curve,
                         const Machine& machine) {
  const Dtype compute = compute_format(*machine.chip, product.compute);
  // A measured time is that of the measured kernel, tile and all, unless the engine says otherwise.
  const DenseGemm gemm{.n = product.outputs,
                       .k = product.inputs,
                       .block_scaled = curve.precision == OperandPrecision::fp8_128 &&
                                       !machine.engine->tile_on_curves};
  const double rows = product.rows;
  DenseTimes times(curve, gemm, op.weights.base() / op.kernels,
                   from_l2(op.activations, *machine.measured) / op.kernels / (rows > 0 ? rows : 1));
  times.on(machine, compute);
  const DenseTiles tiles = times.tiles(rows);
  const OperationWork work = times.work(rows, tiles);
  const OnCurve as_asked = times.on_tiles(times.at_rates(work), tiles);
  take_time(op, curve, work, as_asked, machine);
  const double padded = times.padded_seconds(rows, as_asked.seconds);
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
