#pragma once
// How a replay is asked for on the command line.

#include <string>
#include <vector>

#include "cli/deployment_args.hpp"
#include "study/replay.hpp"

namespace afford::cli {

/// Which flags that have a default stand on the command line.
struct GivenFlags {
  bool prefix_hit_rate = false, chunk = false, seed = false;
};

struct ReplayArgs : DeploymentArgs {
  std::string over_time, plot, trace;  // files
  std::string file, route = "round-robin", prefill, prefill_parallelism;
  std::vector<std::string> rates, concurrencies;
  double prefix_hit_rate = -1;
  int requests = 0, copies = 1, chunk = 8192, seed = 1;
  GivenFlags given;
};

void add_replay(Verb& verb, ReplayArgs& args);
/// Throws UsageError.
[[nodiscard]] study::ReplayRequest replay_request(const ReplayArgs& args);

}  // namespace afford::cli
