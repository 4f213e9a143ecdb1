#pragma once
// Dense products: many tokens through one weight matrix, or a shard of it.

#include "kernels/machine.hpp"

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

/// Gives a measured dense product its time: `op` holds the totals of its kernels.
void time_on_dense_curve(Op& op, const DenseProduct& product, const OperationCurve& curve,
                         const Machine& machine);

/// The format a dense product computes in on this machine, and its curve.
struct DenseCurve {
  Dtype compute;
  const OperationCurve* curve;
};
[[nodiscard]] DenseCurve dense_curve(Dtype wanted, const Machine& machine);

}  // namespace afford
