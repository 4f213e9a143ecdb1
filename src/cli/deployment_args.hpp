#pragma once
// How a deployment is written on the command line, and what becomes of it.

#include <memory>
#include <optional>

#include "cli/args.hpp"
#include "deploy/evaluate.hpp"
#include "error.hpp"
#include "text/quantity.hpp"

namespace afford::cli {

struct DeploymentArgs : StudyArgs {
  std::string attention, ffn, colocated;  // CHIP:INSTANCESxACCELERATORS
  std::string attention_parallelism = "dp", ffn_parallelism, overlap = "all-gather",
              routing = "uniform";
  std::string micro_batch_sizes;  // "2048,2048,1024"
  std::string tpot = "50ms", nic, scale_up, calibration;
  std::vector<std::string> memory_bandwidths;  // "4.8 TB/s", or of one chip: "h20=4.8 TB/s"
  int batch = 0, batch_per_gpu = 0, micro_batches = 0, stages = 3, tensor = 1, redundant = 0,
      experts = 0;
};
void add_deployment(Verb& verb, DeploymentArgs& args);

/// The part of them that a search takes too: what every deployment of a run has in common.
void add_conditions(Verb& verb, DeploymentArgs& args);

/// The bandwidths given instead of a chip's own.
void apply_bandwidths(HardwareSpec& chip, const DeploymentArgs& args);

/// A positive quantity out of the text of a flag. Throws UsageError.
template <Dimension D>
[[nodiscard]] Quantity<D> positive(const std::string& text, std::string_view flag) {
  std::string why;
  const auto value = parse_quantity<D>(text, why);
  if (!value) throw UsageError(fmt::format("{}: {}", flag, why));
  if (*value <= Quantity<D>(0)) throw UsageError(fmt::format("{}: expected more than zero", flag));
  return *value;
}

/// "tpXepY"; nothing when the text is not of that form.
[[nodiscard]] std::optional<FfnSplit> parse_exact_split(const std::string& text);

/// One model with everything its evaluations point into.
struct Prepared {
  ModelSpec model;
  std::vector<LayerShape> shapes;
};

/// A checked deployment. The chips are owned here; pools point to them.
struct Deployment {
  std::vector<HardwareSpec> chips;
  std::optional<Disaggregated> disaggregated;
  std::optional<Colocated> colocated;
  std::vector<std::int64_t> micro_batch_sizes;  // of an AFD one, where uneven sizes are asked for
  std::string label;                            // "2A2F", "EP128", "TP8"
};

/// The pools asked for, the co-located one, or both to compare. Throw UsageError or InputError.
[[nodiscard]] std::vector<Deployment> deployments_of(const DeploymentArgs& args,
                                                     const ModelSpec& model);
[[nodiscard]] Setting setting_of(const DeploymentArgs& args, const Prepared& prepared,
                                 std::int64_t context);
[[nodiscard]] std::vector<Prepared> prepared_models(const DeploymentArgs& args);

/// What the deployment's times rest on: "calibrated (h200, 2026-11-24)", "transferred from h200
/// (2026-11-24)" or "roofline"; by pool where they differ.
[[nodiscard]] std::string fidelity_of(const Deployment& deployment);

[[nodiscard]] std::string fidelity_of(const HardwareSpec& attention, const HardwareSpec& ffn);

/// What every chip of a run rests on, in a sentence's words: "h200 calibrated (h200, 2026-11-24);
/// a800 roofline with default efficiencies", or "roofline with default efficiencies, no
/// calibration".
[[nodiscard]] std::string fidelity_text(const std::vector<HardwareSpec>& chips);

/// Names of the operations outside the sizes their calibrated curve was measured at, each once;
/// those of less than a twentieth of their stage are left out.
[[nodiscard]] std::vector<std::string> beyond_measured(const Deployment& deployment,
                                                       const Setting& setting);

/// TPOT at the fast and slow end of the calibrated curves' left-out errors, as factors of the
/// predicted one; both 1 where nothing is calibrated. What has no curve (network, collectives,
/// small kernels) is taken as stated.
struct Interval {
  double low = 1, high = 1;
};
[[nodiscard]] Interval interval_of(const Deployment& deployment, const Setting& setting);

/// Why a deployment is infeasible, and the batch that would fit; empty when it is feasible.
[[nodiscard]] std::string reason(const Evaluation& evaluation, const Setting& setting);

}  // namespace afford::cli
