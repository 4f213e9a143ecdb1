#pragma once
// Deployments in detail: each model on each deployment at each context and point of a sweep.

#include <string>
#include <vector>

#include "study/served.hpp"
#include "study/sweep.hpp"

namespace afford::study {

struct SimulationRequest : DeploymentRequest {
  double jitter = 0;  // standard deviation of the log of each stage's time
  std::int64_t seed = 1;
  int steps = 50;
  bool keep_events = false;           // those of the last step, for a timeline or a trace
  bool detail = false;                // every operation, and how evenly experts are loaded
  std::vector<SweepPoint> sweep{{}};  // one empty point: no sweep
};

/// The operations of one layer kind, and the load of its experts.
struct OperationDetail {
  size_t kind = 0;  // the most frequent layer kind
  StageOps ops;
  std::optional<StepParts> step;  // of a co-located engine
  struct Experts {
    ExpertLayout layout;
    ExpertLoad load;
    double sampled_busiest_group = 0;  // pairs, with the noise of few tokens
    std::string routing;
  };
  std::optional<Experts> experts;  // of an MoE layer
};

/// One row of the study.
struct Simulation {
  const ModelSpec* model = nullptr;  // into Simulations
  std::string label, chips_text;     // "2A2F", "h20 + h800"
  std::string attention_chip, ffn_chip;
  SweepPoint swept;
  Setting setting;
  Simulated result;
  Served served;
  int micro_batches = 0;
  std::vector<std::int64_t> micro_batch_sizes;
  bool calibrated = false;
  std::vector<std::string> beyond;     // operations outside the measured range of their curve
  std::vector<std::string> uncovered;  // and without a curve, on calibrated chips
  std::vector<std::string> widened;    // on the curve of a kernel that widens an FP8 cache to BF16
  std::optional<OperationDetail> detail;

  [[nodiscard]] const StageTimes& stages() const {
    return result.evaluation.runs[result.evaluation.main_kind].stages;
  }
  [[nodiscard]] bool feasible() const { return result.evaluation.verdict == Verdict::feasible; }
};

/// What the rows point into is kept alive with them.
struct Simulations {
  std::vector<Simulation> rows;
  std::vector<std::shared_ptr<const std::vector<Prepared>>> models;
  std::vector<std::shared_ptr<const std::vector<HardwareSpec>>> chips;  // of each deployment
  std::vector<SweptCost> swept_costs;                                   // of feasible rows
  LeftOut left_out;                                                     // of "all"

  [[nodiscard]] bool all_feasible() const;
};
/// Throws InputError or UsageError.
[[nodiscard]] Simulations simulations(const SimulationRequest& request);

/// Which operations of a deployment a calibration says less of than it might, or otherwise than
/// one may think.
struct Gaps {
  std::vector<std::string> beyond, uncovered, widened;
};

/// Names of the operations, with their layer kind where there are several, without a curve on a
/// calibrated chip, of those outside the sizes their calibrated curve was measured at, and of those
/// whose cache in FP8 is multiplied in BF16, each once; those of less than a twentieth of their
/// stage are left out, since they do not decide.
[[nodiscard]] Gaps gaps_of(const AnyDeployment& deployment, const Setting& setting);

}  // namespace afford::study
