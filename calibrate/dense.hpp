#pragma once
// Dense projections through cuBLASLt: y[m x n] = x[m x k] W, both operands row by row over k
// ("TN"), BF16 out.

#include <memory>

#include "cublaslt.hpp"
#include "work.hpp"

namespace afford::calibrate {

struct DenseCase {
  Precision precision = Precision::bf16;
  int m = 1, n = 0, k = 0;  // n and k multiples of 16
  unsigned seed = 1;
};

/// A projection that can run in several ways.
class Dense : public Work {
 public:
  /// How many algorithms the library's heuristic offers; at least one.
  [[nodiscard]] virtual int candidates() const = 0;
  /// The algorithm of the next calls; the first one until then. False: it does not run.
  virtual bool choose(int candidate) = 0;
};

/// FP8 is e4m3 with unit scales and fast accumulation. `lt` outlives the result. Throws CudaError.
[[nodiscard]] std::unique_ptr<Dense> make_dense(const CublasLt& lt, const DenseCase& dense);

}  // namespace afford::calibrate
