#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/search_args.hpp"
#include "cli/streams.hpp"
#include "cli/sweep_args.hpp"
#include "records/rental.hpp"
#include "records/sweep.hpp"

namespace afford::cli {
namespace {

struct PlanArgs : SearchArgs {
  std::string workload, ttft;
};

study::RentalRequest request_of(PlanArgs args) {
  (void)format_of(args.output);
  if (!args.plot.empty() && args.sweeps.empty())
    throw UsageError("--plot draws a sweep; give --sweep too");
  const bool tpot_given = !args.tpot.empty();
  if (!tpot_given) args.tpot = ConditionArgs().tpot;
  const study::SearchRequest bounds = search_request(args);
  const std::optional<Seconds> ttft =
      args.ttft.empty() ? std::nullopt
                        : std::optional(positive<Dimension{.time = 1}>(args.ttft, "--ttft"));
  return {bounds,
          args.workload,
          tpot_given,
          ttft,
          sweep_points(args.sweeps, bounds, SweepOf::workload),
          args.output.host->stop};  // part of a plan is none, so Ctrl-C ends the program
}

int run(const PlanArgs& args) {
  const study::RentalRequest request = request_of(args);
  const study::Rentals rentals = study::rentals(request);
  if (!rentals.complete) return say_interrupted(*args.output.host);
  Table table = table_of(rental_record(request.sweep.front()), rentals.rows);
  table.title = "What to rent for " + rentals.workload.name;
  table.notes = notes_on(rentals, request);
  std::optional<Chart> picture;
  if (!args.plot.empty()) {
    picture = sweep_picture(rentals.swept_costs, request.sweep.front().back(), "USD per 1M tokens",
                            choice_line);
  }
  emit_at_last(table, args.output);
  if (picture) draw(*picture, args.plot);
  if (!for_people(format_of(args.output))) print_notes(args.output, table);
  return say_left_out(args.output, rentals.left_out, rentals.possible ? exit_done : exit_no);
}

}  // namespace

Verb plan_command(const Program& program) {
  auto args = std::make_shared<PlanArgs>();
  args->models.clear();
  args->hardware.clear();
  args->tpot.clear();
  Verb verb(program, "plan", "What to rent for a traffic, and what it costs a month");
  verb.required("workload", args->workload,
                "Workload file: traffic, target, chips with prices and limits");
  add_search(verb, *args);
  verb.text("--ttft", args->ttft,
            "Limit on the time to the first token, at the workload's percentile", "TIME");
  add_sweep(verb, args->sweeps);
  add_plot(verb, args->plot, "Draw the sweep: FILE.svg, .png or .gp");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
