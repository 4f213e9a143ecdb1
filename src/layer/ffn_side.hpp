#pragma once
// The FFN side of one layer on one accelerator, and what travels between the sides.

#include "layer/attention_side.hpp"
#include "layer/experts.hpp"

namespace afford {

/// Shared experts run inside the grouped GEMM's kernels, or are left to shared_ops().
enum class SharedExperts { fused, apart };

struct FfnWork {
  double tokens = 0;          // that enter the instance (or, co-located, the accelerator's group),
                              // and reach the groups together
  std::int64_t instance = 1;  // accelerators that gather and scatter together
  std::int64_t tensor = 1;    // ways one expert is sharded
  std::int64_t groups = 1;    // expert groups (EP ways) over all instances
  std::int64_t redundant = 0;
  const Routing* routing = nullptr;
  const Placement* placement = nullptr;  // that of the routing, where it is known; null: made anew
  double balance = 1;                    // the busiest group has at least so many times the mean
  Overlap overlap = Overlap::all_gather;
  bool collectives = true;  // all-gather in, reduce-scatter out
  SharedExperts shared = SharedExperts::fused;
  bool router = false;  // here: each accelerator routes the tokens it receives
};

/// Router, all-gather, gate-up GEMM, activation, down GEMM, shared experts, reduce-scatter of the
/// busiest group.
[[nodiscard]] OpList ffn_ops(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
                             const Machine& machine);
/// ffn_ops().time() at one number of tokens after another.
class FfnPlan {
 public:
  /// It keeps addresses. The tokens of the work are not looked at.
  FfnPlan(const ModelSpec& model, const LayerShape& shape, const FfnWork& work)
      : model_(model), shape_(shape), work_(work) {}
  /// The machine is the same every time.
  [[nodiscard]] Seconds time(double tokens, const Machine& machine);

 private:
  const ModelSpec& model_;
  const LayerShape& shape_;
  FfnWork work_;
  PlannedStage stage_;
};
/// Once.
[[nodiscard]] Seconds ffn_time(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
                               const Machine& machine);

/// Shared experts or a dense layer on their own: `tokens` rows on an accelerator that has a
/// `tensor`th of each. None where the layer has no such MLPs.
struct MlpsWork {
  double tokens = 0, tensor = 1;
  MlpRole role = MlpRole::shared;
};
[[nodiscard]] OpList mlp_ops(const ModelSpec& model, const LayerShape& shape, const MlpsWork& work,
                             const Machine& machine);
/// mlp_ops().time() at one number of tokens after another.
class MlpsPlan {
 public:
  /// It keeps addresses. The tokens of the work are not looked at.
  MlpsPlan(const ModelSpec& model, const LayerShape& shape, const MlpsWork& work)
      : model_(model), shape_(shape), work_(work) {}
  void add_to(TimeMaker& times);
  /// The machine is the same every time.
  [[nodiscard]] Seconds time(double tokens, const Machine& machine) {
    TimeMaker times({.tokens = tokens}, machine);
    add_to(times);
    return times.time();
  }

 private:
  const ModelSpec& model_;
  const LayerShape& shape_;
  MlpsWork work_;
  PlannedStage stage_;
};
/// Once.
[[nodiscard]] Seconds mlp_time(const ModelSpec& model, const LayerShape& shape,
                               const MlpsWork& work, const Machine& machine);

/// One token's hidden state on the wire: FP8 with a 4-byte scale for 128 elements and its expert
/// ids and weights on the way out; BF16 on the way back. hidden_bytes(): before it is routed.
[[nodiscard]] Bytes hidden_bytes(const ModelSpec& model);
[[nodiscard]] Bytes dispatch_bytes(const ModelSpec& model, const LayerShape& shape);
[[nodiscard]] Bytes combine_bytes(const ModelSpec& model);

}  // namespace afford
