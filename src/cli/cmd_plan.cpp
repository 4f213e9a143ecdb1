#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "cli/commands.hpp"
#include "cli/frontier_table.hpp"
#include "cli/interrupt.hpp"
#include "cli/search_args.hpp"
#include "plan/plan.hpp"
#include "report/frontier_chart.hpp"
#include "text/suggest.hpp"

namespace afford::cli {
namespace {

struct PlanArgs : SearchArgs {
  std::string workload;
  std::vector<std::string> sweeps;
};

const ExtraParameters extra = {
    {"rate", "_per_s"}, {"peak-factor", ""}, {"percentile", ""}, {"headroom", ""}, {"spares", ""}};

/// What the point of a sweep says about the workload.
void apply_to(const SweepPoint& point, Workload& workload) {
  for (const SweptValue& value : point) {
    const auto between = [&](double least, double most) {
      if (value.number >= least && value.number <= most) return value.number;
      throw UsageError(fmt::format("--sweep: {} expects a number from {} to {}, got {}",
                                   value.parameter, least, most, value.text));
    };
    if (value.parameter == "rate") workload.traffic.requests_per_s = between(1e-6, 1e9);
    if (value.parameter == "peak-factor") workload.traffic.peak_factor = between(1, 1000);
    if (value.parameter == "percentile") workload.target.percentile = between(1, 99.999) / 100;
    if (value.parameter == "headroom") workload.target.headroom = between(0, 0.95);
    if (value.parameter == "spares") workload.target.spares = static_cast<int>(between(0, 1000));
  }
  if (workload.traffic.peak_hours < 24 &&
      workload.traffic.peak_factor * workload.traffic.peak_hours > 24)
    throw UsageError("--sweep: peak-factor times peak_hours is more than a day's requests");
}

/// The offer of each chip of the run: the workload's, or on demand at the file's price. --price
/// replaces both.
std::vector<Offer> offers_for(const Workload& workload, const std::vector<HardwareSpec>& chips) {
  std::vector<Offer> offers;
  for (const HardwareSpec& chip : chips) {
    const auto listed = std::find_if(workload.offers.begin(), workload.offers.end(),
                                     [&](const Offer& offer) { return offer.chip == chip.name; });
    Offer offer = listed == workload.offers.end()
                      ? Offer{.chip = chip.name, .limit = {}, .contracts = {}}
                      : *listed;
    if (offer.contracts.empty() || price_origin(chip) == "given")
      offer.contracts = {{.reserved = false, .price = chip.price.value, .limit = {}}};
    offers.push_back(std::move(offer));
  }
  return offers;
}

/// The price the search ranks by: the cheapest contract.
void price_by_offers(std::vector<HardwareSpec>& chips, const std::vector<Offer>& offers) {
  for (size_t c = 0; c < chips.size(); ++c) {
    for (const Contract& contract : offers[c].contracts)
      chips[c].price.value = &contract == offers[c].contracts.data()
                                 ? contract.price
                                 : std::min(chips[c].price.value, contract.price);
  }
}

std::vector<Column> columns(const SweepPoint& swept) {
  std::vector<Column> list = {{"plan", "plan"}};
  for (Column& column : sweep_columns(swept, extra)) list.push_back(std::move(column));
  const std::vector<Column> rest = {{"deployment", "rent"},
                                    {"gpus", "GPUs", Show::plain},
                                    {"attention_gpus", "attention", Show::plain},
                                    {"ffn_gpus", "FFN", Show::plain},
                                    {"attention_to_ffn", "A:F", Show::plain},
                                    {"utilisation", "used", Show::plain},
                                    {"tpot_ms", "TPOT ms", Show::plain},
                                    {"tpot_percentile_ms", "at pct", Show::plain},
                                    {"monthly_usd", "USD/month", Show::price},
                                    {"usd_per_mtok", "USD/Mtok", Show::money},
                                    {"binds", "binds"},
                                    {"model", "model", Show::text, true},
                                    {"workload", "workload", Show::text, true},
                                    {"requests_per_s", "requests/s", Show::plain, true},
                                    {"peak_requests_per_s", "at peak", Show::plain, true},
                                    {"context_tokens", "context", Show::plain, true},
                                    {"requests_in_flight", "in flight", Show::plain, true},
                                    {"kv_at_peak_gb", "KV GB", Show::plain, true},
                                    {"spare_instances", "spares", Show::plain, true},
                                    {"percentile", "percentile", Show::plain, true},
                                    {"tpot_limit_ms", "limit", Show::plain, true},
                                    {"optimality_gap", "gap", Show::plain, true},
                                    {"feasible", "feasible", Show::text, true},
                                    {"reason", "reason", Show::text, true},
                                    {"fidelity", "fidelity", Show::text, true}};
  list.insert(list.end(), rest.begin(), rest.end());
  return list;
}

std::string contract_text(const Rented& rented) {
  return rented.contract.reserved ? "reserved" : rented.all_day ? "on demand" : "in peak hours";
}

std::string rented_text(const Plan& plan, const Space& space) {
  std::vector<std::string> parts;
  for (const Rented& r : plan.rented) {
    const Candidate& c = r.sized->candidate;
    parts.push_back(fmt::format("{} x {} ({}) {}", r.instances, label(c), pools_text(c, space),
                                contract_text(r)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// One thing to compare: the best plan, and those with less to choose from.
struct Alternative {
  std::string name;
  Choice choice;
};

std::vector<Alternative> alternatives(const std::vector<HardwareSpec>& chips) {
  std::vector<Alternative> list = {{"best", {}}, {"without AFD", {.afd = false, .only_chip = {}}}};
  for (size_t c = 0; chips.size() > 1 && c < chips.size(); ++c)
    list.push_back({chips[c].name + " alone", {.afd = true, .only_chip = c}});
  return list;
}

std::vector<Cell> row(const Alternative& alternative, const Plan& plan, const PlanInput& input,
                      const SweepPoint& swept) {
  const Workload& w = *input.workload;
  const bool there = plan.impossible.empty();
  const auto number = [&](double value) { return there ? Cell(value) : Cell(); };
  const auto count = [&](std::int64_t value) { return there ? Cell(value) : Cell(); };
  std::vector<Cell> cells = {alternative.name};
  append(cells, swept);
  const double ratio = plan.ffn_gpus > 0 ? static_cast<double>(plan.attention_gpus) /
                                               static_cast<double>(plan.ffn_gpus)
                                         : 0;
  const std::vector<Cell> rest = {
      there ? rented_text(plan, *input.space) : std::string("none: " + plan.impossible),
      count(plan.gpus),
      count(plan.attention_gpus),
      count(plan.ffn_gpus),
      plan.ffn_gpus > 0 ? Cell(ratio) : Cell(),
      number(plan.utilisation),
      number(plan.tpot_mean / millisecond),
      number(plan.tpot_at_percentile / millisecond),
      number(plan.monthly_usd),
      number(plan.usd_per_mtok),
      plan.binds,
      input.setting->model->name,
      w.name,
      w.traffic.requests_per_s,
      peak_rate(w.traffic),
      input.setting->context,
      number(plan.requests_in_flight),
      number(plan.kv_bytes_at_peak / 1e9),
      count(plan.spare_instances),
      100 * w.target.percentile,
      w.target.tpot / millisecond,
      number(plan.gap),
      std::string(there ? "yes" : "no"),
      plan.impossible,
      fidelity_text(*input.space->chips)};
  cells.insert(cells.end(), rest.begin(), rest.end());
  return cells;
}

std::string batch_text(const Sized& sized) {
  return fmt::format("{} of {} requests in flight at most ({} sets it), {:.3g} requests/s each",
                     label(sized.candidate), static_cast<std::int64_t>(sized.most), sized.limit,
                     sized.requests_per_s);
}

void note_plan(Table& table, const Plan& plan, const PlanInput& input, const SweepPoint& swept) {
  const std::string start = swept.empty() ? "Best: " : text(swept) + ": ";
  std::vector<std::string> lines;
  for (const Rented& r : plan.rented) {
    lines.push_back(fmt::format(
        "{} instance{} {} of {}; splits {}, {} micro-batches; {}", r.instances,
        r.instances == 1 ? "" : "s", contract_text(r), pools_text(r.sized->candidate, *input.space),
        parallelism(r.sized->candidate), r.sized->candidate.micro_batches, batch_text(*r.sized)));
  }
  table.notes.push_back(fmt::format(
      "{}{}. At the peak {:.0f} requests in flight hold {:.0f} GB of KV (p{:g}); {} of the "
      "instances spare.",
      start, fmt::join(lines, "; "), plan.requests_in_flight, plan.kv_bytes_at_peak / 1e9,
      100 * input.workload->target.percentile, plan.spare_instances));
  if (plan.gap > 0)
    table.notes.push_back(
        fmt::format("Not proven the cheapest: {:.2f} % is possible.", 100 * plan.gap));
}

/// What a run collects over the points of its sweeps.
struct Collected {
  std::string fidelity;
  Table table;
  std::vector<SweptCost> costs;
  bool possible = true;
};

void note_workload(Table& table, const Workload& w) {
  table.notes.push_back(fmt::format(
      "Traffic: {:g} requests/s, {:g} at the peak; {}. While decoding: context {:.0f} tokens on "
      "average over "
      "steps (deviation {:.0f}), {:.0f} tokens out.",
      w.traffic.requests_per_s, peak_rate(w.traffic), w.traffic.origin, w.traffic.mix.context,
      std::sqrt(w.traffic.mix.context_variance), w.traffic.mix.output_tokens));
}

/// An impossible target: the fastest there is, or what is missing.
std::string nearest(const Explored& found, const Space& space, const Target& target) {
  if (!found.fastest)
    return fmt::format("No deployment of up to {} accelerators fits the memory.", space.max_gpus);
  const Candidate& c = *found.fastest;
  return fmt::format("Nearest to {}: {:.2f} ms by {} ({}).", human(target.tpot), c.goals.tpot_ms,
                     label(c), pools_text(c, space));
}

void plan_point(Collected& out, PlanArgs args, const SweepPoint& swept, Workload workload) {
  apply_sweep(swept, args);
  apply_to(swept, workload);
  workload.target.tpot = positive<Dimension{.time = 1}>(args.tpot, "--tpot");
  std::vector<HardwareSpec> chips = chips_of(args);
  PlanInput input{.space = nullptr,
                  .setting = nullptr,
                  .workload = &workload,
                  .offers = offers_for(workload, chips)};
  price_by_offers(chips, input.offers);
  out.fidelity = fidelity_text(chips);
  Space space = space_of(args, chips);
  if (space.inventory.empty() && std::any_of(input.offers.begin(), input.offers.end(),
                                             [](const Offer& o) { return o.limit.has_value(); })) {
    for (const Offer& offer : input.offers)
      space.inventory.push_back(offer.limit.value_or(space.max_gpus));
  }
  const std::vector<Prepared> prepared = prepared_models(args);
  if (prepared.size() != 1) throw UsageError("plan takes one model at a time");
  Setting setting = setting_of(args, prepared.front(), 1);
  setting.context = workload.traffic.mix.context;
  input.space = &space, input.setting = &setting;
  ExploreOptions options;
  options.shapes = true, options.threads = args.threads, options.stop = &watch_interrupts();
  const Explored found = explore(space, setting, options);
  if (!found.complete) throw UsageError("interrupted");
  const std::vector<Sized> sized = size_all(found.shapes, input);
  if (out.table.columns.empty()) {
    out.table.columns = columns(swept);
    note_workload(out.table, workload);
  }
  for (const Alternative& alternative : alternatives(chips)) {
    const Plan plan = make_plan(sized, input, alternative.choice);
    out.table.rows.push_back(row(alternative, plan, input, swept));
    const bool there = plan.impossible.empty();
    if (there && !swept.empty())
      out.costs.push_back(
          {prepared.front().model.name, alternative.name, swept.back().number, plan.usd_per_mtok});
    if (alternative.name != "best") continue;
    if (there) note_plan(out.table, plan, input, swept);
    if (!there && found.shapes.empty())
      out.table.notes.push_back(nearest(found, space, workload.target));
    out.possible = out.possible && there;
  }
}

Chart picture(const std::vector<SweptCost>& costs, const std::string& parameter) {
  std::vector<SweepPointDrawn> points;
  for (const SweptCost& cost : costs) points.push_back({cost.choice, cost.at, cost.usd_per_mtok});
  return sweep_chart(points, parameter, "USD per 1M tokens");
}

int run(PlanArgs args) {
  const Format format = format_of(args.output);
  if (!args.plot.empty()) check_picture(args.plot);
  if (!args.plot.empty() && args.sweeps.empty())
    throw UsageError("--plot draws a sweep; give --sweep too");
  const Workload workload = read_workload(yaml::parse_file(args.workload), args.workload);
  if (args.models.empty() && workload.model.empty())
    throw UsageError(fmt::format("{} names no model; give -m MODEL", args.workload));
  if (args.models.empty()) args.models = {workload.model};
  if (args.hardware.empty()) {
    for (const Offer& offer : workload.offers) args.hardware.push_back(offer.chip);
  }
  if (args.hardware.empty())
    throw UsageError(fmt::format("{} lists no chips; give --on CHIP,..", args.workload));
  if (args.tpot.empty()) args.tpot = fmt::format("{} ms", workload.target.tpot / millisecond);
  Collected out;
  out.table.title = "What to rent for " + workload.name;
  const auto points = sweep_points(args.sweeps, extra);
  for (const SweepPoint& point : points) plan_point(out, args, point, workload);
  out.table.notes.push_back(fmt::format("Fidelity: {}. A month has 730 hours.", out.fidelity));
  if (const std::string note = what_ifs(args, speculation_of(args)); !note.empty())
    out.table.notes.push_back(note);
  if (!args.sweeps.empty()) {
    std::vector<SweptCost> others;
    std::copy_if(out.costs.begin(), out.costs.end(), std::back_inserter(others),
                 [](const SweptCost& c) { return c.choice != "best"; });
    for (const std::string& line : break_evens(others, points.front().back().parameter))
      out.table.notes.push_back("Cheapest beside AFD over several chips, " + line);
  }
  if (!args.plot.empty()) draw(picture(out.costs, points.front().back().parameter), args.plot);
  emit(out.table, args.output);
  if (format == Format::csv || format == Format::json) {
    for (const std::string& note : out.table.notes) fmt::print(stderr, "{}\n", note);
  }
  return out.possible ? exit_done : exit_no;
}

}  // namespace

Verb plan_command(CLI::App& app) {
  auto args = std::make_shared<PlanArgs>();
  args->models.clear();
  args->hardware.clear();
  args->tpot.clear();
  Verb verb(app, "plan", "What to rent for a traffic, and what it costs a month");
  verb.required("workload", args->workload,
                "Workload file: traffic, target, chips with prices and limits");
  add_search(verb, *args);
  add_sweep(verb, args->sweeps);
  verb.text("--plot", args->plot, "Draw the sweep: FILE.svg, .png or .gp", "FILE");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
