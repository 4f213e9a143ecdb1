#pragma once
// Expert feed-forward networks of a mixture of experts on one GPU: gate and up projections, SwiGLU,
// down projection, each a grouped matrix product over the experts that have tokens.

#include <memory>
#include <optional>
#include <vector>

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
};

/// FP8 is e4m3 with scales of 128 x 128 blocks of the weights and of 1 x 128 of activations, and
/// sums in FP32 after every 128 of K. Its last block of K is read whole, so an intermediate size
/// that is no multiple of 128 costs its padding in the down projection. Tokens are packed expert by
/// expert. Output: BF16 [token][hidden], of gate_up [token][intermediate] in the precision of the
/// case. Throws CudaError, also when memory is short.
[[nodiscard]] std::unique_ptr<Work> make_moe(const MoeCase& moe);

}  // namespace afford::calibrate
