#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "cli/deployment_args.hpp"
#include "cli/kernel_tables.hpp"
#include "deploy/weak_card.hpp"
#include "error.hpp"
#include "ideal/matching.hpp"
#include "load/source_reader.hpp"
#include "text/quantity.hpp"

namespace afford::cli {
namespace {

using yaml::Section;

enum class Kind { afd, colocated, attention_layer, kernel, min_sparsity, weak_card };
constexpr std::pair<std::string_view, Kind> kind_names[] = {
    {"afd", Kind::afd},
    {"colocated", Kind::colocated},
    {"attention_layer", Kind::attention_layer},
    {"kernel", Kind::kernel},
    {"min_sparsity", Kind::min_sparsity},
    {"weak_card", Kind::weak_card}};

/// One set of assumptions, for all cases of a system.
struct System {
  std::string about;
  bool calibrated = false;  // on the calibration of its chips, and left out where there is none
  DeploymentArgs args;
  Engine engine;
  Seconds between_steps;
};

struct Case {
  std::string name, system, quantity, source;
  Kind kind = Kind::afd;
  double published = 0, tolerance_pct = 0;
  DeploymentArgs args;  // the system's, with the case's deployment
  std::int64_t context = 0;
};

struct Cases {
  Sources sources;
  std::map<std::string, System> systems;
  std::vector<Case> list;
};

System read_system(const Section& list, const std::string& name, const Sources& sources) {
  const Section in = list.child(
      name, {"about", "source", "attention_dtype", "drafts", "acceptance", "redundant",
             "micro_batches", "nic_bandwidth", "kernel", "grouped_compute", "between_steps",
             "attention_memory", "attention_tile", "gemm_tile", "calibrated"});
  (void)read_source(in, sources);
  System system{.about = in.text("about"), .args = {}, .engine = {}};
  system.calibrated = in.has("calibrated") && in.boolean("calibrated");
  system.args.calibration = "none";
  system.args.tpot = "10 s";  // a published run is a fact, whatever its TPOT
  if (in.has("attention_dtype")) system.args.attention_dtype = in.text("attention_dtype");
  if (in.has("drafts")) system.args.drafts = static_cast<int>(in.integer("drafts", {1, 16}));
  if (in.has("acceptance")) system.args.acceptance = in.real("acceptance", 0, 1);
  if (in.has("redundant"))
    system.args.redundant = static_cast<int>(in.integer("redundant", {0, 4096}));
  if (in.has("micro_batches"))
    system.args.micro_batches = static_cast<int>(in.integer("micro_batches", {1, 64}));
  if (in.has("nic_bandwidth")) system.args.nic = in.text("nic_bandwidth");
  if (in.has("between_steps"))
    system.between_steps = in.quantity<Dimension{.time = 1}>("between_steps");
  if (in.has("kernel")) system.engine.kernel = in.quantity<Dimension{.time = 1}>("kernel");
  if (in.has("grouped_compute"))
    system.engine.grouped_compute = in.real("grouped_compute", 0.01, 1);
  if (in.has("attention_memory"))
    system.engine.attention_memory = in.real("attention_memory", 0.01, 1);
  if (in.has("attention_tile"))
    system.engine.attention_tile = static_cast<double>(in.integer("attention_tile", {1, 1024}));
  if (in.has("gemm_tile"))
    system.engine.gemm_tile = static_cast<double>(in.integer("gemm_tile", {1, 1024}));
  return system;
}

Case read_case(const Section& root, const yaml::Node& item, const Cases& cases) {
  const Section in = root.element(
      "cases", item,
      {"name", "system", "kind", "quantity", "model", "attention", "ffn", "pool", "tensor",
       "drafts", "weight_dtype", "batch", "context", "published", "tolerance_pct", "source"});
  Case out{.name = in.text("name"),
           .system = in.text("system"),
           .quantity = in.text("quantity"),
           .source = read_source(in, cases.sources)};
  const auto system = cases.systems.find(out.system);
  if (system == cases.systems.end())
    in.fail("system", fmt::format("no system '{}' in 'systems'", out.system));
  out.kind = in.choice("kind", kind_names);
  out.published = in.real("published", 1e-9, 1e15);
  out.tolerance_pct = in.real("tolerance_pct", 0, 100);
  out.args = system->second.args;
  out.args.models = {in.text("model")};
  if (in.has("context")) out.context = in.integer("context", {1, 1'000'000'000});
  const int batch = in.has("batch") ? static_cast<int>(in.integer("batch", {1, 1'000'000})) : 0;
  if (in.has("drafts")) out.args.drafts = static_cast<int>(in.integer("drafts", {1, 16}));
  if (in.has("weight_dtype")) out.args.weight_dtype = in.text("weight_dtype");
  if (out.kind == Kind::afd) {
    out.args.attention = in.text("attention"), out.args.ffn = in.text("ffn"),
    out.args.batch = batch;
  } else {
    out.args.colocated = in.text("pool"), out.args.batch_per_gpu = std::max(batch, 2);
    if (in.has("tensor")) out.args.tensor = static_cast<int>(in.integer("tensor", {1, 4096}));
  }
  return out;
}

Cases read_cases() {
  const std::string file = (data_folder() / "validation" / "cases.yaml").string();
  const yaml::Node node = yaml::parse_file(file);
  const Section root =
      Section::root(file, node, "validation", {"schema", "sources", "systems", "cases"});
  Cases cases{.sources = read_sources(root), .systems = {}, .list = {}};
  const Section systems = root.names("systems");
  for (const std::string& name : systems.keys())
    cases.systems[name] = read_system(systems, name, cases.sources);
  for (const yaml::Node& item : root.value("cases", yaml::Node::Kind::sequence).items) {
    cases.list.push_back(read_case(root, item, cases));
  }
  return cases;
}

/// Simulated with events, as `simulate` does without jitter.
double of_deployment(const Case& c, const Deployment& deployment, const Setting& setting) {
  Evaluation e = deployment.disaggregated ? evaluate(*deployment.disaggregated, setting)
                                          : evaluate(*deployment.colocated, setting);
  double faster = 1;
  if (deployment.disaggregated) {
    const PipelineLoad load{std::span(e.runs.data(), e.kinds), e.head,
                            deployment.disaggregated->micro_batches};
    faster = e.step / simulate_pipeline(load, {}, 50).mean;
  }
  if (c.quantity == "tokens_per_gpu_s") return e.tokens_per_gpu.base() * faster;
  if (c.quantity == "step_ms") return e.step / millisecond / faster;
  throw UsageError(
      fmt::format("validation: case '{}' has an unknown quantity '{}'", c.name, c.quantity));
}

double of_kernel(const Case& c, const Deployment& deployment, const Setting& setting) {
  const Evaluation e = evaluate(*deployment.colocated, setting);
  const StageTimes& main = e.runs[e.main_kind].stages;
  if (c.quantity == "dispatch") return main.a2f / microsecond;
  if (c.quantity == "combine") return main.f2a / microsecond;
  const StageOps ops = stage_ops(*deployment.colocated, setting, e.main_kind);
  for (const OpList* list : {&ops.attention, &ops.ffn}) {
    for (const Op& op : *list) {
      if (op.name == c.quantity) return op.time / microsecond;
    }
  }
  throw UsageError(
      fmt::format("validation: case '{}' names no operation: '{}'", c.name, c.quantity));
}

/// One layer's attention with its projections, the whole batch at once, no router.
double of_attention_layer(const Case& c, const Deployment& deployment, const Setting& setting) {
  const Colocated& d = *deployment.colocated;
  const bool tensor = d.tensor > 1;
  const Machine machine(*d.pool.chip, setting.engine, setting.residual);
  const AttentionWork work{.requests = static_cast<double>(d.batch_per_gpu * d.tensor),
                           .context = static_cast<double>(c.context),
                           .instance = d.tensor,
                           .split = tensor ? AttentionSplit::tensor : AttentionSplit::replicated,
                           .overlap = Overlap::none};
  return attention_ops(*setting.model, setting.shapes->back(), work, machine).time() / microsecond;
}

double of_weak_card(const Case& c, const ModelSpec& model, const HardwareSpec& chip) {
  const Seconds stage(16.6e-3);  // the report's figure for a third of 50 ms
  const WeakCard card = weak_card(model, chip, stage, static_cast<double>(c.context));
  const double server = static_cast<double>(chip.server_accelerators.value);
  if (c.quantity == "layer_mb") return card.layer / MB;
  if (c.quantity == "projections_mb") return card.projections / MB;
  if (c.quantity == "kv_mb") return card.kv / MB;
  if (c.quantity == "kv_tokens") return card.kv_tokens;
  if (c.quantity == "batch") return card.batch;
  if (c.quantity == "ffn_mb") return card.ffn_layer / MB;
  if (c.quantity == "ffn_cards") return card.ffn_servers * server;
  // The report scales the L20's servers by bandwidth.
  const HardwareSpec l20 = load_hardware({"l20"}).front();
  const double servers = weak_card(model, l20, stage, static_cast<double>(c.context)).ffn_servers;
  return std::ceil(servers * (l20.memory_bandwidth.value / chip.memory_bandwidth.value)) * server;
}

double value_of(const Case& c, const Prepared& prepared, const Deployment& deployment,
                const Setting& setting) {
  const HardwareSpec& chip = deployment.chips.front();
  switch (c.kind) {
    case Kind::afd:
    case Kind::colocated:
      return of_deployment(c, deployment, setting);
    case Kind::kernel:
      return of_kernel(c, deployment, setting);
    case Kind::attention_layer:
      return of_attention_layer(c, deployment, setting);
    case Kind::weak_card:
      return of_weak_card(c, prepared.model, chip);
    case Kind::min_sparsity:
      break;
  }
  return min_sparsity(prepared.model, ridge(chip, Dtype::fp8), server_network(chip), {});
}

/// A prediction and what it rests on; none where a calibrated system finds no calibration for its
/// chips.
struct Prediction {
  double value = 0;
  std::string fidelity;
};

std::optional<Prediction> predict(Case c, const System& system, const std::string& calibration) {
  if (system.calibrated) c.args.calibration = calibration;
  const Prepared prepared = std::move(prepared_models(c.args).front());
  const Deployment deployment = std::move(deployments_of(c.args, prepared.model).front());
  Setting setting = setting_of(c.args, prepared, std::max<std::int64_t>(c.context, 1));
  setting.engine = system.engine;
  setting.between_steps = system.between_steps;
  if (system.calibrated && fidelity_of(deployment) == "roofline") return std::nullopt;
  return Prediction{value_of(c, prepared, deployment, setting), fidelity_of(deployment)};
}

std::string summary(std::vector<double> deviations, size_t outside) {
  std::sort(deviations.begin(), deviations.end());
  const size_t n = deviations.size();
  return fmt::format(
      "{} cases: median |deviation| {:.1f} %, P90 {:.1f} %, worst {:.1f} %; {} outside its "
      "tolerance.",
      n, deviations[n / 2], deviations[n * 9 / 10], deviations.back(), outside);
}

struct ValidateArgs {
  std::string calibration, tables;
  OutputArgs output;
};

std::vector<Column> columns() {
  return {{"case", "case"},
          {"quantity", "quantity"},
          {"published", "published", Show::plain},
          {"predicted", "predicted", Show::plain},
          {"deviation_pct", "deviation", Show::percent},
          {"source", "source", Show::text, true},
          {"tolerance_pct", "tolerance", Show::percent},
          {"within", "within"},
          {"system", "system"},
          {"assumptions", "assumptions", Show::text, true},
          {"fidelity", "fidelity", Show::text, true}};
}

/// The published cases, judged one by one.
struct Judged {
  Table table{
      .title = "Predicted against published", .columns = columns(), .rows = {}, .notes = {}};
  std::vector<double> deviations;
  size_t outside = 0, skipped = 0;
  std::vector<std::string> fidelities;
};

void judge(Judged& out, const Case& c, const Cases& cases, const std::string& calibration) {
  const System& system = cases.systems.at(c.system);
  const std::optional<Prediction> prediction = predict(c, system, calibration);
  if (!prediction) {
    ++out.skipped;
    return;
  }
  const double deviation = 100 * (prediction->value / c.published - 1);
  const bool within = std::fabs(deviation) <= c.tolerance_pct + 1e-9;
  out.deviations.push_back(std::fabs(deviation));
  out.outside += within ? 0 : 1;
  if (std::find(out.fidelities.begin(), out.fidelities.end(), prediction->fidelity) ==
      out.fidelities.end())
    out.fidelities.push_back(prediction->fidelity);
  out.table.rows.push_back({c.name, c.quantity, c.published, prediction->value, deviation,
                            cite(cases.sources, c.source), c.tolerance_pct,
                            std::string(within ? "yes" : "no"), c.system, system.about,
                            prediction->fidelity});
}

void add_notes(Judged& out, const Cases& cases) {
  std::vector<std::string>& notes = out.table.notes;
  notes.push_back(summary(out.deviations, out.outside));
  if (out.skipped > 0) {
    notes.push_back(
        fmt::format("{} calibrated cases left out: no calibration for their chips.", out.skipped));
  }
  const bool calibrated = out.fidelities.size() > 1;
  notes.push_back(fmt::format(
      "Fidelity: roofline with default efficiencies, {}. Assumptions, one set for each system:",
      calibrated ? fmt::format("and where a system says so {}", out.fidelities[1])
                 : "no calibration"));
  for (const auto& [name, system] : cases.systems)
    notes.push_back(fmt::format("  {}: {}.", name, system.about));
  for (const Source& source : cases.sources)
    notes.push_back(fmt::format("  source {}: {} ({}).", source.id, source.what, source.date));
}

/// The points of the kernel tables as further rows, for CSV and JSON.
void add_kernel_rows(Table& out, const KernelTable& table, const KernelCheck& check) {
  for (size_t i = 0; i < table.points.size(); ++i) {
    const KernelPoint& point = table.points[i];
    out.rows.push_back({table.name + ", " + point.name, "kernel_us", point.measured_us,
                        check.predicted_us[i],
                        100 * (check.predicted_us[i] / point.measured_us - 1), table.source, Cell(),
                        Cell(), table.name, table.kernel, check.fidelity});
  }
}

std::vector<KernelCheck> checks_of(const std::vector<KernelTable>& tables,
                                   const std::string& calibration) {
  std::vector<KernelCheck> checks;
  for (const KernelTable& table : tables) checks.push_back(check_kernels(table, calibration));
  return checks;
}

bool all_within(const std::vector<KernelCheck>& checks) {
  return std::all_of(checks.begin(), checks.end(),
                     [](const KernelCheck& check) { return check.within; });
}

/// Only the tables of a folder.
int run_tables(const ValidateArgs& args) {
  const std::vector<KernelTable> tables = read_table_folder(args.tables);
  const std::vector<KernelCheck> checks = checks_of(tables, args.calibration);
  emit(kernel_summary(tables, checks), args.output);
  return all_within(checks) ? exit_done : exit_no;
}

int run(const ValidateArgs& args) {
  if (!args.tables.empty()) return run_tables(args);
  const Cases cases = read_cases();
  Judged judged;
  for (const Case& c : cases.list) judge(judged, c, cases, args.calibration);
  add_notes(judged, cases);
  const std::vector<KernelTable> tables = read_kernel_tables();
  const std::vector<KernelCheck> checks = checks_of(tables, args.calibration);
  const Format format = format_of(args.output);
  if (format == Format::csv || format == Format::json) {
    for (size_t i = 0; i < tables.size(); ++i) add_kernel_rows(judged.table, tables[i], checks[i]);
    emit(judged.table, args.output);
  } else {
    Table kernels = kernel_summary(tables, checks);
    kernels.notes.push_back("The whole tables: validate --tables DIR; not read here.");
    emit(judged.table, args.output, "\n" + render(kernels, format));
  }
  return judged.outside == 0 && all_within(checks) ? exit_done : exit_no;
}

}  // namespace

Verb validate_command(CLI::App& app) {
  auto args = std::make_shared<ValidateArgs>();
  Verb verb(app, "validate",
            "Predictions against published measurements, with deviation and source");
  verb.text("--calibration", args->calibration,
            "Calibration of every chip of its architecture; none: stated default efficiencies",
            "NAME|none");
  verb.text("--tables", args->tables, "Instead: the whole kernel tables in this folder (CSV)",
            "DIR");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
