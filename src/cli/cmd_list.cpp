#include <fmt/format.h>

#include <memory>

#include "calibration/chip_timing.hpp"
#include "cli/args.hpp"
#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "count/ffn.hpp"
#include "count/params.hpp"
#include "ideal/cost.hpp"
#include "kernels/formats.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"

namespace afford::cli {
namespace {

template <class Spec>
std::string kinds(const std::vector<Spec>& specs) {
  std::string text;
  for (const Spec& spec : specs) text += (text.empty() ? "" : "; ") + describe(spec.shape);
  return text;
}

Table models_table() {
  Table table{.title = "Models",
              .columns = {{"model", "model"},
                          {"title", "title"},
                          {"total_params", "total", Show::params},
                          {"active_params", "active", Show::params},
                          {"layers", "layers", Show::plain},
                          {"attention", "attention"},
                          {"ffn", "FFN"}},
              .rows = {},
              .notes = {}};
  for (const ModelSpec& model : load_models({"all"})) {
    table.rows.push_back({model.name, model.title, total_params(model),
                          active_params_as_published(model), layer_count(model),
                          kinds(model.attentions), kinds(model.ffns)});
  }
  return table;
}

Cell rate_or_nothing(const HardwareSpec& chip, Dtype dtype) {
  const Peak* peak = find_peak(chip, dtype);
  return peak == nullptr ? Cell() : Cell(peak->rate.value / TFLOP_per_s);
}

Table hardware_table() {
  Table table{.title = "Hardware",
              .columns = {{"hardware", "hardware"},
                          {"title", "title"},
                          {"bf16_tflop_per_s", "BF16 TFLOP/s", Show::plain},
                          {"fp8_tflop_per_s", "FP8 TFLOP/s", Show::plain},
                          {"memory_gb", "GB", Show::plain},
                          {"memory_tb_per_s", "TB/s", Show::plain},
                          {"server_network_gb_per_s", "network GB/s", Show::plain},
                          {"price_usd_per_hour", "USD/h", Show::price},
                          {"price_origin", "price"},
                          {"price_date", "as of"},
                          {"ridge_flop_per_byte", "ridge", Show::plain},
                          {"usd_per_flop", "USD/FLOP", Show::scientific},
                          {"usd_per_byte", "USD/B", Show::scientific}},
              .rows = {},
              .notes = {"Ridge and USD/FLOP at the FP8 peak, or BF16 where there is none."}};
  std::vector<HardwareSpec> chips = load_hardware({"all"});
  attach_calibrations(pointers_to(chips), "");
  for (const HardwareSpec& chip : chips) {
    if (chip.measured != nullptr)
      table.notes.push_back(fmt::format("{}: {}.", chip.name, fidelity_of(chip)));
    std::string date;
    for (const Source& source : chip.sources) {
      if (source.id == chip.price.source) date = source.date;
    }
    const FlopRate peak = find_peak(chip, compute_format(chip, Dtype::fp8))->rate.value;
    table.rows.push_back({chip.name, chip.title, rate_or_nothing(chip, Dtype::bf16),
                          rate_or_nothing(chip, Dtype::fp8), chip.memory_size.value / GB,
                          chip.memory_bandwidth.value / TB_per_s, server_network(chip) / GB_per_s,
                          chip.price.value / usd_per_hour, std::string(name_of(price_origin(chip))),
                          date, ridge(chip, Dtype::fp8).base(),
                          usd_per_flop(chip.price.value, peak).base(),
                          usd_per_byte(chip.price.value, chip.memory_bandwidth.value).base()});
  }
  return table;
}

struct ListArgs {
  std::string what;
  OutputArgs output;
};

int run(const ListArgs& args) {
  enum class What { models, hardware };
  constexpr std::pair<std::string_view, What> names[] = {{"models", What::models},
                                                         {"hardware", What::hardware}};
  if (!args.what.empty()) {
    const bool models = choose(names, args.what, "list") == What::models;
    emit(models ? models_table() : hardware_table(), args.output);
    return 0;
  }
  if (args.output.format == "csv" || args.output.format == "json") {
    throw UsageError("list: 'models' or 'hardware'? The two have different columns");
  }
  emit(models_table(), args.output, "\n" + render(hardware_table(), format_of(args.output)));
  return 0;
}

}  // namespace

Verb list_command(CLI::App& app) {
  auto args = std::make_shared<ListArgs>();
  Verb verb(app, "list", "The models and chips that come with afford");
  verb.text("what", args->what, "models or hardware; both when left out");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
