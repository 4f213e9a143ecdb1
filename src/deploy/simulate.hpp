#pragma once
// A deployment stepped through event by event on the stage times of its closed form: exact where
// layer kinds differ or micro-batches are uneven, the only way with jitter, and equal to the closed
// form where layers are all alike.

#include <optional>
#include <variant>
#include <vector>

#include "deploy/evaluate.hpp"

namespace afford {

/// Either way to serve a model.
using AnyDeployment = std::variant<Disaggregated, Colocated>;

[[nodiscard]] inline Evaluation evaluate(const AnyDeployment& deployment, const Setting& setting) {
  return std::visit([&](const auto& d) { return evaluate(d, setting); }, deployment);
}
[[nodiscard]] inline StageOps stage_ops(const AnyDeployment& deployment, const Setting& setting,
                                        size_t kind) {
  return std::visit([&](const auto& d) { return stage_ops(d, setting, kind); }, deployment);
}

/// How the events of an AFD deployment run. Co-located engines have one stage and no events.
struct EventOptions {
  std::vector<std::int64_t> micro_batch_sizes;  // requests of each; empty: all alike
  double sigma = 0;                             // of the logarithm of each stage's time (jitter)
  std::uint64_t seed = 1;                       // of the jitter
  int steps = 50;                               // after the warm-up
  bool keep_events = false;                     // those of the last step
};

/// TPOT and cost as factors of the predicted ones, between which nine of ten measured ones lie.
struct Interval {
  double low = 1, high = 1;
  [[nodiscard]] bool known() const { return low < high; }
};

/// Everything known of one deployment under one setting.
struct Simulated {
  Evaluation evaluation;                 // step, TPOT, throughput, cost and verdict by the events
  Seconds closed_form;                   // the step without them
  std::optional<PipelineResult> events;  // none: co-located
  Interval interval;

  /// Of a step, from the mean micro-batch's tokens; the step itself where there are no events.
  [[nodiscard]] Seconds p50() const { return events ? events->p50 : evaluation.step; }
  [[nodiscard]] Seconds p99() const { return events ? events->p99 : evaluation.step; }
};
[[nodiscard]] Simulated simulate(const AnyDeployment& deployment, const Setting& setting,
                                 const EventOptions& options = {});

/// The chip that the attention runs on.
[[nodiscard]] const HardwareSpec& attention_chip(const AnyDeployment& deployment);

/// The engine a deployment runs on.
[[nodiscard]] const Engine& engine_of(const AnyDeployment& deployment, const Setting& setting);

/// The errors of the engine on the chip that the attention runs on.
[[nodiscard]] const ErrorSpread& spread_of(const AnyDeployment& deployment, const Setting& setting);

/// By the errors of the engine's series that were left out of its fit (deploy/interval.hpp); under
/// an engine that states none, the fast and slow end of the calibrated curves' left-out errors,
/// with network, collectives and small kernels as stated; both 1 where nothing is calibrated.
[[nodiscard]] Interval interval_of(const AnyDeployment& deployment, const Setting& setting);

/// The step by events without jitter, all micro-batches alike, over that of `closed`, the closed
/// form of the same deployment.
[[nodiscard]] double events_over_closed_form(const Disaggregated& deployment,
                                             const Evaluation& closed, int steps);

}  // namespace afford
