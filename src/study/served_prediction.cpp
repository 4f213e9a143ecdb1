#include "study/served_prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "load/library.hpp"

namespace afford::study {
namespace {

std::string text_of(const Precision& p) {
  return fmt::format("{} {} {} {} {} {}", name_of(p.attention_weights), name_of(p.ffn_weights),
                     name_of(p.kv), name_of(p.attention_compute), name_of(p.linear_compute),
                     name_of(p.ffn_compute));
}

/// One engine on a pool of its own, without micro-batches that overlap.
Colocated server_of(const Worker& worker, const HardwareSpec& chip) {
  const double requests = worker.requests * static_cast<double>(worker.replicas());
  return {.pool = {.chip = &chip, .instances = 1, .accelerators = worker.gpus},
          .batch = std::max<std::int64_t>(1, std::llround(requests)),
          .layout = {.attention_tp = worker.tensor,
                     .expert_tp = worker.expert_tensor,
                     .expert_ep = worker.expert_groups}};
}

std::optional<PromptLoad> prompts_of(const ServedPoint& point, const Worker& worker) {
  if (!point.mixed()) return std::nullopt;
  return PromptLoad{.requests = worker.requests * static_cast<double>(worker.replicas()),
                    .prompt = point.isl,
                    .output = point.osl,
                    .gpus = worker.gpus,
                    .tensor = worker.tensor,
                    .expert_groups = worker.expert_groups,
                    .expert_tensor = worker.expert_tensor};
}

/// Every roof at its rate, nothing in front of it.
Engine at_data_sheet() {
  Engine engine;
  engine.attention_memory = engine.attention_compute = 1;
  engine.gemm_memory = engine.gemm_compute = engine.grouped_compute = 1;
  engine.scale_up = engine.nic = 1;
  engine.l2_over_memory = 100;
  engine.kernel = engine.collective = engine.network = Seconds(0);
  return engine;
}

/// The deployment, unless the point was measured to be faster than its chip can be: other requests
/// ran than its publisher states.
std::variant<ServedDeployment, std::string> possible(ServedDeployment deployment,
                                                     const ServedPoint& point) {
  if (point.tpot_ms * millisecond < fastest_step(deployment))
    return "faster than its chip can read what is said to run";
  return deployment;
}

}  // namespace

Seconds fastest_step(const ServedDeployment& deployment) {
  Setting setting = deployment.setting;
  setting.engine = at_data_sheet();
  return evaluate(deployment.server, setting).tpot;
}

const Engine* ServedLibrary::engine_called(const std::string& name) {
  const auto known = engines_.find(name);
  if (known != engines_.end()) return known->second.get();
  const std::string own = name == "trtllm" ? "tensorrt-llm" : name;
  auto& entry = engines_[name];
  const std::vector<std::string> names = names_of("engines");
  if (std::find(names.begin(), names.end(), own) != names.end())
    entry = std::make_unique<const Engine>(std::move(load_engines({own}).front()));
  return entry.get();
}

const ServedLibrary::Routed* ServedLibrary::routed(const ModelSpec& model, std::int64_t groups,
                                                   double exponent) {
  for (const FfnSpec& ffn : model.ffns) {
    const Moe* moe = std::get_if<Moe>(&ffn.shape);
    if (moe == nullptr) continue;
    auto& entry = routed_[fmt::format("{} {} {} {}", moe->experts, moe->active, groups, exponent)];
    if (entry == nullptr) {
      Routing routing = zipf_routing(numbers_of_experts(model), exponent);
      Placement placement = place_experts(
          {.experts = moe->experts, .active = moe->active, .groups = groups}, routing);
      entry = std::make_unique<const Routed>(Routed{std::move(routing), std::move(placement)});
    }
    return entry.get();
  }
  return nullptr;
}

const ModelSpec* ServedLibrary::model(const std::string& checkpoint) {
  const auto known = models_.find(checkpoint);
  if (known != models_.end()) return known->second.get();
  const std::optional<std::string> name = model_published_as(checkpoint);
  auto& entry = models_[checkpoint];
  if (name) entry = std::make_unique<const ModelSpec>(std::move(load_models({*name}).front()));
  return entry.get();
}

const ServedLibrary::Model& ServedLibrary::in_formats(const ModelSpec& model,
                                                      const Precision& precision) {
  auto& entry = formats_[model.name + " " + text_of(precision)];
  if (entry == nullptr) {
    auto made = std::make_unique<Model>(Model{.spec = model, .shapes = {}});
    made->spec.precision = precision;
    made->shapes = layer_shapes(made->spec);
    entry = std::move(made);
  }
  return *entry;
}

const HardwareSpec* ServedLibrary::chip(const std::string& name) {
  const auto known = chips_.find(name);
  if (known != chips_.end()) return known->second.get();
  auto& entry = chips_[name];
  const std::vector<std::string> names = names_of("hardware");
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    entry = std::make_unique<const HardwareSpec>(std::move(load_hardware({name}).front()));
  }
  return entry.get();
}

std::variant<ServedDeployment, std::string> ServedLibrary::set_up(const ServedPoint& point,
                                                                  const Engine& engine) {
  const ModelSpec* wanted = model(point.model);
  if (wanted == nullptr) return fmt::format("no model '{}'", point.model);
  const HardwareSpec* hardware = chip(point.chip);
  if (hardware == nullptr) return fmt::format("no hardware '{}'", point.chip);
  const Worker worker = worker_of(point, has_experts(*wanted));
  if (std::string why = why_not_usable(point, worker); !why.empty()) return why;
  const std::optional<Precision> precision = served_precision(point, *wanted);
  if (!precision) {
    return fmt::format("unknown format '{}' or '{}'", point.linear_format, point.expert_format);
  }
  const Model& as_served = in_formats(*wanted, *precision);
  const Routed* experts = routed(*wanted, worker.expert_groups, engine.time.routing);
  ServedDeployment out{.server = server_of(worker, *hardware),
                       .setting = {.model = &as_served.spec,
                                   .shapes = &as_served.shapes,
                                   .context = mean_context(point),
                                   .rebalanced = true},
                       .interrupts = prompts_of(point, worker)};
  if (experts != nullptr) {
    out.setting.routing = experts->routing;
    if (numbers_of_experts(*wanted).size() == 1) out.setting.placement = &experts->placement;
  }
  return possible(std::move(out), point);
}

ServedTime served_time(const ServedDeployment& deployment, const Engine& engine) {
  Setting setting = deployment.setting;
  setting.engine = engine;
  ServedTime time{.tpot = evaluate(deployment.server, setting).tpot};
  if (deployment.interrupts) {
    const Seconds prompt = prompt_time(setting, deployment.chip(), *deployment.interrupts);
    time.first_token = around_prompt(setting, time.tpot) + prompt;
    time.prompts = interruption(joining(*deployment.interrupts), prompt, prompt_launches(setting));
    time.tpot += time.prompts;
  }
  return time;
}

}  // namespace afford::study
