#pragma once
// Dense projections through cuBLASLt: y[m x n] = alpha x[m x k] W, both operands row by row over k
// ("TN"), BF16 out. Also as a batch over heads, which MLA's absorbed projections are.

#include <cuda_bf16.h>

#include <memory>

#include "cublaslt.hpp"
#include "device.hpp"
#include "work.hpp"

namespace afford::calibrate {

struct DenseCase {
  Precision precision = Precision::bf16;
  bool block_scales = false;  // of FP8: 1 x 128 of x, 128 x 128 of W, as models are published
  int m = 1, n = 0, k = 0;    // n and k multiples of 16
  // x [m][heads][x_width], of which the first k count; W [heads][n][k]; y [m][heads][y_width].
  int heads = 1, x_width = 0, y_width = 0;  // widths: 0 is k, n
  float alpha = 1;
  unsigned seed = 1;
  int copies = 0;  // sets of weights; 0: enough that none stays in the L2 cache
};

/// Operands of one input set, on the device.
struct DenseBuffers {
  void* x = nullptr;
  float* x_scales = nullptr;  // [k / 128][scale_stride] with block scales, else null
  int scale_stride = 0;       // m, up to a multiple of four with block scales
  const void* w = nullptr;
  const float* w_scales = nullptr;  // [n / 128][k / 128, up to a multiple of four]
  __nv_bfloat16* y = nullptr;
};

/// A projection that can run in several ways.
class Dense : public Work {
 public:
  /// How many algorithms the library's heuristic offers; at least one.
  [[nodiscard]] virtual int candidates() const = 0;
  /// The algorithm of the next calls; the first one until then. False: it does not run.
  virtual bool choose(int candidate) = 0;
  [[nodiscard]] virtual DenseBuffers buffers(int copy) = 0;
  /// As enqueue(), on an x or y (null: its own) laid out alike.
  virtual void enqueue_between(cudaStream_t stream, int copy, const void* x, void* y) = 0;
  /// A plain FP32 kernel's y [row][heads][n] of x [row][heads][k], which is on the device.
  [[nodiscard]] virtual std::vector<float> reference(int copy, const DeviceArray<float>& x) = 0;
};

/// FP8 is e4m3: with block scales and sums in FP32, else with unit scales and fast accumulation.
/// `lt` outlives the result. Throws CudaError.
[[nodiscard]] std::unique_ptr<Dense> make_dense(const CublasLt& lt, const DenseCase& dense);

}  // namespace afford::calibrate
