#include <fmt/format.h>

#include <memory>

#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "cli/search_args.hpp"
#include "cli/sweep_args.hpp"
#include "records/frontier.hpp"
#include "report/output_file.hpp"

namespace afford::cli {
namespace {

struct ParetoArgs : SearchArgs {
  std::vector<std::string> sweeps;
  std::string shard = "1/1", why_not;
  bool all = false;
};

study::FrontierRequest request_of(const ParetoArgs& args) {
  if (args.models.empty()) throw UsageError("pareto needs -m MODEL");
  const Format format = format_of(args.output);
  if (!args.plot.empty()) check_picture(args.plot);
  if (args.all && format != Format::csv) throw UsageError("--all goes with --format csv");
  if (args.all && !args.plot.empty())
    throw UsageError("--plot draws the frontier; leave --all out");
  const study::SearchRequest bounds = search_request(args);
  return {bounds, sweep_points(args.sweeps, bounds), parse_shard(args.shard), args.why_not};
}

using Cases = std::vector<study::FrontierCase>;

/// Runs every case; with --all their candidates go to the file as they come.
study::Frontiers search(const study::FrontierRequest& request, const Cases& cases,
                        const ParetoArgs& args) {
  Progress progress(study::candidates_of(cases));
  study::FrontierHooks hooks{.stop = &watch_interrupts(),
                             .tried = [&](std::uint64_t done) { progress.show(done); },
                             .finished = [&](std::uint64_t done) { progress.finish_part(done); },
                             .describe = nullptr,
                             .write = nullptr};
  if (!args.all) return study::frontiers(request, cases, hooks);
  const auto record = frontier_record(request.sweep.front());
  OutputFile file(args.output.file);
  file.write(csv_header(columns_of(record)));
  hooks.describe = [&](const study::FrontierPoint& p) { return csv_row(row_of(record, p)); };
  hooks.write = [&](const std::string& text) { file.write(text); };
  study::Frontiers found = study::frontiers(request, cases, hooks);
  file.finish();
  return found;
}

int run(const ParetoArgs& args) {
  (void)watch_interrupts();  // from here on an interrupt is a wish
  const study::FrontierRequest request = request_of(args);
  const Cases cases = study::frontier_cases(request);
  const study::Frontiers found = search(request, cases, args);
  const std::vector<FrontierMark> marks = marks_of(found);
  std::vector<study::FrontierPoint> points;
  std::string after;
  for (const study::FrontierResult& result : found.results) {
    points.insert(points.end(), result.points.begin(), result.points.end());
    if (!args.why_not.empty()) after += "\n" + why_not_text(result, args.why_not) + "\n";
  }
  Table table = table_of(frontier_record(request.sweep.front()), points);
  table.title = frontier_title(request.objective);
  table.notes = notes_on(found, request, cases);
  if (!args.plot.empty() && !points.empty()) draw(picture_of(found, request), args.plot);
  const bool people = for_people(format_of(args.output));
  if (!args.all) {
    emit(people ? thinned(table, marks, frontier_rows_shown) : table, args.output,
         people ? after : "");
  }
  if (!people) {
    print_notes(table);
    fmt::print(stderr, "{}", after);
  }
  if (!found.complete) return exit_interrupted;
  return found.found_everywhere ? exit_done : exit_no;
}

}  // namespace

Verb pareto_command(CLI::App& app) {
  auto args = std::make_shared<ParetoArgs>();
  args->models.clear();
  args->contexts = {"8k"};
  Verb verb(app, "pareto", "The frontier of TPOT against throughput or cost over all deployments");
  add_search(verb, *args);
  verb.flag("--all", args->all, "Write every candidate, not the frontier alone (csv)");
  verb.text("--plot", args->plot, "Also draw a picture: FILE.svg, .png or .gp", "FILE");
  verb.text("--why-not", args->why_not,
            "Say why this deployment is not on the frontier, such as 3A2F or EP32", "DEPLOYMENT");
  verb.text("--shard", args->shard, "Search only part I of N; afford merge joins the parts", "I/N");
  add_sweep(verb, args->sweeps);
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
