#pragma once
// The modules of one decoded token, layer kind by layer kind: the detailed view behind the totals.

#include <string>
#include <vector>

#include "spec/matrix.hpp"
#include "spec/model.hpp"
#include "units.hpp"

namespace afford {

/// One module of one layer (or of the whole model, layers = 1) for one token alone in its batch.
struct ModuleCount {
  std::string layer_kind;  // "mfa/moe", "model"
  std::string module;      // "projections", "core", "router", "ffn", "embedding", "lm_head"
  std::int64_t layers = 1;
  FlopsPerToken flops;
  Bytes weights;  // read once a step, whatever the batch (experts: those the token visits)
  BytesPerToken cache_read, cache_written;  // KV cache or state
  BytesPerToken activations;  // inputs at the compute format, outputs at BF16, each moved once
};

/// Every module at `context`. The sums of core, projections and ffn are those of count_at().
[[nodiscard]] std::vector<ModuleCount> count_modules(const ModelSpec& model, Convention convention,
                                                     double context);

}  // namespace afford
