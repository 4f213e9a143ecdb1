#include <fmt/format.h>

#include <memory>

#include "cli/args.hpp"
#include "cli/commands.hpp"
#include "cli/streams.hpp"
#include "records/frontier.hpp"

namespace afford::cli {
namespace {

struct MergeArgs {
  std::vector<std::string> files;
  std::string plot;
  OutputArgs output;
};

int run(const MergeArgs& args) {
  const Format format = format_of(args.output);
  const study::Merged merged = study::merge(args.files);
  const std::vector<FrontierMark> marks = marks_of(merged);
  Table table = table_of(merged);
  table.notes.push_back(
      fmt::format("Merged from {} file{}.", merged.files, merged.files == 1 ? "" : "s"));
  if (merged.partial)
    table.notes.push_back("Partial: a part was interrupted before it had tried every candidate.");
  emit(for_people(format) ? thinned(table, marks, frontier_rows_shown) : table, args.output);
  if (!args.plot.empty() && !marks.empty()) {
    const Chart picture = frontier_picture(marks, merged.objective, merged.tpot_limit_ms);
    draw(merged.partial ? with_note(picture, table.notes.back()) : picture, args.plot);
  }
  if (!for_people(format) && merged.partial) say(*args.output.host, table.notes.back() + "\n");
  return marks.empty() || merged.partial ? exit_no : exit_done;
}

}  // namespace

Verb merge_command(const Program& program) {
  auto args = std::make_shared<MergeArgs>();
  Verb verb(program, "merge",
            "One frontier out of the CSV files of a search in parts (pareto --shard)");
  verb.required("files", args->files, "CSV files of afford pareto --shard I/N --format csv");
  add_plot(verb, args->plot, "Also draw a picture: FILE.svg, .png or .gp");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
