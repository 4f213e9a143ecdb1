#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "cli/args.hpp"
#include "cli/commands.hpp"
#include "count/params.hpp"
#include "error.hpp"
#include "ideal/matching.hpp"
#include "ideal/roofline.hpp"
#include "kernels/formats.hpp"
#include "report/charts.hpp"
#include "text/quantity.hpp"

namespace afford::cli {
namespace {

struct RooflineArgs : StudyArgs {
  std::string tpot = "50ms", nic;
  int stages = 3;
};

std::vector<Column> columns() {
  return {{"model", "model"},
          {"hardware", "on"},
          {"attention_intensity_flop_per_byte", "intensity", Show::plain},
          {"ridge_flop_per_byte", "ridge", Show::plain},
          {"bound", "bound"},
          {"model_sparsity", "sparsity", Show::plain},
          {"min_sparsity", "min sparsity", Show::plain},
          {"min_ffn_batch_tokens", "min FFN batch", Show::plain},
          {"context_tokens", "context", Show::tokens},
          {"sparsity_ok", "network keeps up", Show::text},
          {"attention_compute_dtype", "attn in", Show::text, true},
          {"tpot_ms", "TPOT ms", Show::plain, true},
          {"stages", "stages", Show::plain, true},
          {"server_network_gb_per_s", "network GB/s", Show::plain, true},
          {"convention", "counting", Show::text, true},
          {"fidelity", "fidelity", Show::text, true}};
}

template <Dimension D>
Quantity<D> positive(const std::string& text, std::string_view flag) {
  std::string why;
  const auto value = parse_quantity<D>(text, why);
  if (!value) throw UsageError(fmt::format("{}: {}", flag, why));
  if (*value <= Quantity<D>(0)) throw UsageError(fmt::format("{}: expected more than zero", flag));
  return *value;
}

PipelineBudget budget_of(const RooflineArgs& args) {
  if (args.stages != 3 && args.stages != 4) {
    throw UsageError(fmt::format("--stages: expected 3 or 4, got {}", args.stages));
  }
  return {.tpot = positive<Dimension{.time = 1}>(args.tpot, "--tpot"), .stages = args.stages};
}

ByteRate network_of(const HardwareSpec& chip, const RooflineArgs& args) {
  if (args.nic.empty()) return server_network(chip);
  const auto nic = positive<Dimension{.time = -1, .byte = 1}>(args.nic, "--nic-bandwidth");
  return static_cast<double>(chip.server_nics.value) * nic;
}

std::vector<Cell> row(const Study& study, size_t m, const HardwareSpec& chip, std::int64_t context,
                      const RooflineArgs& args) {
  const ModelSpec& model = study.models[m];
  const PipelineBudget budget = budget_of(args);
  const Roofs roof = roofs(chip, model.precision);
  const DecodeTime time = ideal_time(study.terms[m], static_cast<double>(context), roof);
  const FlopsPerByte ffn_ridge = roof.ffn / roof.memory;
  const ByteRate network = network_of(chip, args);
  const double model_sparsity = sparsity(model),
               least = min_sparsity(model, ffn_ridge, network, budget);
  return {model.name,
          chip.name,
          attention_intensity(study.terms[m], static_cast<double>(context)).base(),
          (roof.attention / roof.memory).base(),
          std::string(name_of(time.core_bound)),
          model_sparsity,
          least,
          std::ceil(min_ffn_batch(ffn_ridge, model.precision.ffn_weights, model_sparsity) - 1e-9),
          context,
          std::string(model_sparsity >= least ? "yes" : "no"),
          std::string(name_of(precision_on(chip, model.precision).attention_compute)),
          budget.tpot / millisecond,
          std::int64_t{budget.stages},
          network / GB_per_s,
          std::string(name_of(study.convention)),
          std::string("ideal")};
}

Chart chart_of(const Study& study) {
  std::vector<IntensityPoint> points;
  for (size_t m = 0; m < study.models.size(); ++m) {
    for (const std::int64_t context : study.contexts) {
      const DecodeCount count = count_at(study.terms[m], static_cast<double>(context));
      points.push_back({study.models[m].name, context, count.kv.base(), count.attention.base()});
    }
  }
  std::vector<RidgeLine> ridges;
  for (const HardwareSpec& chip : study.chips) {
    const Roofs roof = roofs(chip, study.models.front().precision);
    ridges.push_back({chip.name, (roof.attention / roof.memory).base()});
  }
  return intensity_map(points, ridges);
}

std::string explanation(const RooflineArgs& args) {
  return fmt::format(
      "\nHow to read it (Step-3 report, arXiv 2507.19427, Section 5)\n"
      "  intensity      attention FLOPs / KV bytes of a token; near the ridge a chip is used well\n"
      "  ridge          peak FLOP/s in the attention format / memory bandwidth\n"
      "  sparsity       share of the FFN weights a token visits, shared experts in both\n"
      "  min sparsity   hidden x ridge x layers / (server network x {} / {} / 1.5): below it a "
      "server's NICs "
      "cannot\n"
      "                 feed a batch that keeps the FFN compute-bound (1 byte out, 2 bytes back "
      "per "
      "element)\n"
      "  min FFN batch  ridge x bytes per weight / 2 / sparsity, tokens in one FFN pass\n",
      args.tpot, args.stages);
}

int run(const RooflineArgs& args) {
  const Study study = load_study(args);
  Table table{.title = "Does the model fit the chip?",
              .columns = columns(),
              .rows = {},
              .notes = study.notes};
  for (size_t m = 0; m < study.models.size(); ++m) {
    for (const HardwareSpec& chip : study.chips) {
      for (const std::int64_t context : study.contexts)
        table.rows.push_back(row(study, m, chip, context, args));
    }
  }
  if (!args.plot.empty()) draw(chart_of(study), args.plot);
  emit(table, args.output, args.explain ? explanation(args) : "");
  return 0;
}

}  // namespace

Verb roofline_command(CLI::App& app) {
  auto args = std::make_shared<RooflineArgs>();
  args->convention = "exact";
  args->contexts = {"8k"};
  Verb verb(app, "roofline", "Arithmetic intensity against ridge, FFN batch and sparsity bounds");
  add_study(verb, *args);
  verb.text("--tpot", args->tpot, "Time per output token", "TIME");
  verb.integer("--stages", args->stages, "Stages of the AFD pipeline: 3 or 4");
  verb.text("--nic-bandwidth", args->nic, "Measured rate of one NIC, such as 40GB/s", "RATE");
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
