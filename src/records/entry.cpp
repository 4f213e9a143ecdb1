#include "records/entry.hpp"

#include <fmt/format.h>

#include "calibration/chip_timing.hpp"
#include "count/ffn.hpp"
#include "count/params.hpp"
#include "ideal/cost.hpp"
#include "kernels/formats.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

/// What is known about an entry: one row per fact, each with its source.
Table facts_table(std::string title) {
  return {.title = std::move(title),
          .columns = {{"what", "what"}, {"value", "value"}, {"source", "source"}},
          .rows = {},
          .notes = {}};
}

std::string left_out_text(const FitError& e) {
  return fmt::format("left out: median {:.1f} %, P90 {:.1f} % of {} points", 100 * e.median,
                     100 * e.p90, e.points);
}

/// What a calibration says of the chip: roofs, fixed costs, each curve from its shortest to its
/// longest size.
void add_calibration(Table& table, const HardwareSpec& chip) {
  if (chip.measured == nullptr) return;
  const ChipTiming& timing = *chip.measured;
  const Calibration& c = *timing.calibration;
  const std::string from = fmt::format("{}, {}", fidelity_of(chip), c.provenance.device);
  table.rows.push_back({"read roof", human(ByteRate(timing.read)), from});
  if (timing.l2 > 0) table.rows.push_back({"L2 read", human(ByteRate(timing.l2)), from});
  if (timing.bf16 > 0)
    table.rows.push_back({"bf16, sustained", human(FlopRate(timing.bf16)), from});
  if (timing.fp8 > 0) table.rows.push_back({"fp8, sustained", human(FlopRate(timing.fp8)), from});
  table.rows.push_back({"small kernel", human(Seconds(timing.small_kernel)), from});
  for (const OperationCurve& curve : timing.own_curves) {
    std::string text = fmt::format("{} + ", human(curve.start));
    const auto range = [&](std::string_view what, const Curve& part) {
      if (part.most > 0)
        text += fmt::format("{} {:.0f} to {:.0f} %, ", what, 100 * part.fraction.front(),
                            100 * part.fraction.back());
    };
    range("memory", curve.memory);
    range("compute", curve.compute);
    text.resize(text.size() - 2);
    table.rows.push_back({fmt::format("{}, {}", name_of(curve.operation), name_of(curve.precision)),
                          text, left_out_text(curve.error)});
  }
}

}  // namespace

Table facts_of(const HardwareSpec& chip) {
  Table table = facts_table(fmt::format("{}: {}", chip.name, chip.title));
  const auto add = [&](const std::string& what, const std::string& value, const auto& figure) {
    table.rows.push_back(
        {what, value + (figure.estimate ? " (estimate)" : ""), cite(chip.sources, figure.source)});
  };
  for (const Peak& peak : chip.peaks) {
    add(fmt::format("{} peak, dense", name_of(peak.dtype)), human(peak.rate.value), peak.rate);
  }
  add("memory", human(chip.memory_size.value), chip.memory_size);
  if (chip.visible_memory.stated())
    add("visible memory", human(chip.visible_memory.value), chip.visible_memory);
  add("memory bandwidth", human(chip.memory_bandwidth.value), chip.memory_bandwidth);
  add(chip.scale_up_kind + ", one direction", human(chip.scale_up_bandwidth.value),
      chip.scale_up_bandwidth);
  add(chip.scale_up_kind + " accelerators", fmt::format("{}", chip.scale_up_accelerators.value),
      chip.scale_up_accelerators);
  add("accelerators a server", fmt::format("{}", chip.server_accelerators.value),
      chip.server_accelerators);
  const auto add_where_stated = [&](const std::string& what, const auto& figure) {
    if (figure.stated()) return add(what, human(figure.value), figure);
    table.rows.push_back({what, std::string("not stated"), std::string()});
  };
  if (chip.server_bandwidth.stated())
    add_where_stated("between accelerators it does not join", chip.server_bandwidth);
  if (has_network(chip))
    add("NICs a server", fmt::format("{}", chip.server_nics.value), chip.server_nics);
  add_where_stated("NIC, one direction", chip.nic_bandwidth);
  add_where_stated("power", chip.power);
  add_where_stated("price", chip.price);
  if (!chip.architecture.value.empty()) {
    table.rows.push_back(
        {"architecture", chip.architecture.value, cite(chip.sources, chip.architecture.source)});
  }
  if (chip.multiprocessors.value > 0)
    add("multiprocessors", fmt::format("{}", chip.multiprocessors.value), chip.multiprocessors);
  for (const Peak& peak : chip.peaks) {
    table.rows.push_back({fmt::format("ridge, {}", name_of(peak.dtype)),
                          fmt::format("{:.4g} FLOP/B", ridge(chip, peak.dtype).base()),
                          "peak / memory bandwidth"});
    table.rows.push_back(
        {fmt::format("USD per FLOP, {}", name_of(peak.dtype)),
         shown(Cell(usd_per_flop(chip.price.value, peak.rate.value).base()), Show::scientific),
         "price / peak"});
  }
  table.rows.push_back(
      {"USD per byte",
       shown(Cell(usd_per_byte(chip.price.value, chip.memory_bandwidth.value).base()),
             Show::scientific),
       "price / memory bandwidth"});
  add_calibration(table, chip);
  return table;
}

