#include "kernels/dense.hpp"

namespace afford {

DenseCurve dense_curve(Dtype wanted, const Machine& machine) {
  const Dtype compute = compute_format(*machine.chip, wanted);
  return {compute, machine.curve(OperationClass::dense, compute, compute)};
}

DenseKernel::DenseKernel(const DenseProduct& product, const Machine& machine)
    : name_(product.name),
      kernels_(product.kernels),
      weights_(product.kernels * product.inputs * product.outputs),
      tile_(machine.engine->gemm_tile),
      bytes_(size_of(product.weights, weights_)) {
  const DenseCurve measured = dense_curve(product.compute, machine);
  if (measured.curve != nullptr) {
    on_curve_.emplace(DenseMatrix{product.inputs, product.outputs, bytes_.base(), kernels_},
                      *measured.curve, measured.compute, machine);
  } else {
    const Engine& e = *machine.engine;
    reached_ = {e.gemm_compute * machine.peak(product.compute), e.gemm_memory * machine.memory};
  }
}

Op DenseKernel::op(double rows, Bytes activations, const Machine& machine) {
  Op op = totals(rows, activations);
  if (on_curve_) {
    on_curve_->fill(op, rows, machine);
  } else {
    op.uncovered = machine.measured != nullptr;
    op = timed(op, reached_, machine);
  }
  op.time = machine.dense * op.time;
  return op;
}

Op dense(const DenseProduct& product, const Machine& machine) {
  return DenseKernel(product, machine).op(product.rows, product.activations, machine);
}

}  // namespace afford
