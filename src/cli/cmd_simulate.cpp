#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/commands.hpp"
#include "cli/simulate_args.hpp"
#include "records/simulation.hpp"
#include "records/sweep.hpp"
#include "records/timeline.hpp"
#include "report/output_file.hpp"

namespace afford::cli {
namespace {

/// Explanation, timeline and trace of one row; the text that follows the table.
std::string after(const study::Simulation& row, const SimulateArgs& args) {
  std::string text = explanation_of(row, args.seed);
  if (!row.result.events) return text;
  if (args.timeline) text += terminal_timeline(row.result.events->events, row.micro_batches);
  if (!args.trace.empty()) write_whole(args.trace, chrome_trace(row.result.events->events));
  return text;
}

/// The same as tables, for a host that takes values.
void hand_over(const study::Simulations& simulations, const SimulateArgs& args) {
  const auto& detail = args.output.host->detail;
  if (detail && args.explain) detail("operations", operations_table(simulations));
  if (detail && args.timeline) detail("events", events_table(simulations));
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
  const study::SimulationRequest request = simulation_request(args);
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
  hand_over(simulations, args);
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
  add_simulate(verb, *args);
  verb.before([args](const Verb&) {
    if (!args->trace.empty()) const OutputFile probe(args->trace);
  });
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
