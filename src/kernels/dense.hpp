#pragma once
// Dense products: many tokens through one weight matrix, or a shard of it.

#include <optional>

#include "kernels/dense_curve.hpp"

namespace afford {

/// Numbers between two kernels.
inline constexpr Dtype between_kernels = Dtype::bf16;

/// `kernels` equal products (rows x inputs) (inputs x outputs).
struct DenseProduct {
  std::string_view name;
  double rows = 0, inputs = 0, outputs = 0;
  Dtype weights = Dtype::bf16, compute = Dtype::bf16;
  Bytes activations;  // in and out, each moved once
  double kernels = 1;
};

/// On the measured curve of dense products where there is one; else on the roofline at the engine's
/// fractions, computing one tile of rows at least (what partly filled tiles waste beyond the first
/// is in the fractions).
[[nodiscard]] Op dense(const DenseProduct& product, const Machine& machine);

/// Rows a GEMM computes: one tile at least.
[[nodiscard]] inline double computed_rows(double rows, double tile) { return std::max(rows, tile); }

/// The format a dense product computes in on this machine, and its curve.
struct DenseCurve {
  Dtype compute;
  const OperationCurve* curve;
};
[[nodiscard]] DenseCurve dense_curve(Dtype wanted, const Machine& machine);

/// A dense product on one machine at one number of rows after another. Rows and activations of the
/// product are not looked at; the machine is the same every time.
class DenseKernel {
 public:
  DenseKernel(const DenseProduct& product, const Machine& machine);
  /// dense() of it.
  [[nodiscard]] Op op(double rows, Bytes activations, const Machine& machine);
  /// Its time alone.
  [[nodiscard]] Seconds time(double rows, Bytes activations, const Machine& machine) {
    return on_curve_ ? machine.dense * on_curve_->time(rows, activations)
                     : machine.dense * timed(totals(rows, activations), reached_, machine).time;
  }

 private:
  [[nodiscard]] Op totals(double rows, Bytes activations) const {
    Op op{.name = name_, .kernels = kernels_};
    op.flops = Flops(2 * weights_ * computed_rows(rows, tile_));
    op.weights = bytes_;
    op.activations = activations;
    return op;
  }

  std::string_view name_;
  double kernels_, weights_, tile_;
  Bytes bytes_;
  Reached reached_;
  std::optional<DenseOnCurve> on_curve_;
};

}  // namespace afford