namespace {

void add_count(Table& table, const ModelSpec& model, const std::string& what, double computed,
               const std::optional<PublishedCount>& published) {
  table.rows.push_back(
      {what, shown(Cell(computed), Show::params), std::string("sum of the shapes")});
  if (!published) return;
  const std::string parts =
      published->embedding ? (published->lm_head ? "with embedding and LM head" : "with embedding")
                           : (published->lm_head ? "with LM head" : "layers alone");
  table.rows.push_back({what + ", published",
                        fmt::format("{} ({})", shown(Cell(published->value), Show::params), parts),
                        cite(model.sources, published->source)});
}

/// ", weights fp8, products bf16": what it has in formats of its own.
template <class Spec>
std::string own_formats(const Spec& spec) {
  std::string text;
  if (spec.weights) text += ", weights " + name_of(*spec.weights);
  if (spec.compute) text += ", products " + name_of(*spec.compute);
  return text;
}

/// "embedding bf16, LM head fp8", or what both are in.
std::string vocabulary_formats(const ModelSpec& model) {
  const Dtype embedding = model.precision.vocabulary, head = head_format(model);
  if (model.tied_embeddings || head == embedding)
    return "embedding and LM head " + name_of(embedding);
  return "embedding " + name_of(embedding) + ", LM head " + name_of(head);
}

}  // namespace

Table facts_of(const ModelSpec& model) {
  Table table = facts_table(fmt::format("{}: {}", model.name, model.title));
  const std::string shape_source = cite(model.sources, model.shape_source);
  table.rows.push_back({"hidden", fmt::format("{}", model.hidden), shape_source});
  table.rows.push_back({"vocabulary",
                        fmt::format("{}{}", model.vocab, model.tied_embeddings ? ", tied" : ""),
                        shape_source});
  for (const LayerKind& kind : model.layer_kinds) {
    const AttentionSpec& attention = model.attentions[kind.attention];
    const FfnSpec& ffn = model.ffns[kind.ffn];
    table.rows.push_back({fmt::format("{} layers {}/{}", kind.layers, attention.name, ffn.name),
                          describe(attention.shape) + "; " + describe(ffn.shape),
                          cite(model.sources, model.layers_source)});
  }
  for (const AttentionSpec& attention : model.attentions) {
    table.rows.push_back(
        {"attention " + attention.name,
         fmt::format("{}, cache in {}{}", describe(attention.shape),
                     name_of(attention.cache.value_or(model.precision.kv)), own_formats(attention)),
         cite(model.sources, attention.source)});
  }
  for (const FfnSpec& ffn : model.ffns) {
    table.rows.push_back({"FFN " + ffn.name, describe(ffn.shape) + own_formats(ffn),
                          cite(model.sources, ffn.source)});
  }
  const Precision& p = model.precision;
  table.rows.push_back(
      {"formats",
       fmt::format("weights {}/{}, KV {}, compute {}/{}/{}, {}", name_of(p.attention_weights),
                   name_of(p.ffn_weights), name_of(p.kv), name_of(p.attention_compute),
                   name_of(p.linear_compute), name_of(p.ffn_compute), vocabulary_formats(model)),
       cite(model.sources, p.source)});
  const VocabularyParts parts = model.total_params ? VocabularyParts{model.total_params->embedding,
                                                                     model.total_params->lm_head}
                                                   : VocabularyParts{};
  add_count(table, model, "total parameters", total_params(model, parts), model.total_params);
  add_count(table, model, "active parameters", active_params_as_published(model),
            model.active_params);
  table.rows.push_back({"sparsity", fmt::format("{:.4g}", sparsity(model)),
                        "active / all FFN weights of an MoE layer"});
  return table;
}

namespace {

/// A value of an engine as its file would have it.
std::string engine_value(Engine& engine, const EngineParameter& parameter) {
  struct Text {
    Engine& engine;
    std::string operator()(EngineParameter::Number at) const {
      return fmt::format("{:g}", at(engine));
    }
    std::string operator()(EngineParameter::Time at) const { return human(at(engine)); }
    std::string operator()(EngineParameter::Size at) const { return human(at(engine)); }
    std::string operator()(EngineParameter::Flag at) const { return at(engine) ? "yes" : "no"; }
  };
  return std::visit(Text{engine}, parameter.at);
}

}  // namespace

Table facts_of(Engine engine) {
  Table table = facts_table(fmt::format("{}: {}", engine.name, engine.title));
  const auto parameters = engine_parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    table.rows.push_back(
        {fmt::format("{}.{}: {}", parameters[i].section, parameters[i].key, parameters[i].about),
         engine_value(engine, parameters[i]), engine.citations[i]});
  }
  return table;
}

}  // namespace afford
