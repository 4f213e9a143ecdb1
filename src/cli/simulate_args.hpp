#pragma once
// How one deployment in detail is asked for on the command line.

#include <string>

#include "cli/deployment_args.hpp"
#include "study/simulation.hpp"

namespace afford::cli {

struct SimulateArgs : DeploymentArgs {
  double jitter = 0;
  int seed = 1, steps = 50;
  bool timeline = false;
  std::string trace;
};

void add_simulate(Verb& verb, SimulateArgs& args);
/// Throws UsageError.
[[nodiscard]] study::SimulationRequest simulation_request(const SimulateArgs& args);

}  // namespace afford::cli
