#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "cli/commands.hpp"
#include "cli/frontier_table.hpp"
#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "cli/search_args.hpp"
#include "report/output_file.hpp"
#include "text/number.hpp"

namespace afford::cli {
namespace {

struct ParetoArgs : SearchArgs {
  std::vector<std::string> sweeps;
  std::string shard = "1/1", why_not;
  bool all = false;
};

Shard parse_shard(const std::string& text) {
  constexpr std::int64_t most = 1'000'000;
  const size_t slash = text.find('/');
  if (slash != std::string::npos) {
    const auto index = parse_integer(text.substr(0, slash)),
               of = parse_integer(text.substr(slash + 1));
    if (index && of && *index >= 1 && *index <= *of && *of <= most)
      return {static_cast<std::uint64_t>(*index - 1), static_cast<std::uint64_t>(*of)};
  }
  throw UsageError(
      fmt::format("--shard: expected I/N such as 3/8, the third of eight parts, got '{}'", text));
}

/// One model at one context and one point of the sweeps, with everything its search points into.
struct Case {
  size_t number = 0;
  SweepPoint swept;
  std::shared_ptr<const std::vector<HardwareSpec>> chips;
  std::shared_ptr<const Prepared> prepared;
  Space space;
  Setting setting;
};

std::vector<Case> cases_of(const ParetoArgs& args) {
  std::vector<Case> cases;
  for (const SweepPoint& point : sweep_points(args.sweeps)) {
    SearchArgs applied = args;
    apply_sweep(point, applied);
    const auto chips = std::make_shared<const std::vector<HardwareSpec>>(chips_of(applied));
    for (Prepared& model : prepared_models(applied)) {
      const auto prepared = std::make_shared<const Prepared>(std::move(model));
      for (const std::int64_t context : contexts_of(applied)) {
        cases.push_back(Case{.number = cases.size() + 1,
                             .swept = point,
                             .chips = chips,
                             .prepared = prepared,
                             .space = space_of(applied, *chips),
                             .setting = setting_of(applied, *prepared, context)});
      }
    }
  }
  return cases;
}

std::string case_name(const Case& c) {
  std::string name = fmt::format("{} at {}", c.prepared->model.name,
                                 token_count_text(static_cast<std::int64_t>(c.setting.context)));
  return c.swept.empty() ? name : name + ", " + text(c.swept);
}

/// What a run collects over its cases.
struct Collected {
  Table table;
  std::vector<std::string> why_not;
  std::vector<SweptCost> swept_costs;
  double worst_deviation = 0;  // of the closed form from the events
  bool complete = true, found_everywhere = true;
};

std::string point_text(const Candidate& c, const Space& space) {
  return fmt::format(
      "{} ({}) with {} of batch {} in {} micro-batches: {:.2f} ms, {:.0f} tok/s/GPU, {:.3f} "
      "USD/Mtok",
      label(c), pools_text(c, space), parallelism(c), c.batch, c.micro_batches, c.goals.tpot_ms,
      c.goals.tokens_per_gpu_s, c.goals.usd_per_mtok);
}

/// Why a label is not on the frontier: no candidate bears it, none is feasible, or a better one
/// stands there.
std::string why_not(const Case& c, const Explored& found, const std::string& wanted) {
  const Watched& w = found.watched;
  const std::string start = fmt::format("{}: {}", case_name(c), wanted);
  if (w.tally.tried == 0)
    return start + " is not in the space searched (chips, --max-gpus, --ways ...).";
  for (const Candidate& point : found.frontier.points()) {
    if (label(point) == wanted)
      return fmt::format("{} is on the frontier: {}.", start, point_text(point, c.space));
  }
  std::string out = fmt::format("{}, {}.", start, tally_text(w.tally, c.setting.tpot_limit));
  if (!w.best) {
    if (!w.fastest) return out + " None fits the memory.";
    return out +
           fmt::format(" None meets the TPOT; the fastest: {}.", point_text(*w.fastest, c.space));
  }
  for (const Candidate& point : found.frontier.points()) {
    if (!dominates(point, *w.best, found.frontier.objective())) continue;
    return out + fmt::format("\n  its best:     {}\n  dominated by: {}",
                             point_text(*w.best, c.space), point_text(point, c.space));
  }
  return out;
}

/// How far the event simulation lies from the closed form: layer kinds that differ make bubbles.
double deviation(const Candidate& c, const Evaluation& e) {
  constexpr int steps = 20;
  if (c.way != Way::disaggregated) return 0;
  const PipelineLoad load{std::span(e.runs.data(), e.kinds), e.head, c.micro_batches};
  return std::abs(simulate_pipeline(load, {}, steps).mean / e.step - 1);
}

void note_case(Collected& out, const Case& c, const Explored& found, std::ptrdiff_t best) {
  std::string note =
      fmt::format("{}: {}; {} on the frontier.", case_name(c),
                  tally_text(found.tally, c.setting.tpot_limit), found.frontier.points().size());
  if (best < 0 && found.fastest) {
    note += fmt::format(" Nearest to {}: {}.", human(c.setting.tpot_limit),
                        point_text(*found.fastest, c.space));
  } else if (best < 0) {
    note += " Nothing fits the memory.";
  } else {
    const Candidate& take = found.frontier.points()[static_cast<size_t>(best)];
    note += fmt::format(" To take: {} on {}.", label(take), pools_text(take, c.space));
  }
  if (!found.complete)
    note += fmt::format(" Partial: {} of {} candidates tried.", grouped(found.tally.tried),
                        grouped(found.candidates));
  out.table.notes.push_back(note);
}

/// The cheapest deployment of each pair of chips, for the break-even points of a sweep.
void note_costs(Collected& out, const Case& c, const Explored& found) {
  if (c.swept.empty()) return;
  SweepPoint others(c.swept.begin(), c.swept.end() - 1);
  const bool context = c.swept.back().parameter == "context";
  const std::string group =
      context ? c.prepared->model.name
              : fmt::format("{} at {}", c.prepared->model.name,
                            token_count_text(static_cast<std::int64_t>(c.setting.context)));
  const auto add = [&](const std::optional<Candidate>& best, const std::string& choice) {
    if (!best) return;
    out.swept_costs.push_back({others.empty() ? group : group + ", " + text(others), choice,
                               c.swept.back().number, best->goals.usd_per_mtok});
  };
  for (size_t a = 0; a < c.chips->size(); ++a) {
    add(found.best.colocated(a), (*c.chips)[a].name + " co-located");
    for (size_t f = 0; f < c.chips->size(); ++f)
      add(found.best.pair(a, f),
          fmt::format("{} attention with {} FFN", (*c.chips)[a].name, (*c.chips)[f].name));
  }
}

void add(Collected& out, const Case& c, const Explored& found, const ParetoArgs& args) {
  const FrontierCase of{.number = c.number,
                        .model = &c.prepared->model,
                        .space = &c.space,
                        .setting = &c.setting,
                        .swept = &c.swept,
                        .objective = found.frontier.objective(),
                        .shard = parse_shard(args.shard),
                        .complete = found.complete};
  const auto& points = found.frontier.points();
  const std::ptrdiff_t best = winner(points, found.frontier.objective());
  const size_t mark = column_of(out.table, "winner");
  for (const Candidate& point : points) {
    const Evaluation e = evaluate(point, c.space, c.setting);
    out.table.rows.push_back(frontier_row(point, e, of));
    if (&point - points.data() == best) out.table.rows.back()[mark] = std::string("yes");
    out.worst_deviation = std::max(out.worst_deviation, deviation(point, e));
  }
  note_case(out, c, found, best);
  note_costs(out, c, found);
  if (!args.why_not.empty()) out.why_not.push_back(why_not(c, found, args.why_not));
  out.complete = out.complete && found.complete;
  out.found_everywhere = out.found_everywhere && best >= 0;
}

void check(const ParetoArgs& args) {
  const Format format = format_of(args.output);
  (void)objective_of(args);
  (void)parse_shard(args.shard);
  if (!args.plot.empty()) check_picture(args.plot);
  if (args.all && format != Format::csv) throw UsageError("--all goes with --format csv");
  if (args.all && !args.plot.empty())
    throw UsageError("--plot draws the frontier; leave --all out");
}

/// Runs every case; with --all their candidates go to the file as they come, else the frontiers are
/// kept.
Collected search(const ParetoArgs& args, const std::vector<Case>& cases,
                 const std::atomic<bool>& stop) {
  Collected out;
  out.table = {.title = "Frontier of time per output token against " +
                        std::string(args.objective == "tokens" ? "throughput"
                                    : args.objective == "usd"  ? "cost"
                                                               : "throughput and cost"),
               .columns = frontier_columns(cases.front().swept),
               .rows = {},
               .notes = {}};
  out.table.notes.push_back(
      fmt::format("Fidelity: {}; closed form.", fidelity_text(*cases.front().chips)));
  const Shard shard = parse_shard(args.shard);
  std::uint64_t total = 0;
  for (const Case& c : cases) total += candidates_of(enumerate(c.space, c.setting), shard);
  Progress progress(total);
  std::unique_ptr<OutputFile> file;
  if (args.all) {
    file = std::make_unique<OutputFile>(args.output.file);
    file->write(csv_header(out.table.columns));
  }
  for (const Case& c : cases) {
    if (stop) {
      out.complete = false;
      break;
    }
    const FrontierCase of{.number = c.number,
                          .model = &c.prepared->model,
                          .space = &c.space,
                          .setting = &c.setting,
                          .swept = &c.swept,
                          .objective = objective_of(args),
                          .shard = shard};
    ExploreOptions options{.objective = objective_of(args),
                           .shard = shard,
                           .threads = args.threads,
                           .watch = args.why_not,
                           .stop = &stop,
                           .tried = [&](std::uint64_t done) { progress.show(done); },
                           .describe = nullptr,
                           .write = nullptr};
    if (file != nullptr) {
      options.describe = [&](const Candidate& candidate, const Evaluation& e, std::string& text) {
        text += csv_row(frontier_row(candidate, e, of));
      };
      options.write = [&](const std::string& text) { file->write(text); };
    }
    const Explored found = explore(c.space, c.setting, options);
    progress.finish_part(found.tally.tried);
    add(out, c, found, args);
  }
  if (file != nullptr) file->finish();
  return out;
}

void note_ends(Collected& out, const ParetoArgs& args, const std::vector<HardwareSpec>& chips) {
  if (out.worst_deviation >= 0.0005) {
    out.table.notes.push_back(
        fmt::format("Stepped through event by event (afford simulate), no point's TPOT moves by "
                    "more than {:.1f} %.",
                    100 * out.worst_deviation));
  }
  if (const std::string note = what_ifs(args, speculation_of(args)); !note.empty())
    out.table.notes.push_back(note);
  if (!args.sweeps.empty() && !out.swept_costs.empty()) {
    const std::string parameter = sweep_points(args.sweeps).front().back().parameter;
    for (const std::string& line : break_evens(out.swept_costs, parameter))
      out.table.notes.push_back("Cheapest for " + line);
    if (!parameter.starts_with("price.")) out.table.notes.push_back(prices_text(chips));
  }
  if (!out.complete)
    out.table.notes.push_back("Partial: interrupted before every candidate was tried.");
}

/// Cost over the swept value of every pair of chips that is cheapest somewhere.
Chart swept_picture(const Collected& out, const std::string& parameter) {
  const auto costs = ever_cheapest(out.swept_costs);
  const bool one_group = std::all_of(costs.begin(), costs.end(), [&](const SweptCost& cost) {
    return cost.group == costs.front().group;
  });
  std::vector<SweepPointDrawn> points;
  for (const SweptCost& cost : costs)
    points.push_back(
        {one_group ? cost.choice : cost.group + ", " + cost.choice, cost.at, cost.usd_per_mtok});
  return sweep_chart(points, parameter, "USD per 1M tokens, cheapest within the TPOT");
}

int run(const ParetoArgs& args) {
  const std::atomic<bool>& stop = watch_interrupts();
  check(args);
  const std::vector<Case> cases = cases_of(args);
  Collected out = search(args, cases, stop);
  note_ends(out, args, *cases.front().chips);
  const Format format = format_of(args.output);
  const bool for_people = format == Format::table || format == Format::md;
  std::string after;
  for (const std::string& text : out.why_not) after += "\n" + text + "\n";
  if (!args.plot.empty() && !out.table.rows.empty()) {
    draw(args.sweeps.empty() ? frontier_picture(out.table, objective_of(args),
                                                cases.front().setting.tpot_limit / millisecond)
                             : swept_picture(out, cases.front().swept.back().parameter),
         args.plot);
  }
  constexpr size_t shown_rows = 12;
  if (!args.all) {
    emit(for_people ? thinned(out.table, shown_rows) : out.table, args.output,
         for_people ? after : "");
  }
  if (!for_people) {
    for (const std::string& note : out.table.notes) fmt::print(stderr, "{}\n", note);
    fmt::print(stderr, "{}", after);
  }
  if (!out.complete) return exit_interrupted;
  return out.found_everywhere ? exit_done : exit_no;
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
  verb.run = [args] {
    if (args->models.empty()) throw UsageError("pareto needs -m MODEL");
    return run(*args);
  };
  return verb;
}

}  // namespace afford::cli
