#pragma once
// How a deployment and its conditions are written on the command line.

#include <limits>
#include <string>
#include <vector>

#include "cli/args.hpp"
#include "study/deployment.hpp"

namespace afford::cli {

/// What every deployment of a run has in common.
struct ConditionArgs : StudyArgs {
  std::string overlap = "all-gather", routing, tpot = "50ms", nic, scale_up, calibration, engine;
  int redundant = 0, experts = 0;
  double memory_fraction = std::numeric_limits<double>::quiet_NaN();  // not given
};
void add_conditions(Verb& verb, ConditionArgs& args);
/// Those that what fits depends on.
void add_memory_conditions(Verb& verb, ConditionArgs& args);
void add_engine(Verb& verb, ConditionArgs& args);
/// Throws UsageError.
[[nodiscard]] study::Conditions conditions_of(const ConditionArgs& args);

struct DeploymentArgs : ConditionArgs {
  std::string attention, ffn, colocated;  // CHIP:INSTANCESxACCELERATORS
  std::string attention_parallelism = "dp", ffn_parallelism, parallelism, split = "attention",
              places;
  std::string micro_batch_sizes;  // "2048,2048,1024"
  int batch = 0, batch_per_gpu = 0, micro_batches = 0, stages = 3, tensor = 1;
};
void add_deployment(Verb& verb, DeploymentArgs& args);
/// The part of it that says which accelerators, and how they are used.
void add_pools(Verb& verb, DeploymentArgs& args);
/// Of it what has nothing to do with how many requests there are.
void add_layout(Verb& verb, DeploymentArgs& args);
/// --place, of AFD pools.
void add_places(Verb& verb, std::string& places);
/// "h800:2x8". Throws UsageError.
[[nodiscard]] study::PoolRequest parse_pool(const std::string& text, std::string_view flag);
/// Throws UsageError.
[[nodiscard]] study::DeploymentRequest deployment_request(const DeploymentArgs& args);

/// "tp", "ep", "tp8ep2"; empty: any. Throws UsageError.
struct SplitChoice {
  FfnChoice choice = FfnChoice::any;
  FfnSplit split;
};
[[nodiscard]] SplitChoice parse_split(const std::string& text);

}  // namespace afford::cli
