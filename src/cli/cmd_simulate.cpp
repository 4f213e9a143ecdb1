#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "cli/deployment_args.hpp"
#include "cli/sweep_args.hpp"
#include "records/simulation.hpp"
#include "records/sweep.hpp"
#include "records/timeline.hpp"
#include "report/output_file.hpp"

namespace afford::cli {
namespace {

struct SimulateArgs : DeploymentArgs {
  double jitter = 0;
  int seed = 1, steps = 50;
  bool timeline = false;
  std::string trace;
};

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

study::SimulationRequest request_of(const SimulateArgs& args) {
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

/// Explanation, timeline and trace of one row; the text that follows the table.
std::string after(const study::Simulation& row, const SimulateArgs& args) {
  std::string text = explanation_of(row, args.seed);
  if (!row.result.events) return text;
  if (args.timeline) text += terminal_timeline(row.result.events->events, row.micro_batches);
  if (!args.trace.empty()) write_whole(args.trace, chrome_trace(row.result.events->events));
  return text;
}

/// A trace shows one deployment under one setting; that of the next would replace it.
void require_one_pipeline(const study::Simulations& simulations) {
  const auto traced = std::count_if(simulations.rows.begin(), simulations.rows.end(),
                                    [](const auto& row) { return row.result.events.has_value(); });
  if (traced > 1)
    throw UsageError(fmt::format("--trace draws one row, and there are {} to draw", traced));
}

Table table_with(study::SimulationRequest request, const Edits& edits) {
  request.what_if.edits = edits;
  return table_of(simulation_record(request.sweep.front()), study::simulations(request).rows);
}

void require_conditions_count(const study::SimulationRequest& request, const Table& with) {
  for (const study::AskedFor& each : study::conditions_asked_for()) {
    if (!each.given(request)) continue;
    study::SimulationRequest without = request;
    each.leave_out(without);
    if (render(table_with(without, request.what_if.edits), Format::csv) ==
        render(with, Format::csv))
      throw ValueError(std::string(each.name), " changes nothing in this run");
  }
}

int run(const SimulateArgs& args) {
  const study::SimulationRequest request = request_of(args);
  const study::Simulations simulations = study::simulations(request);
  if (!args.trace.empty()) require_one_pipeline(simulations);
  Table table = table_of(simulation_record(request.sweep.front()), simulations.rows);
  require_effect(request.what_if.edits, table,
                 [&](const Edits& edits) { return table_with(request, edits); });
  require_conditions_count(request, table);
  table.title = "Deployments in detail";
  table.notes = notes_on(simulations, request);
  std::string text;
  for (const study::Simulation& row : simulations.rows) text += after(row, args);
  std::optional<Chart> picture;
  if (!args.plot.empty()) {
    picture = sweep_picture(simulations.swept_costs, request.sweep.front().back(),
                            "USD per 1M tokens", group_and_choice_line);
  }
  emit(table, args.output, text);
  if (picture) draw(*picture, args.plot);
  return say_left_out(args.output, simulations.left_out,
                      simulations.all_feasible() ? exit_done : exit_no);
}

}  // namespace

Verb simulate_command(const Program& program) {
  auto args = std::make_shared<SimulateArgs>();
  args->models.clear();
  args->contexts = {"4k"};
  Verb verb(program, "simulate", "One deployment in detail: AFD pools, or co-located EP or TP");
  add_deployment(verb, *args);
  verb.real("--jitter", args->jitter, "Standard deviation of the log of each stage's time");
  verb.integer("--seed", args->seed, "Seed of the jitter");
  verb.integer("--steps", args->steps, "Steps to simulate");
  verb.flag("--timeline", args->timeline, "Draw the pipeline");
  verb.written("--trace", args->trace, "Write the last step as a Chrome trace (opens in Perfetto)",
               "FILE.json");
  verb.before(refuse_flags_without_effect);
  verb.before([args](const Verb&) {
    if (!args->trace.empty()) const OutputFile probe(args->trace);
  });
  verb.flag("--explain", args->explain, "Every operation with its bytes, FLOPs and what binds");
  add_sweep(verb, args->sweeps);
  add_plot(verb, args->plot, "Draw the sweep: FILE.svg, .png or .gp");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
