#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "cli/commands.hpp"
#include "cli/sweep.hpp"
#include "cli/timeline.hpp"
#include "error.hpp"
#include "report/frontier_chart.hpp"
#include "report/output_file.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"

namespace afford::cli {
namespace {

struct SimulateArgs : DeploymentArgs {
  double jitter = 0;
  int seed = 1, steps = 50;
  bool timeline = false;
  std::string trace;
  std::vector<std::string> sweeps;
};

std::vector<Column> columns() {
  return {{"model", "model"},
          {"deployment", "deployment"},
          {"context_tokens", "context", Show::tokens},
          {"gpus", "GPUs", Show::plain},
          {"batch", "batch", Show::plain},
          {"micro_batches", "mb", Show::plain},
          {"tpot_ms", "TPOT ms", Show::plain},
          {"tokens_per_gpu_s", "tok/s/GPU", Show::plain},
          {"usd_per_mtok", "USD/Mtok", Show::money},
          {"attention_us", "attn us", Show::plain},
          {"a2f_us", "A->F us", Show::plain},
          {"ffn_us", "FFN us", Show::plain},
          {"f2a_us", "F->A us", Show::plain},
          {"bound", "bound"},
          {"feasible", "feasible"},
          {"reason", "reason"},
          {"attention_hardware", "attention on", Show::text, true},
          {"ffn_hardware", "FFN on", Show::text, true},
          {"tpot_p50_ms", "p50", Show::plain, true},
          {"tpot_p99_ms", "p99", Show::plain, true},
          {"attention_busy", "attention busy", Show::plain, true},
          {"ffn_busy", "FFN busy", Show::plain, true},
          {"bubble", "bubble", Show::plain, true},
          {"head_us", "head us", Show::plain, true},
          {"attention_memory_gb", "attention GB", Show::plain, true},
          {"ffn_memory_gb", "FFN GB", Show::plain, true},
          {"largest_batch", "largest batch", Show::plain, true},
          {"tokens_per_step", "tok/step", Show::plain, true},
          {"fidelity", "fidelity", Show::text, true},
          {"tpot_low_ms", "TPOT from", Show::plain, true},
          {"tpot_high_ms", "TPOT to", Show::plain, true},
          {"usd_low_per_mtok", "USD from", Show::money, true},
          {"usd_high_per_mtok", "USD to", Show::money, true}};
}

/// The closed form, and for AFD the events: exact where layer kinds differ, and the only way with
/// jitter.
struct Simulated {
  Evaluation evaluation;
  PipelineResult pipeline;
  Interval interval;
  bool has_events = false;
};

/// The evaluations of uneven micro-batches, each as if all had its size, and what the pipeline
/// needs of them.
struct Uneven {
  std::vector<Evaluation> evaluations;
  std::vector<MicroBatchLoad> loads;
};

Uneven uneven(const Deployment& deployment, const Setting& setting) {
  Uneven out;
  out.evaluations.reserve(deployment.micro_batch_sizes.size());  // loads point into them
  for (const std::int64_t size : deployment.micro_batch_sizes) {
    Disaggregated d = *deployment.disaggregated;
    d.batch = size * d.micro_batches;
    const Evaluation& e = out.evaluations.emplace_back(evaluate(d, setting));
    out.loads.push_back({std::span(e.runs.data(), e.kinds), e.head});
  }
  return out;
}

Simulated simulate(const Deployment& deployment, const Setting& setting, const SimulateArgs& args) {
  Simulated out;
  out.interval = interval_of(deployment, setting);
  if (deployment.colocated) {
    out.evaluation = evaluate(*deployment.colocated, setting);
    out.pipeline.mean = out.pipeline.p50 = out.pipeline.p99 = out.evaluation.step;
    return out;
  }
  const Disaggregated& d = *deployment.disaggregated;
  Evaluation& e = out.evaluation = evaluate(d, setting);
  const Jitter jitter{.sigma = args.jitter,
                      .attention_instances = d.attention.instances,
                      .ffn_instances = d.ffn.instances,
                      .seed = static_cast<std::uint64_t>(args.seed)};
  const Uneven sizes = uneven(deployment, setting);
  const PipelineLoad load{std::span(e.runs.data(), e.kinds), e.head, d.micro_batches, sizes.loads};
  out.pipeline = simulate_pipeline(load, jitter, args.steps, args.timeline || !args.trace.empty());
  out.has_events = true;
  const double ratio = out.pipeline.mean / e.step;
  e.step = out.pipeline.mean, e.tpot = ratio * e.tpot, e.cost = ratio * e.cost,
  e.tokens_per_gpu = e.tokens_per_gpu / ratio;
  if (e.verdict == Verdict::feasible || e.verdict == Verdict::slow) {
    e.verdict = e.tpot > setting.tpot_limit ? Verdict::slow : Verdict::feasible;
  }
  return out;
}

bool is_calibrated(const Deployment& deployment) {
  return std::any_of(deployment.chips.begin(), deployment.chips.end(),
                     [](const HardwareSpec& chip) { return chip.measured != nullptr; });
}

Cell or_nothing(bool there, double value) { return there ? Cell(value) : Cell(); }

std::vector<Cell> row(const Prepared& prepared, const Deployment& deployment,
                      const Setting& setting, const Simulated& s) {
  const Evaluation& e = s.evaluation;
  const StageTimes& main = e.runs[e.main_kind].stages;
  const double per_step = tokens_per_step(setting.speculation);
  const bool known = is_calibrated(deployment);
  const int micro_batches = deployment.disaggregated ? deployment.disaggregated->micro_batches
                                                     : deployment.colocated->micro_batches;
  return {prepared.model.name,
          deployment.label,
          static_cast<std::int64_t>(setting.context),
          e.gpus,
          static_cast<std::int64_t>(e.batch),
          std::int64_t{micro_batches},
          e.tpot / millisecond,
          e.tokens_per_gpu.base(),
          e.cost / usd_per_mtok,
          main.attention / microsecond,
          main.a2f / microsecond,
          main.ffn / microsecond,
          main.f2a / microsecond,
          std::string(e.bound),
          std::string(e.verdict == Verdict::feasible ? "yes" : "no"),
          reason(e, setting),
          deployment.chips.front().name,
          deployment.chips.back().name,
          s.pipeline.p50 / per_step / millisecond,
          s.pipeline.p99 / per_step / millisecond,
          or_nothing(s.has_events, s.pipeline.busy[0]),
          or_nothing(s.has_events, s.pipeline.busy[2]),
          or_nothing(s.has_events, s.pipeline.bubble),
          e.head / microsecond,
          e.attention_memory.total() / GB,
          or_nothing(s.has_events, e.ffn_memory.total() / GB),
          e.largest_batch,
          per_step,
          fidelity_of(deployment),
          or_nothing(known, s.interval.low * e.tpot / millisecond),
          or_nothing(known, s.interval.high * e.tpot / millisecond),
          or_nothing(known, s.interval.low * e.cost / usd_per_mtok),
          or_nothing(known, s.interval.high * e.cost / usd_per_mtok)};
}

void explain_ops(std::string& out, std::string_view title, const OpList& ops) {
  out += fmt::format("  {} {:.1f} us\n", title, ops.time() / microsecond);
  for (const Op& op : ops) {
    out += fmt::format(
        "    {:<24}{:>8.1f} us  {:<9}{:>4} kernel{} {:>9} FLOP {:>8} B weights {:>8} B cache {:>8} "
        "B "
        "moved{}{}\n",
        op.name, op.time / microsecond, name_of(op.bound), op.kernels, op.kernels == 1 ? " " : "s",
        shown(Cell(op.flops.base()), Show::scientific),
        shown(Cell(op.weights.base()), Show::scientific),
        shown(Cell(op.cache.base()), Show::scientific),
        shown(Cell(op.moved.base()), Show::scientific), op.hidden ? "  (hidden)" : "",
        op.beyond ? "  (outside the measured range)" : "");
  }
}

std::string memory_text(std::string_view pool, const MemoryUse& m) {
  return fmt::format("  {} memory an accelerator: weights {}, cache {}, buffers {}, of {} usable\n",
                     pool, human(m.weights), human(m.cache), human(m.buffers), human(m.capacity));
}

/// How evenly the experts are loaded; the noise of few tokens has no closed form and is sampled.
std::string expert_load_text(const ExpertLayout& layout, double tokens, const Setting& setting,
                             int seed) {
  constexpr int samples = 100;
  const ExpertLoad load = expected_load(layout, tokens, setting.routing);
  const double sampled = sampled_busiest_group(layout, std::llround(tokens), setting.routing,
                                               static_cast<std::uint64_t>(seed), samples);
  return fmt::format(
      "  expert load ({}): {:.1f} of {} experts active, busiest expert {:.0f} tokens, busiest of "
      "{} groups "
      "{:.0f} pairs "
      "(mean {:.0f}; {:.0f} with sampling noise, seed {})\n",
      setting.routing.name, load.active_experts, layout.experts, load.busiest_expert, layout.groups,
      load.busiest_group, load.mean_group, sampled, seed);
}

std::string explanation(const Prepared& prepared, const Deployment& deployment,
                        const Setting& setting, const Simulated& s, int seed) {
  const Evaluation& e = s.evaluation;
  const LayerKind& kind = prepared.model.layer_kinds[e.main_kind];
  std::string out = fmt::format(
      "\n{} {} at {} tokens: one layer of {}/{} and one micro-batch, on one accelerator\n",
      prepared.model.name, deployment.label, setting.context,
      prepared.model.attentions[kind.attention].name, prepared.model.ffns[kind.ffn].name);
  const StageOps ops = deployment.disaggregated
                           ? stage_ops(*deployment.disaggregated, setting, e.main_kind)
                           : stage_ops(*deployment.colocated, setting, e.main_kind);
  explain_ops(out, "attention", ops.attention);
  explain_ops(out, "FFN", ops.ffn);
  const StageTimes& main = e.runs[e.main_kind].stages;
  out += fmt::format("  network: A->F {:.1f} us, F->A {:.1f} us, at the same time\n",
                     main.a2f / microsecond, main.f2a / microsecond);
  for (size_t k = 0; k < e.kinds; ++k) {
    const StageTimes& t = e.runs[k].stages;
    out += fmt::format(
        "  {} layers of {}/{}: attention {:.0f}, A->F {:.0f}, FFN {:.0f}, F->A {:.0f} us; slack of "
        "attention "
        "{:.0f}, FFN {:.0f} us\n",
        e.runs[k].layers, prepared.model.attentions[prepared.model.layer_kinds[k].attention].name,
        prepared.model.ffns[prepared.model.layer_kinds[k].ffn].name, t.attention / microsecond,
        t.a2f / microsecond, t.ffn / microsecond, t.f2a / microsecond,
        (t.longest() - t.attention) / microsecond, (t.longest() - t.ffn) / microsecond);
  }
  if (s.has_events) {
    out += fmt::format("  attention pool busy {:.1f} %, FFN pool busy {:.1f} %, bubble {:.1f} %\n",
                       100 * s.pipeline.busy[0], 100 * s.pipeline.busy[2], 100 * s.pipeline.bubble);
  }
  if (const Moe* moe = std::get_if<Moe>(&prepared.model.ffns[kind.ffn].shape)) {
    const bool afd = deployment.disaggregated.has_value();
    const double tokens =
        e.batch /
        (afd ? deployment.disaggregated->micro_batches : deployment.colocated->micro_batches) *
        (setting.speculation.drafts + 1);
    const std::int64_t groups =
        afd ? deployment.disaggregated->ffn_split.expert
            : (deployment.colocated->tensor > 1 ? 1 : deployment.colocated->pool.size());
    const std::int64_t replicas = afd ? deployment.disaggregated->ffn.size() /
                                            (groups * deployment.disaggregated->ffn_split.tensor)
                                      : 1;
    out += expert_load_text({moe->experts, moe->active, groups, setting.redundant_experts},
                            tokens / static_cast<double>(replicas), setting, seed);
  }
  out += memory_text("attention", e.attention_memory);
  if (s.has_events) out += memory_text("FFN", e.ffn_memory);
  return out;
}

void check(const SimulateArgs& args) {
  (void)format_of(args.output);
  if ((args.explain || args.timeline) && args.output.format != "table") {
    throw UsageError("--explain and --timeline go with --format table");
  }
  if (!(args.jitter >= 0 && args.jitter <= 2))
    throw UsageError("--jitter: expected a standard deviation from 0 to 2");
  if (args.steps < 1 || args.steps > 100'000) throw UsageError("--steps: expected 1 to 100000");
  if (!args.plot.empty()) check_picture(args.plot);
  if (!args.plot.empty() && args.sweeps.empty())
    throw UsageError("--plot draws a sweep; give --sweep too");
  const bool events = args.timeline || !args.trace.empty() || args.jitter > 0;
  if (events && args.attention.empty() && !args.colocated.empty()) {
    throw UsageError("--timeline, --trace and --jitter are for --attention and --ffn pools");
  }
  if (!args.micro_batch_sizes.empty() && args.attention.empty())
    throw UsageError("--micro-batch-sizes is for --attention and --ffn pools");
}

std::string chips_text(const Deployment& deployment) {
  const std::string &first = deployment.chips.front().name, &last = deployment.chips.back().name;
  return first == last ? first : first + " + " + last;
}

/// What a run collects over its models, deployments and contexts.
struct Collected {
  Table table;
  std::string after;
  std::vector<SweptCost> swept_costs;
  std::vector<HardwareSpec> chips;
  bool all_feasible = true;
};

/// What the calibrations say beyond the number: its interval, and where a curve is extrapolated.
void add_calibration_notes(Collected& out, const Deployment& deployment, const Setting& setting,
                           const Simulated& s) {
  if (!is_calibrated(deployment)) return;
  const Evaluation& e = s.evaluation;
  out.table.notes.push_back(fmt::format(
      "{} at {} tokens: TPOT {:.2f} to {:.2f} ms, {:.3f} to {:.3f} USD/Mtok, from the left-out "
      "errors of the curves.",
      deployment.label, setting.context, s.interval.low * e.tpot / millisecond,
      s.interval.high * e.tpot / millisecond, s.interval.low * e.cost / usd_per_mtok,
      s.interval.high * e.cost / usd_per_mtok));
  const std::vector<std::string> beyond = beyond_measured(deployment, setting);
  if (beyond.empty()) return;
  out.table.notes.push_back(
      fmt::format("{} at {} tokens: outside the measured range of its curve: {}.", deployment.label,
                  setting.context, fmt::join(beyond, ", ")));
}

void add(Collected& out, const Prepared& prepared, const Deployment& deployment,
         const Setting& setting, const SimulateArgs& args, const SweepPoint& swept) {
  const Simulated s = simulate(deployment, setting, args);
  out.table.rows.push_back(row(prepared, deployment, setting, s));
  out.chips.insert(out.chips.end(), deployment.chips.begin(), deployment.chips.end());
  if (swept.empty()) add_calibration_notes(out, deployment, setting, s);
  append(out.table.rows.back(), swept);
  if (!swept.empty() && s.evaluation.verdict == Verdict::feasible) {
    const SweepPoint others(swept.begin(), swept.end() - 1);
    out.swept_costs.push_back({prepared.model.name + (others.empty() ? "" : ", " + text(others)),
                               fmt::format("{} on {}", deployment.label, chips_text(deployment)),
                               swept.back().number, s.evaluation.cost / usd_per_mtok});
  }
  out.all_feasible = out.all_feasible && s.evaluation.verdict == Verdict::feasible;
  if (args.explain) out.after += explanation(prepared, deployment, setting, s, args.seed);
  if (!s.has_events) return;
  if (!deployment.micro_batch_sizes.empty()) {
    out.table.notes.push_back(fmt::format(
        "{} with micro-batches of {} requests; the stage times shown are those of their mean size.",
        deployment.label, fmt::join(deployment.micro_batch_sizes, ", ")));
  }
  if (args.timeline)
    out.after += terminal_timeline(s.pipeline.events, deployment.disaggregated->micro_batches);
  if (!args.trace.empty()) write_whole(args.trace, chrome_trace(s.pipeline.events));
  if (args.jitter > 0) {
    const double per_token = 1 / tokens_per_step(setting.speculation) / millisecond.base();
    out.table.notes.push_back(
        fmt::format("{} with jitter {} (seed {}): TPOT p50 {:.2f}, p99 {:.2f} ms at {} tokens.",
                    deployment.label, args.jitter, args.seed, s.pipeline.p50.base() * per_token,
                    s.pipeline.p99.base() * per_token, setting.context));
  }
}

/// The picture of a sweep, and where one deployment becomes cheaper than the other.
void finish_sweep(Collected& out, const SimulateArgs& args, const SweepPoint& point) {
  if (args.sweeps.empty()) return;
  const std::string& parameter = point.back().parameter;
  for (const std::string& line : break_evens(out.swept_costs, parameter))
    out.table.notes.push_back("Cheapest for " + line);
  if (args.plot.empty()) return;
  std::vector<SweepPointDrawn> drawn;
  for (const SweptCost& cost : out.swept_costs)
    drawn.push_back({cost.group + ", " + cost.choice, cost.at, cost.usd_per_mtok});
  draw(sweep_chart(drawn, parameter, "USD per 1M tokens"), args.plot);
}

int run(const SimulateArgs& args) {
  check(args);
  Collected out{
      .table = {.title = "Deployments in detail", .columns = columns(), .rows = {}, .notes = {}},
      .after = {}};
  const auto points = sweep_points(args.sweeps);
  for (Column& column : sweep_columns(points.front()))
    out.table.columns.push_back(std::move(column));
  for (const SweepPoint& point : points) {
    SimulateArgs applied = args;
    apply_sweep(point, applied);
    for (const Prepared& prepared : prepared_models(applied)) {
      for (const Deployment& deployment : deployments_of(applied, prepared.model)) {
        for (const std::int64_t context : contexts_of(applied))
          add(out, prepared, deployment, setting_of(applied, prepared, context), applied, point);
      }
    }
  }
  finish_sweep(out, args, points.front());
  out.table.notes.insert(out.table.notes.begin(),
                         fmt::format("Fidelity: {}. Stage times: one layer, one micro-batch.",
                                     fidelity_text(out.chips)));
  if (const std::string note = what_ifs(args, speculation_of(args)); !note.empty())
    out.table.notes.push_back(note);
  emit(out.table, args.output, out.after);
  return out.all_feasible ? exit_done : exit_no;
}

}  // namespace

Verb simulate_command(CLI::App& app) {
  auto args = std::make_shared<SimulateArgs>();
  args->models.clear();
  args->contexts = {"4k"};
  Verb verb(app, "simulate", "One deployment in detail: AFD pools, or co-located EP or TP");
  add_deployment(verb, *args);
  verb.real("--jitter", args->jitter, "Standard deviation of the log of each stage's time");
  verb.integer("--seed", args->seed, "Seed of the jitter");
  verb.integer("--steps", args->steps, "Steps to simulate");
  verb.flag("--timeline", args->timeline, "Draw the pipeline");
  verb.text("--trace", args->trace, "Write the last step as a Chrome trace (opens in Perfetto)",
            "FILE.json");
  verb.flag("--explain", args->explain, "Every operation with its bytes, FLOPs and what binds");
  add_sweep(verb, args->sweeps);
  verb.text("--plot", args->plot, "Draw the sweep: FILE.svg, .png or .gp", "FILE");
  add_output(verb, args->output);
  verb.run = [args] {
    if (args->models.empty()) throw UsageError("simulate needs -m MODEL");
    return run(*args);
  };
  return verb;
}

}  // namespace afford::cli
