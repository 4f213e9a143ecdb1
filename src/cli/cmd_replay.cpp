#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/commands.hpp"
#include "cli/progress.hpp"
#include "cli/replay_args.hpp"
#include "records/replay.hpp"
#include "records/replay_picture.hpp"
#include "records/replay_trace.hpp"
#include "report/output_file.hpp"

namespace afford::cli {
namespace {

/// The trace asked for, if any, as it is written.
struct TraceFile {
  explicit TraceFile(const std::string& path) {
    if (path.empty()) return;
    file.emplace(path);
    trace.emplace([this](std::string_view text) { file->write(text); });
  }
  [[nodiscard]] RequestEnded ended() {
    if (!trace) return {};
    return [this](const Outcome& outcome, size_t instance) { trace->add(outcome, instance); };
  }
  void finish(const study::Replays& replays) {
    if (!trace) return;
    trace->finish(replays.rows.front());
    file->finish();
  }

  std::optional<OutputFile> file;
  std::optional<ReplayTrace> trace;
};

int run(const ReplayArgs& args) {
  const study::ReplayRequest request = replay_request(args);
  TraceFile trace(args.trace);
  Progress progress(*args.output.host, 0, thousand_requests);
  const study::Replays replays = study::replays(
      request, [&](std::uint64_t done, std::uint64_t all) { progress.show(done, all); },
      trace.ended());
  progress.clear();
  if (!args.over_time.empty() && replays.rows.size() > 1)
    throw UsageError(
        fmt::format("--over-time follows one row, and there are {}", replays.rows.size()));
  Table table = table_of(replay_record(), replays.rows);
  table.title = "Replay of " + replays.name;
  table.notes = notes_on(replays, request);
  emit_at_last(table, args.output);
  if (!args.over_time.empty())
    write_whole(args.over_time, render(over_time(replays.rows.front()), Format::csv));
  trace.finish(replays);
  if (!args.plot.empty()) draw(replay_picture(replays), args.plot);
  if (!for_people(format_of(args.output))) print_notes(args.output, table);
  return replays.all_served() ? exit_done : exit_no;
}

}  // namespace

Verb replay_command(const Program& program) {
  auto args = std::make_shared<ReplayArgs>();
  args->models.clear();
  Verb verb(program, "replay", "Requests as they arrive: TTFT, TPOT and end-to-end percentiles");
  add_replay(verb, *args);
  verb.before([args](const Verb& parsed) {
    if (!args->over_time.empty()) const OutputFile probe(args->over_time);
    if (!args->trace.empty()) const OutputFile probe(args->trace);
    args->given = {.prefix_hit_rate = parsed.given("--prefix-hit-rate"),
                   .chunk = parsed.given("--chunk"),
                   .seed = parsed.given("--seed")};
  });
  add_output(verb, args->output);
  add_plot(verb, args->plot,
           "Also draw requests, memory and the spread of TTFT and TPOT: FILE.svg, .png or .gp");
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
