#pragma once
// The ends of the model: embedding rows, the LM head and sampling.

#include "layer/stage_plan.hpp"
#include "spec/model.hpp"

namespace afford {

/// LM head (vocabulary sharded over the `instance` accelerators), embedding rows and sampling of
/// one micro-batch of `tokens` an accelerator.
[[nodiscard]] OpList head_ops(const ModelSpec& model, double tokens, std::int64_t instance,
                              const Machine& machine);
/// head_ops().time() at one number of tokens after another.
class HeadPlan {
 public:
  /// It keeps the address of the model.
  HeadPlan(const ModelSpec& model, std::int64_t instance) : model_(model), instance_(instance) {}
  /// The machine is the same every time.
  [[nodiscard]] Seconds time(double tokens, const Machine& machine);

 private:
  const ModelSpec& model_;
  std::int64_t instance_;
  PlannedStage stage_;
};
/// Once.
[[nodiscard]] Seconds head_time(const ModelSpec& model, double tokens, std::int64_t instance,
                                const Machine& machine);

}  // namespace afford
