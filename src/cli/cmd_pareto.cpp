#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/pareto_args.hpp"
#include "cli/pareto_search.hpp"
#include "cli/streams.hpp"
#include "error.hpp"
#include "records/frontier.hpp"
#include "records/frontier_rows.hpp"
#include "report/output_file.hpp"

namespace afford::cli {
namespace {

using Points = std::vector<std::reference_wrapper<const study::FrontierPoint>>;

Points points_of(const study::Frontiers& found) {
  Points points;
  for (const study::FrontierResult& result : found.results)
    points.insert(points.end(), result.points.begin(), result.points.end());
  return points;
}

std::string csv_of(const Points& points, const study::FrontierRequest& request) {
  std::string text = csv_header(columns_of(frontier_record(request)));
  FrontierRows rows(request);
  for (const study::FrontierPoint& point : points) rows.write(point, text);
  return text;
}

Table table_of_points(const Points& points, const study::FrontierRequest& request,
                      const study::Frontiers& found,
                      const std::vector<study::FrontierCase>& cases) {
  Table table = table_of(frontier_record(request), points);
  table.title = frontier_title(request);
  for (Column& column : table.columns) {
    if (request.objective == Objective::interactivity && column.key == "tokens_per_user_s")
      column.detail = false;
  }
  table.notes = notes_on(found, request, cases);
  return table;
}

int run(const ParetoArgs& args) {
  const std::atomic<bool>& stop =
      stop_of(*args.output.host);  // an interrupt is a wish from here on
  const study::FrontierRequest request = frontier_request(args);
  const std::vector<study::FrontierCase> cases = study::frontier_cases(request, &stop);
  if (cases.empty()) return say_interrupted(*args.output.host);
  const study::Frontiers found = search_shown(request, cases, args);
  const Points points = points_of(found);
  std::string after;
  if (!args.why_not.empty()) {
    for (const study::FrontierResult& result : found.results)
      after += "\n" + why_not_text(result, request.watch) + "\n";
  }
  const Format format = format_of(args.output);
  const bool people = for_people(format);
  // Rows of a long sweep are many: as text they need not all stand as cells first.
  const bool text = format == Format::csv && args.output.to != nullptr && !points.empty();
  Table table = table_of_points(text || args.all ? Points() : points, request, found, cases);
  // A CSV without a row would not say what it is of, nor whether the search came to its end.
  if (points.empty() && format == Format::csv && (request.shard.of > 1 || !found.complete)) {
    table.rows.push_back(
        mark_row(table.columns, cases.front(), {study::nothing_found_mark, found.complete, 1}));
  }
  if (text && !args.all) emit_at_last(csv_of(points, request), args.output);
  if (!text && !args.all) {
    if (people) table = thinned(table, marks_of(found), frontier_rows_shown);
    emit_at_last(table, args.output, people ? after : "");
  }
  if (!args.plot.empty() && !points.empty()) {
    const Chart picture = picture_of(found, request);
    draw(found.complete ? picture : with_note(picture, interrupted_note), args.plot);
  }
  if (!people) {
    print_notes(args.output, table);
    say(*args.output.host, after);
  }
  if (!found.complete) return exit_interrupted;
  return say_left_out(args.output, cases.front().left_out,
                      found.found_everywhere ? exit_done : exit_no);
}

}  // namespace

Verb pareto_command(const Program& program) {
  auto args = std::make_shared<ParetoArgs>();
  args->models.clear();
  args->contexts = {"8k"};
  Verb verb(program, "pareto",
            "The frontier of TPOT against throughput or cost over all deployments");
  add_pareto(verb, *args);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
