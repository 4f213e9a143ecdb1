#pragma once
// What the measuring loop sees of a kernel: something to enqueue, what it moves and computes, and
// whether its answer is right.

#include <cuda_runtime_api.h>

#include <string>
#include <vector>

namespace afford::calibrate {

enum class Precision { bf16, fp8 };

/// One operation on data of its own, in `copies` independent sets of inputs, so that a graph of
/// many calls finds none of its data in the L2 cache.
class Work {
 public:
  Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual ~Work() = default;

  /// Puts one call on input set `copy` into the stream. Takes no memory, does not synchronise, and
  /// can be captured in a graph.
  virtual void enqueue(cudaStream_t stream, int copy) = 0;
  /// Runs on poisoned outputs (NaN bytes) and returns |out - reference| / |reference| over the
  /// outputs checked; a missing or non-finite element makes it infinite. The reference is a plain
  /// kernel in FP32 or FP64.
  virtual double error() = 0;

  std::string kernel =
      "afford";  // which kernel: ours, with its tile where that varies, or "cublaslt"
  int copies = 1;
  double bytes = 0;         // fewest bytes one call must move through device memory
  double flops = 0;         // useful floating-point operations of one call
  double padded_flops = 0;  // those the tensor cores execute
  double tolerance = 1e-2;  // largest error accepted
};

}  // namespace afford::calibrate
