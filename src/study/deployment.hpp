#pragma once
// A deployment as it is asked for, and as it can be evaluated.

#include <optional>
#include <string>
#include <vector>

#include "deploy/simulate.hpp"
#include "search/space.hpp"
#include "study/conditions.hpp"

namespace afford::study {

/// `instances` servers (or slices of servers) of `accelerators` each, of a chip by name or path.
struct PoolRequest {
  std::string chip;
  std::int64_t instances = 1, accelerators = 8;
};

/// Attention on one pool, FFN on another.
struct AfdRequest {
  PoolRequest attention, ffn;
  std::int64_t batch = 0;                         // requests in flight, over all micro-batches
  int micro_batches = 0;                          // 0: as many as stages
  int stages = 3;                                 // of the pipeline; 3: the network as one
  std::vector<std::int64_t> micro_batch_sizes{};  // requests of each; empty: all alike
  AttentionSplit attention_split = AttentionSplit::shared_output;
  FfnChoice ffn_choice = FfnChoice::any;  // any: sharded in an instance, experts over instances
  FfnSplit ffn_split{};                   // FfnChoice::exact
  Boundary boundary = Boundary::attention;
  PlacesAsked places{};  // of Boundary::attention

  [[nodiscard]] int micro_batches_in_flight() const {
    return micro_batches == 0 ? stages : micro_batches;
  }
};

/// Everything on one pool.
struct ColocatedRequest {
  PoolRequest pool;
  std::int64_t batch = 0;          // requests over the pool, or
  std::int64_t batch_per_gpu = 0;  // on each accelerator
  int micro_batches = 0;           // 0: as default_micro_batches()
  std::int64_t tensor = 1;         // every matrix sharded; 1: as the layout says
  std::optional<Layout> layout{};  // nothing: wide expert parallelism
};

/// Two pools, one, or both to compare.
struct DeploymentRequest : Conditions {
  std::optional<AfdRequest> afd;
  std::optional<ColocatedRequest> colocated;
};

/// A pool that works on prompts alone, one on each engine.
[[nodiscard]] DeploymentRequest one_prompt_each(const Conditions& conditions,
                                                const ColocatedRequest& pool);

/// A checked deployment. The chips are owned here; pools point to them, so it moves but is not
/// copied.
struct Deployment {
  Deployment() = default;
  Deployment(Deployment&&) = default;
  Deployment& operator=(Deployment&&) = default;
  Deployment(const Deployment&) = delete;
  Deployment& operator=(const Deployment&) = delete;
  ~Deployment() = default;

  std::vector<HardwareSpec> chips;
  AnyDeployment way;
  std::vector<std::int64_t> micro_batch_sizes;  // of an AFD one, where uneven sizes are asked for
  std::string label;                            // "2A2F", "EP128", "TP8"

  [[nodiscard]] const Disaggregated* afd() const { return std::get_if<Disaggregated>(&way); }
  [[nodiscard]] const Colocated* colocated() const { return std::get_if<Colocated>(&way); }
  [[nodiscard]] int micro_batches() const;
  /// "h20 + h800", or one name.
  [[nodiscard]] std::string chips_text() const;
  [[nodiscard]] std::string fidelity() const;
  [[nodiscard]] bool calibrated() const { return any_calibrated(chips); }
};

/// The pools asked for, the co-located one, or both. Throws UsageError or InputError; `left_out` as
/// attach_calibrations() has it.
[[nodiscard]] std::vector<Deployment> deployments_of(const DeploymentRequest& request,
                                                     const ModelSpec& model,
                                                     LeftOut* left_out = nullptr);

/// Those it runs under.
[[nodiscard]] Engines engines_of(const Conditions& conditions, const Deployment& deployment);

}  // namespace afford::study
