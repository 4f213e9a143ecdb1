#include "cli/simulate_args.hpp"

#include "cli/choose.hpp"
#include "cli/sweep_args.hpp"
#include "error.hpp"

namespace afford::cli {
namespace {

void check(const SimulateArgs& args) {
  if (args.models.empty()) throw UsageError("simulate needs -m MODEL");
  (void)format_of(args.output);
  if ((args.explain || args.timeline) && args.output.format != "table") {
    throw UsageError("--explain and --timeline go with --format table");
  }
  if (!args.plot.empty() && args.sweeps.empty())
    throw UsageError("--plot draws a sweep; give --sweep too");
  const bool events = args.timeline || !args.trace.empty() || args.jitter > 0;
  if (events && args.attention.empty() && !args.colocated.empty()) {
    throw UsageError("--timeline, --trace and --jitter are for --attention and --ffn pools");
  }
  if (!args.micro_batch_sizes.empty() && args.attention.empty())
    throw UsageError("--micro-batch-sizes is for --attention and --ffn pools");
}

void refuse_flags_without_effect(const Verb& parsed) {
  if (parsed.given("--seed") && !parsed.given("--jitter") && !parsed.given("--explain"))
    throw UsageError("--seed has no effect without --jitter or --explain");
  if (parsed.given("--steps") && !parsed.given("--attention"))
    throw UsageError("--steps is for --attention and --ffn pools");
}

}  // namespace

study::SimulationRequest simulation_request(const SimulateArgs& args) {
  check(args);
  const study::DeploymentRequest deployments = deployment_request(args);
  return {deployments,
          args.jitter,
          args.seed,
          args.steps,
          args.timeline || !args.trace.empty(),
          args.explain,
          sweep_points(args.sweeps, deployments)};
}

void add_simulate(Verb& verb, SimulateArgs& args) {
  add_deployment(verb, args);
  verb.real("--jitter", args.jitter, "Standard deviation of the log of each stage's time");
  verb.integer("--seed", args.seed, "Seed of the jitter");
  verb.integer("--steps", args.steps, "Steps to simulate");
  verb.flag("--timeline", args.timeline, "Draw the pipeline");
  verb.written("--trace", args.trace, "Write the last step as a Chrome trace (opens in Perfetto)",
               "FILE.json");
  verb.before(refuse_flags_without_effect);
  verb.flag("--explain", args.explain, "Every operation with its bytes, FLOPs and what binds");
  add_sweep(verb, args.sweeps);
  add_plot(verb, args.plot, "Draw the sweep: FILE.svg, .png or .gp");
  add_output(verb, args.output);
}

}  // namespace afford::cli
