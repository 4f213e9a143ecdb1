#include "study/conditions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <variant>

#include "calibration/chip_timing.hpp"
#include "error.hpp"
#include "load/library.hpp"
#include "text/suggest.hpp"

namespace afford::study {
namespace {

constexpr std::int64_t most_experts_asked = 65536;

/// An upcycled model: every MoE layer with `experts` routed experts instead of its own.
void upcycle(ModelSpec& model, std::int64_t experts) {
  if (experts == 0) return;
  bool any = false;
  for (FfnSpec& ffn : model.ffns) {
    Moe* moe = std::get_if<Moe>(&ffn.shape);
    if (moe == nullptr) continue;
    if (experts > most_experts_asked) {
      throw ValueError("experts",
                       fmt::format(": expected at most {}, got {}", most_experts_asked, experts));
    }
    if (experts < moe->active) {
      throw ValueError("experts", fmt::format(": {} is fewer than the {} that are active", experts,
                                              moe->active));
    }
    moe->experts = experts;
    any = true;
  }
  if (!any) throw ValueError("experts", fmt::format(": {} has no MoE layer", model.name));
}

/// A load as measured is of layers that are all of one number of experts.
Routing measured_routing(const std::string& file, const ModelSpec& model) {
  if (numbers_of_experts(model).size() > 1) {
    throw ValueError(
        "routing",
        fmt::format(": '{}' is of one number of experts, and the MoE layers of {} have {}; "
                    "expected uniform or zipf:EXPONENT",
                    file, model.name, fmt::join(numbers_of_experts(model), ", ")));
  }
  std::int64_t active = 0;
  for (const FfnSpec& ffn : model.ffns) {
    if (const Moe* moe = std::get_if<Moe>(&ffn.shape)) active = std::max(active, moe->active);
  }
  return read_routing(file, most_experts(model), active);
}

/// What is said of experts needs a model that has them.
void require_experts_for(const Conditions& conditions, const std::vector<Prepared>& prepared) {
  const RoutingChoice::Kind kind = conditions.routing.kind;
  const bool routed = kind == RoutingChoice::Kind::zipf || kind == RoutingChoice::Kind::measured;
  if (conditions.redundant_experts == 0 && !routed) return;
  if (std::any_of(prepared.begin(), prepared.end(),
                  [](const Prepared& one) { return has_experts(one.model); }))
    return;
  throw ValueError(routed ? "routing" : "redundant experts",
                   fmt::format(": {} has no MoE layer", prepared.front().model.name));
}

/// As asked for, else as `engine` meets it.
Routing routing_of(const RoutingChoice& choice, const ModelSpec& model, const Engine& engine) {
  using Kind = RoutingChoice::Kind;
  const double met = choice.kind == Kind::engine ? engine.time.routing : 0;
  if (choice.kind == Kind::uniform || (choice.kind == Kind::engine && met == 0)) return {};
  if (!has_experts(model)) return {};
  if (choice.kind == Kind::measured) return measured_routing(choice.file, model);
  return zipf_routing(numbers_of_experts(model), choice.kind == Kind::zipf ? choice.exponent : met);
}

const Engine& engine_called(const Conditions& conditions, const std::string& name,
                            const Edits& edits) {
  const Engine& engine = conditions.files->engine(name, edits);
  if (engine.name == no_engine && name != no_engine)
    throw ValueError("engine", ": " + name + " calls itself ideal, which stands for no engine");
  return engine;
}

EngineNames engine_names(const Conditions& conditions, const std::vector<HardwareSpec>& chips) {
  if (!conditions.engine.empty()) return {conditions.engine, conditions.engine};
  std::vector<const HardwareSpec*> pointers;
  for (const HardwareSpec& chip : chips) pointers.push_back(&chip);
  return default_engines(pointers);
}

/// The formats asked for, attention and cache in BF16 where the engine runs published checkpoints,
/// as every default one does: whatever is compared, it is the same model.
FormatOverrides formats_of(const Conditions& conditions) {
  FormatOverrides formats = conditions.what_if.formats;
  const bool published = conditions.engine.empty() ||
                         engine_called(conditions, conditions.engine, {}).published_attention;
  if (published && !formats.attention) formats.attention = Dtype::bf16;
  return formats;
}

}  // namespace

std::span<const AskedFor> conditions_asked_for() {
  static constexpr AskedFor all[] = {
      {"nic bandwidth", [](const Conditions& c) { return c.nic_bandwidth.has_value(); },
       [](Conditions& c) { c.nic_bandwidth.reset(); }},
      {"scale-up bandwidth", [](const Conditions& c) { return c.scale_up_bandwidth.has_value(); },
       [](Conditions& c) { c.scale_up_bandwidth.reset(); }},
      {"redundant experts", [](const Conditions& c) { return c.redundant_experts > 0; },
       [](Conditions& c) { c.redundant_experts = 0; }},
      {"overlap", [](const Conditions& c) { return c.overlap != Overlap::all_gather; },
       [](Conditions& c) { c.overlap = Overlap::all_gather; }}};
  return all;
}

std::vector<Prepared> prepare(const Conditions& conditions, LeftOut* left_out) {
  if (!(conditions.tpot_limit > Seconds(0))) throw ValueError("tpot", ": expected more than zero");
  const double fraction = conditions.memory_fraction.value_or(1);
  if (!(fraction > 0 && fraction <= 1))
    throw ValueError("memory fraction",
                     fmt::format(": expected more than 0 and at most 1, got {}", fraction));
  if (conditions.redundant_experts < 0 || conditions.redundant_experts > 4096)
    throw ValueError("redundant experts", ": expected 0 to 4096");
  std::vector<Prepared> prepared;
  WhatIfs what_if = conditions.what_if;
  what_if.formats = formats_of(conditions);
  for (ModelSpec& model : load_models_as(conditions.models, what_if, left_out)) {
    upcycle(model, conditions.experts);
    std::vector<LayerShape> shapes = layer_shapes(model);
    prepared.push_back({std::move(model), std::move(shapes)});
  }
  require_experts_for(conditions, prepared);
  return prepared;
}

EngineNames default_engines(const std::vector<const HardwareSpec*>& chips) {
  const auto all = [&](std::string_view architecture) {
    return std::all_of(chips.begin(), chips.end(), [&](const HardwareSpec* chip) {
      return chip->architecture.value == architecture;
    });
  };
  if (all("davinci")) return {"vllm-ascend", "vllm-ascend"};
  return {"vllm", all("blackwell") ? "fastafd" : "step"};
}

Engines colocated_engines_of(const Conditions& conditions, const std::vector<HardwareSpec>& chips) {
  const Edits edits = edits_of(conditions.what_if.edits, "engine");
  Engines engines{
      .colocated = engine_called(conditions, engine_names(conditions, chips).colocated, edits),
      .pools = {},
      .ideal = engine_called(conditions, std::string(no_engine), {})};
  if (conditions.memory_fraction)
    engines.ideal.memory.usable = engines.colocated.memory.usable = *conditions.memory_fraction;
  return engines;
}

Engines engines_of(const Conditions& conditions, const std::vector<HardwareSpec>& chips) {
  Engines engines = colocated_engines_of(conditions, chips);
  const EngineNames names = engine_names(conditions, chips);
  if (names.pools == names.colocated) return engines;
  engines.pools =
      engine_called(conditions, names.pools, edits_of(conditions.what_if.edits, "engine"));
  if (conditions.memory_fraction) engines.pools->memory.usable = *conditions.memory_fraction;
  return engines;
}

Setting without_engine(const Conditions& conditions, const Setting& setting,
                       const Engines& engines) {
  Setting ideal = setting;
  ideal.engine = engines.ideal;
  ideal.pools.reset();
  ideal.placement = nullptr;
  if (conditions.routing.kind == RoutingChoice::Kind::engine) ideal.routing = {};
  return ideal;
}

Setting setting_of(const Conditions& conditions, const Prepared& prepared, double context,
                   const Engines& engines) {
  Routing routing = routing_of(conditions.routing, prepared.model, engines.colocated);
  std::optional<Setting::Pools> pools;
  if (engines.pools) {
    Routing own = routing_of(conditions.routing, prepared.model, *engines.pools);
    pools = {*engines.pools, std::move(own)};
  }
  return {.model = &prepared.model,
          .shapes = &prepared.shapes,
          .context = context,
          .speculation = conditions.what_if.speculation,
          .engine = engines.colocated,
          .routing = std::move(routing),
          .rebalanced = conditions.routing.kind == RoutingChoice::Kind::engine,
          .pools = std::move(pools),
          .redundant_experts = conditions.redundant_experts,
          .overlap = conditions.overlap,
          .tpot_limit = conditions.tpot_limit};
}

HardwareSpec with_bandwidths(HardwareSpec chip, const Conditions& conditions) {
  if (conditions.nic_bandwidth && has_network(chip))
    chip.nic_bandwidth.value = *conditions.nic_bandwidth;
  if (conditions.scale_up_bandwidth) chip.scale_up_bandwidth.value = *conditions.scale_up_bandwidth;
  for (const MemoryBandwidth& given : conditions.memory_bandwidths) {
    if (given.chip.empty() || given.chip == chip.name) chip.memory_bandwidth.value = given.rate;
  }
  return chip;
}

namespace {

/// A bandwidth of a chip that is not there would be swept for nothing.
void require_bandwidths_used(const std::vector<HardwareSpec*>& chips,
                             const Conditions& conditions) {
  std::vector<std::string> names;
  bool network = false;
  for (const HardwareSpec* chip : chips) {
    names.push_back(chip->name);
    network = network || has_network(*chip);
  }
  if (conditions.nic_bandwidth && !network)
    throw ValueError("nic bandwidth",
                     fmt::format(": {} states no NIC", fmt::join(names, ", nor ")));
  for (const MemoryBandwidth& given : conditions.memory_bandwidths) {
    if (given.chip.empty() || std::find(names.begin(), names.end(), given.chip) != names.end())
      continue;
    throw ValueError("sweep", fmt::format(": '{}' is not among the chips of this run{}", given.chip,
                                          suggestion(given.chip, names)));
  }
}

void require_calibration_used(const std::vector<HardwareSpec*>& chips, const std::string& name) {
  if (name.empty() || name == "none") return;
  for (const HardwareSpec* chip : chips) {
    if (chip->measured != nullptr) return;
  }
  throw ValueError("calibration",
                   fmt::format(": '{}' serves none of the chips of this run: it is of another "
                               "architecture",
                               name));
}

}  // namespace

void finish_chips(const std::vector<HardwareSpec*>& chips, const Conditions& conditions,
                  LeftOut* left_out) {
  std::vector<std::string> names;
  for (const HardwareSpec* chip : chips) names.push_back(chip->name);
  require_edits_used(conditions.what_if.edits, names);
  apply_prices(chips, conditions.what_if);
  require_bandwidths_used(chips, conditions);
  const auto own_of = conditions.lent_curves ? std::vector<std::string>() : names;
  attach_calibrations(chips, conditions.files->calibrations(conditions.calibration, own_of), false,
                      left_out);
  require_calibration_used(chips, conditions.calibration);
}

std::vector<HardwareSpec> chips_of(const std::vector<std::string>& names,
                                   const Conditions& conditions, LeftOut* left_out) {
  std::vector<HardwareSpec> chips;
  for (HardwareSpec& chip : load_hardware(names, conditions.what_if.edits, left_out))
    chips.push_back(with_bandwidths(std::move(chip), conditions));
  require_distinct(chips, "chips");
  finish_chips(pointers_to(chips), conditions, left_out);
  return chips;
}

bool any_calibrated(const std::vector<HardwareSpec>& chips) {
  return std::any_of(chips.begin(), chips.end(),
                     [](const HardwareSpec& chip) { return chip.measured != nullptr; });
}

std::string fidelity_of(const HardwareSpec& attention, const HardwareSpec& ffn) {
  const std::string first = afford::fidelity_of(attention), last = afford::fidelity_of(ffn);
  return first == last ? first : fmt::format("attention {}; ffn {}", first, last);
}

std::string fidelity_text(const std::vector<const HardwareSpec*>& chips) {
  if (std::none_of(chips.begin(), chips.end(),
                   [](const HardwareSpec* chip) { return chip->measured != nullptr; }))
    return "roofline with default efficiencies, no calibration";
  std::vector<std::string> texts;
  for (const HardwareSpec* chip : chips) {
    std::string text = fmt::format("{} {}{}", chip->name, afford::fidelity_of(*chip),
                                   chip->measured == nullptr ? " with default efficiencies" : "");
    if (std::find(texts.begin(), texts.end(), text) == texts.end())
      texts.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

std::string fidelity_text(const std::vector<HardwareSpec>& chips) {
  std::vector<const HardwareSpec*> pointers;
  for (const HardwareSpec& chip : chips) pointers.push_back(&chip);
  return fidelity_text(pointers);
}

}  // namespace afford::study
