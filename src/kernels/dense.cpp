#include "kernels/dense.hpp"

#include <algorithm>

#include "calibration/dense_work.hpp"

namespace afford {

DenseCurve dense_curve(Dtype wanted, const Machine& machine) {
  const Dtype compute = compute_format(*machine.chip, wanted);
  return {compute, machine.curve(OperationClass::dense, compute, compute)};
}

Op on_dense_curve(Op op, const DenseProduct& product, const OperationCurve& curve,
                  const Machine& machine) {
  const ChipTiming& chip = *machine.measured;
  const double weights = op.weights.base() / op.kernels;
  const double row =
      from_l2(op.activations, chip) / op.kernels / (product.rows > 0 ? product.rows : 1);
  const Dtype compute = compute_format(*machine.chip, product.compute);
  // A measured time is that of the measured kernel, tile and all, unless the engine says otherwise.
  const bool block_scaled =
      curve.precision == OperandPrecision::fp8_128 && !machine.engine->tile_on_curves;
  const auto with = [&](double rows) {
    const DenseGemm gemm{.bytes = weights + rows * row,
                         .m = rows,
                         .n = product.outputs,
                         .k = product.inputs,
                         .block_scaled = block_scaled};
    return timed(op, curve, work_of(gemm, chip.sms), compute, machine);
  };
  Op best = with(product.rows);
  // An engine may pad its rows: more of them never take less time.
  for (const double rows : next_tiles(product.rows, block_scaled))
    best.time = std::min(best.time, with(rows).time);
  return best;
}

namespace {

Op by_itself(const DenseProduct& product, const Machine& machine) {
  const Engine& e = *machine.engine;
  const double weights = product.kernels * product.inputs * product.outputs;
  Op op{.name = product.name, .kernels = product.kernels};
  op.flops = Flops(2 * weights * computed_rows(product.rows, e.gemm_tile));
  op.weights = size_of(product.weights, weights);
  op.activations = product.activations;
  if (const DenseCurve measured = dense_curve(product.compute, machine); measured.curve != nullptr)
    return on_dense_curve(op, product, *measured.curve, machine);
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
