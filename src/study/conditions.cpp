#include "study/conditions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <variant>

#include "calibration/chip_timing.hpp"
#include "error.hpp"
#include "load/calibrations.hpp"
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

/// The MoE layers of the model, which a load of the experts is of; null: none.
const Moe* moe_layers(const ModelSpec& model) {
  const Moe* layer = nullptr;
  for (const FfnSpec& ffn : model.ffns) {
    const Moe* moe = std::get_if<Moe>(&ffn.shape);
    if (moe == nullptr) continue;
    if (layer != nullptr && (layer->experts != moe->experts || layer->active != moe->active)) {
      throw ValueError(
          "routing",
          fmt::format(": {} has MoE layers of different numbers of experts; expected uniform",
                      model.name));
    }
    layer = moe;
  }
  return layer;
}

/// What is said of experts needs a model that has them.
void require_experts_for(const Conditions& conditions, const std::vector<Prepared>& prepared) {
  const bool routed = conditions.routing.kind != RoutingChoice::Kind::uniform;
  if (conditions.redundant_experts == 0 && !routed) return;
  const auto has_experts = [](const Prepared& one) {
    return std::any_of(one.model.ffns.begin(), one.model.ffns.end(),
                       [](const FfnSpec& ffn) { return std::holds_alternative<Moe>(ffn.shape); });
  };
  if (std::any_of(prepared.begin(), prepared.end(), has_experts)) return;
  throw ValueError(routed ? "routing" : "redundant experts",
                   fmt::format(": {} has no MoE layer", prepared.front().model.name));
}

Routing routing_of(const RoutingChoice& choice, const ModelSpec& model) {
  if (choice.kind == RoutingChoice::Kind::uniform) return {};
  const Moe* layer = moe_layers(model);
  if (layer == nullptr) return {};
  if (choice.kind == RoutingChoice::Kind::zipf)
    return zipf_routing(layer->experts, choice.exponent);
  return read_routing(choice.file, layer->experts, layer->active);
}

Engine engine_of(const Conditions& conditions) {
  return conditions.engine.empty() ? Engine{} : load_engines({conditions.engine}).front();
}

}  // namespace

std::vector<Prepared> prepare(const Conditions& conditions) {
  check(conditions.what_if.speculation);
  if (conditions.redundant_experts < 0 || conditions.redundant_experts > 4096)
    throw ValueError("redundant experts", ": expected 0 to 4096");
  std::vector<Prepared> prepared;
  for (ModelSpec& model : load_models_as(conditions.models, conditions.what_if.formats)) {
    upcycle(model, conditions.experts);
    std::vector<LayerShape> shapes = layer_shapes(model);
    prepared.push_back({std::move(model), std::move(shapes)});
  }
  require_experts_for(conditions, prepared);
  return prepared;
}

Setting setting_of(const Conditions& conditions, const Prepared& prepared, double context) {
  return {.model = &prepared.model,
          .shapes = &prepared.shapes,
          .context = context,
          .speculation = conditions.what_if.speculation,
          .engine = engine_of(conditions),
          .routing = routing_of(conditions.routing, prepared.model),
          .redundant_experts = conditions.redundant_experts,
          .overlap = conditions.overlap,
          .tpot_limit = conditions.tpot_limit};
}

HardwareSpec with_bandwidths(HardwareSpec chip, const Conditions& conditions) {
  if (conditions.nic_bandwidth) chip.nic_bandwidth.value = *conditions.nic_bandwidth;
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
  for (const HardwareSpec* chip : chips) names.push_back(chip->name);
  for (const MemoryBandwidth& given : conditions.memory_bandwidths) {
    if (given.chip.empty() || std::find(names.begin(), names.end(), given.chip) != names.end())
      continue;
    throw ValueError("memory bandwidth", fmt::format(": '{}' is not among the chips of this run{}",
                                                     given.chip, suggestion(given.chip, names)));
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

void finish_chips(const std::vector<HardwareSpec*>& chips, const Conditions& conditions) {
  apply_prices(chips, conditions.what_if.prices);
  require_bandwidths_used(chips, conditions);
  attach_calibrations(chips, conditions.calibration);
  require_calibration_used(chips, conditions.calibration);
}

bool any_calibrated(const std::vector<HardwareSpec>& chips) {
  return std::any_of(chips.begin(), chips.end(),
                     [](const HardwareSpec& chip) { return chip.measured != nullptr; });
}

std::string fidelity_of(const HardwareSpec& attention, const HardwareSpec& ffn) {
  const std::string first = afford::fidelity_of(attention), last = afford::fidelity_of(ffn);
  return first == last ? first : fmt::format("attention {}; ffn {}", first, last);
}

std::string with_engine(std::string fidelity, const std::string& engine) {
  return engine.empty() || engine == Engine{}.name ? fidelity : fidelity + ", engine " + engine;
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
