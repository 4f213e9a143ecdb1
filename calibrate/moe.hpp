#pragma once
// Expert feed-forward networks of a mixture of experts on one GPU: gate and up projections, SwiGLU,
// down projection, each a grouped matrix product over the experts that have tokens.

#include <memory>
#include <optional>
#include <vector>

#include "device.hpp"
#include "moe_plan.hpp"
#include "work.hpp"

namespace afford::calibrate {

enum class MoePart { ffn, gate_up, down };

struct MoeCase {
  Precision precision = Precision::fp8;
  int hidden = 7168;        // a multiple of 128
  int intermediate = 2048;  // of one expert (of this shard); a multiple of 64
  std::vector<int>
      tokens;  // routed copies of each expert, zeros allowed, at least one token in all
  MoePart part = MoePart::ffn;  // gate_up ends after SwiGLU (and its quantisation)
  unsigned seed = 1;
  std::optional<MoeTiling> tiling;  // instead of the kernel's own choice
  int copies = 0;                   // sets of weights; 0: enough that none stays in the L2 cache
};

/// Tokens on the device, packed expert by expert.
struct ExpertBuffers {
  void* input = nullptr;          // [row][hidden]
  float* input_scales = nullptr;  // FP8: [hidden / 128][scale_stride]
  int scale_stride = 0;
  __nv_bfloat16* output = nullptr;  // [row][hidden], of the last call on any set
};

/// Expert networks whose operands other kernels can write, for several routings of the tokens.
class Experts : public Work {
 public:
  /// Prepares calls with so many tokens of each expert, no more in all than those of the case.
  /// Plan 0 is the case's own. Takes memory.
  [[nodiscard]] virtual int add_plan(const std::vector<int>& tokens) = 0;
  virtual void enqueue_plan(cudaStream_t stream, int copy, int plan) = 0;
  [[nodiscard]] virtual ExpertBuffers buffers(int copy) = 0;
  /// A plain FP32 kernel's output [i][hidden] of expert experts[i] on inputs [i][hidden], which are
  /// on the device. Of a whole network.
  [[nodiscard]] virtual std::vector<float> reference(int copy, const std::vector<int>& experts,
                                                     const DeviceArray<float>& inputs) = 0;
};

/// FP8 is e4m3 with scales of 128 x 128 blocks of the weights and of 1 x 128 of activations, and
/// sums in FP32 after every 128 of K. Its last block of K is read whole, so an intermediate size
/// that is no multiple of 128 costs its padding in the down projection. Tokens are packed expert by
/// expert. Output: BF16 [token][hidden], of gate_up [token][intermediate] in the precision of the
/// case. Throws CudaError, also when memory is short.
[[nodiscard]] std::unique_ptr<Experts> make_moe(const MoeCase& moe);

}  // namespace afford::calibrate
