// Statements of NVIDIA's Model Optimizer, alone and within another method's.
#include <fmt/format.h>

#include <algorithm>

#include "import/formats.hpp"

namespace afford::config {
namespace {

struct Algorithm {
  std::string_view name;
  Format format;
};
// NVIDIA Model Optimizer, modelopt/torch/export/model_config.py.
constexpr Algorithm algorithms[] = {
    {"FP8", {Dtype::fp8, Dtype::fp8}},
    {"FP8_PER_CHANNEL_PER_TOKEN", {Dtype::fp8, Dtype::fp8}},
    {"FP8_PB_REAL", {Dtype::fp8, Dtype::fp8}},
    {"FP8_PB_WO", {Dtype::fp8, Dtype::fp8}},
    {"FP8_BLOCK_SCALES", {Dtype::fp8, Dtype::fp8}},
    {"MXFP8", {stored_bits(mxfp8_bits), Dtype::fp8}},
    {"NVFP4", {Dtype::nvfp4, Dtype::fp4}},
    {"NVFP4_AWQ", {Dtype::nvfp4, Dtype::fp4}},
    {"W4A16_NVFP4", {Dtype::nvfp4, Dtype::bf16}},
    {"W4A8_NVFP4_FP8", {Dtype::nvfp4, Dtype::fp8}},
    {"W4A8_MXFP4_FP8", {Dtype::mxfp4, Dtype::fp8}},
    {"MXFP4", {Dtype::mxfp4, Dtype::fp4}},
    {"W4A16_AWQ", {Dtype::int4g128, Dtype::bf16}},
    {"W4A8_AWQ", {Dtype::int4g128, Dtype::fp8}},
    {"W8A16", {Dtype::int8, Dtype::bf16}},
    {"W8A8_SQ_PER_CHANNEL", {Dtype::int8, Dtype::int8}},
    {"INT8_SQ", {Dtype::int8, Dtype::int8}},
    {"UNQUANTIZED", {}},
};

std::optional<Format> algorithm(std::string_view name) {
  for (const Algorithm& each : algorithms) {
    if (each.name == name) return each.format;
  }
  return std::nullopt;
}

[[noreturn]] void refuse_algorithm(Config& in, std::string_view key, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Algorithm& each : algorithms) names.push_back(each.name);
  names.emplace_back("MIXED_PRECISION");
  in.fail(key, fmt::format("unknown value '{}'; expected one of {}", name.substr(0, 40),
                           fmt::join(names, ", ")));
}

/// Reads the group beside an algorithm's name, which has one of its own where it is a 4-bit float.
std::int64_t group_of(Config& in, const std::string& name, Dtype weights) {
  if (weights == Dtype::nvfp4) require_group(in, "group_size", 16, name);
  if (weights == Dtype::mxfp4) require_group(in, "group_size", 32, name);
  return group_size(in, "group_size");
}

void read_cache_algorithm(Config& in, Statement& out) {
  if (!in.has("kv_cache_quant_algo")) return;
  const std::string name = in.text("kv_cache_quant_algo");
  constexpr std::pair<std::string_view, Dtype> known[] = {
      {"FP8", Dtype::fp8}, {"INT8", Dtype::int8}, {"NVFP4", Dtype::nvfp4}};
  for (const auto& [each, dtype] : known) {
    if (each == name) {
      out.kv = dtype;
      return;
    }
  }
  in.fail("kv_cache_quant_algo",
          fmt::format("unknown value '{}'; expected one of FP8, INT8, NVFP4", name.substr(0, 40)));
}

/// MIXED_PRECISION gives each module its algorithm: {"model.layers.0.mlp.up_proj": {"quant_algo":
/// "FP8"}}.
void read_quantized_layers(Config& in, Statement& out) {
  std::vector<std::pair<std::string, std::vector<std::string>>> by_algorithm;
  const json::Value* layers = in.find("quantized_layers");
  if (layers == nullptr || layers->kind != json::Value::Kind::object) {
    in.fail("quantized_layers", "MIXED_PRECISION needs an object of modules and their quant_algo");
  }
  out.mixed = true;
  Config modules = in.object("quantized_layers");
  for (const json::Member& each : layers->members) {
    const auto found =
        std::find_if(each.value.members.begin(), each.value.members.end(),
                     [](const json::Member& member) { return member.key == "quant_algo"; });
    const std::string name = found == each.value.members.end() ? "" : found->value.text;
    const auto known = algorithm(name);
    if (!known) refuse_algorithm(in, "quantized_layers", name);
    Config module = modules.object(each.key);
    (void)group_of(module, name, known->weights);
    if (names_head(each.key)) out.head = known->weights;
    const auto same = std::find_if(by_algorithm.begin(), by_algorithm.end(),
                                   [&](const auto& entry) { return entry.first == name; });
    auto& entry = same == by_algorithm.end()
                      ? by_algorithm.emplace_back(name, std::vector<std::string>{})
                      : *same;
    entry.second.push_back(each.key);
  }
  for (const auto& [name, modules] : by_algorithm) {
    out.rules.push_back(
        {ModulePatterns(in, "quantized_layers", modules), algorithm(name).value_or(Format{})});
  }
}

}  // namespace

/// FP8 and MXFP8 checkpoints whose experts ModelOpt made smaller: their algorithm, or a list of
/// modules. What ModelOpt left alone (`ignore`) stays in the method's own format.
void read_modelopt_within(Config& in, Statement& out) {
  if (in.has("moe_quant_algo")) {
    const std::string name = in.text("moe_quant_algo");
    out.experts = algorithm(name);
    if (!out.experts) refuse_algorithm(in, "moe_quant_algo", name);
    in.set_aside("moe_quant_format");
  }
  read_cache_algorithm(in, out);
  read_cache_scheme(in, out);
  if (!in.has("quantized_layers")) return;
  read_quantized_layers(in, out);
  (void)group_size(in, "group_size");
  for (const char* said : {"config_groups", "ignore", "exclude_modules", "quant_algo"})
    in.set_aside(said);
}

void read_modelopt(Config& in, Statement& out) {
  leave_out(in, in.any({"exclude_modules", "ignore"}), out);
  read_cache_scheme(in, out);
  read_cache_algorithm(in, out);
  const bool cache_alone = out.kv != Dtype::bf16 && !in.has("config_groups");
  if (!in.has("quant_algo") && cache_alone) return (void)group_size(in, "group_size");
  if (!in.has("quant_algo")) return read_groups(in, out);
  (void)group_size(in, "group_size");
  const std::string name = in.text("quant_algo");
  if (name == "MIXED_PRECISION") {
    if (in.has("quantized_layers")) {
      read_quantized_layers(in, out);
      return in.set_aside("config_groups");
    }
    return read_groups(in, out);
  }
  const auto known = algorithm(name);
  if (!known) refuse_algorithm(in, "quant_algo", name);
  out.base = *known;
  const std::int64_t group = group_of(in, name, out.base.weights);
  if (in.has("group_size") && out.base.weights == Dtype::int4g128)
    out.base.weights = grouped_integer(4, group);
  in.set_aside("config_groups");  // says the same once more
}

}  // namespace afford::config
