#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calibration/chip_timing.hpp"
#include "count/ffn.hpp"
#include "count/modules.hpp"
#include "count/params.hpp"
#include "ideal/cost.hpp"
#include "import/import.hpp"
#include "kernels/formats.hpp"
#include "records/entry.hpp"
#include "report/record.hpp"
#include "text/number.hpp"

namespace afford {
namespace {

template <class Spec>
std::string kinds(const std::vector<Spec>& specs) {
  std::string text;
  for (const Spec& spec : specs) text += (text.empty() ? "" : "; ") + describe(spec.shape);
  return text;
}

Cell rate_or_nothing(const HardwareSpec& chip, Dtype dtype) {
  const Peak* peak = find_peak(chip, dtype);
  return peak == nullptr ? Cell() : Cell(peak->rate.value / TFLOP_per_s);
}

FlopRate widest_used_peak(const HardwareSpec& chip) {
  return find_peak(chip, compute_format(chip, Dtype::fp8))->rate.value;
}

std::string price_date(const HardwareSpec& chip) {
  for (const Source& source : chip.sources) {
    if (source.id == chip.price.source) return source.date;
  }
  return "";
}

const Record<ModelSpec>& model_record() {
  static const Record<ModelSpec> record = {
      {{"model", "model"}, [](const ModelSpec& m) { return m.name; }},
      {{"title", "title"}, [](const ModelSpec& m) { return m.title; }},
      {{"total_params", "total", Show::params}, [](const ModelSpec& m) { return total_params(m); }},
      {{"active_params", "active", Show::params},
       [](const ModelSpec& m) { return active_params_as_published(m); }},
      {{"layers", "layers", Show::plain}, [](const ModelSpec& m) { return layer_count(m); }},
      {{"attention", "attention"}, [](const ModelSpec& m) { return kinds(m.attentions); }},
      {{"ffn", "FFN"}, [](const ModelSpec& m) { return kinds(m.ffns); }}};
  return record;
}

const Record<HardwareSpec>& chip_record() {
  static const Record<HardwareSpec> record = {
      {{"hardware", "hardware"}, [](const HardwareSpec& c) { return c.name; }},
      {{"title", "title"}, [](const HardwareSpec& c) { return c.title; }},
      {{"bf16_tflop_per_s", "BF16 TFLOP/s", Show::plain},
       [](const HardwareSpec& c) { return rate_or_nothing(c, Dtype::bf16); }},
      {{"fp8_tflop_per_s", "FP8 TFLOP/s", Show::plain},
       [](const HardwareSpec& c) { return rate_or_nothing(c, Dtype::fp8); }},
      {{"memory_gb", "GB", Show::plain},
       [](const HardwareSpec& c) { return c.memory_size.value / GB; }},
      {{"memory_tb_per_s", "TB/s", Show::plain},
       [](const HardwareSpec& c) { return c.memory_bandwidth.value / TB_per_s; }},
      {{"server_network_gb_per_s", "network GB/s", Show::plain},
       [](const HardwareSpec& c) { return cell_if(has_network(c), server_network(c) / GB_per_s); }},
      {{"price_usd_per_hour", "USD/h", Show::price},
       [](const HardwareSpec& c) { return c.price.value / usd_per_hour; }},
      {{"price_origin", "price"},
       [](const HardwareSpec& c) { return named(name_of(price_origin(c))); }},
      {{"price_date", "as of"}, price_date},
      {{"ridge_flop_per_byte", "ridge", Show::plain},
       [](const HardwareSpec& c) { return ridge(c, Dtype::fp8).base(); }},
      {{"usd_per_flop", "USD/FLOP", Show::scientific},
       [](const HardwareSpec& c) {
         return usd_per_flop(c.price.value, widest_used_peak(c)).base();
       }},
      {{"usd_per_byte", "USD/B", Show::scientific}, [](const HardwareSpec& c) {
         return usd_per_byte(c.price.value, c.memory_bandwidth.value).base();
       }}};
  return record;
}

const Record<Engine>& engine_record() {
  static const Record<Engine> record = {
      {{"engine", "engine"}, [](const Engine& e) { return e.name; }},
      {{"title", "title"}, [](const Engine& e) { return e.title; }},
      {{"base", "builds on"}, [](const Engine& e) { return e.base; }}};
  return record;
}

const Record<ModuleCount>& module_record() {
  static const Record<ModuleCount> record = {
      {{"layer", "layer"}, [](const ModuleCount& m) { return m.layer_kind; }},
      {{"module", "module"}, [](const ModuleCount& m) { return m.module; }},
      {{"layers", "layers", Show::plain}, [](const ModuleCount& m) { return m.layers; }},
      {{"flops", "FLOPs", Show::scientific}, [](const ModuleCount& m) { return m.flops.base(); }},
      {{"weight_bytes", "weight bytes", Show::scientific},
       [](const ModuleCount& m) { return m.weights.base(); }},
      {{"cache_read_bytes", "cache read", Show::scientific},
       [](const ModuleCount& m) { return m.cache_read.base(); }},
      {{"cache_written_bytes", "cache written", Show::scientific},
       [](const ModuleCount& m) { return m.cache_written.base(); }},
      {{"activation_bytes", "activations", Show::scientific},
       [](const ModuleCount& m) { return m.activations.base(); }}};
  return record;
}

}  // namespace

Table modules_of(const ModelSpec& model, std::int64_t context, Convention convention) {
  Table table =
      table_of(module_record(), count_modules(model, convention, static_cast<double>(context)));
  table.title =
      fmt::format("One decoded token at {} tokens of context, one layer of each kind ({} counting)",
                  token_count_text(context), name_of(convention));
  table.notes = {"Weight bytes are those the token visits, read once a step whatever the batch."};
  return table;
}

Table list_of(const std::vector<ModelSpec>& models) {
  Table table = table_of(model_record(), models);
  table.title = "Models";
  return table;
}

Table list_of(const std::vector<HardwareSpec>& chips) {
  Table table = table_of(chip_record(), chips);
  table.title = "Hardware";
  table.notes = {"Ridge and USD/FLOP at the FP8 peak, or BF16 where there is none."};
  for (const HardwareSpec& chip : chips) {
    if (chip.measured != nullptr)
      table.notes.push_back(fmt::format("{}: {}.", chip.name, fidelity_of(chip)));
  }
  return table;
}

Table list_of(const std::vector<Engine>& engines) {
  Table table = table_of(engine_record(), engines);
  table.title = "Engines";
  return table;
}

Table list_of(const std::vector<config::FamilyTypes>& families) {
  static const Record<config::FamilyTypes> record = {
      {{"family", "family"}, [](const config::FamilyTypes& f) { return named(f.family); }},
      {{"model_types", "model_type of config.json"}, [](const config::FamilyTypes& f) {
         return fmt::format("{}", fmt::join(f.model_types, ", "));
       }}};
  Table table = table_of(record, families);
  table.title = "Families that import knows";
  table.notes = {"A model_type that is built like one of them: --assume model_type=NAME."};
  return table;
}

}  // namespace afford
