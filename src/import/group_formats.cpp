// Statements that give formats by groups of modules: compressed-tensors, ModelOpt, Quark.
#include <fmt/format.h>

#include <algorithm>

#include "import/formats.hpp"

namespace afford::config {
namespace {

constexpr yaml::Range group_bits{1, 32}, group_sizes{-1, 1 << 20};
constexpr double mxfp8_bits = 8 + 8.0 / 32;

/// What products run in when the inputs have this many bits.
Dtype compute_of(Config& in, std::string_view key) {
  Config inputs = in.object(key);
  const std::int64_t bits = inputs.has("num_bits") ? inputs.integer("num_bits", group_bits) : 16;
  const bool floats = inputs.text_or("type", "int") == "float";
  constexpr std::int64_t plain = 16, wide = 8, narrow = 4;
  if (bits != plain && bits != wide && !(bits == narrow && floats))
    inputs.fail("num_bits", fmt::format("expected 4 (float), 8 or 16, got {}", bits));
  for (const json::Member& each : in.find(key)->members) inputs.set_aside(each.key);
  in.absorb(inputs);
  if (bits == plain) return Dtype::bf16;
  if (bits == narrow) return Dtype::fp4;
  return floats ? Dtype::fp8 : Dtype::int8;
}

/// "weights" of a config group.
Dtype weights_of_group(Config& weights) {
  const std::int64_t bits = weights.integer("num_bits", group_bits);
  const bool floats = weights.text_or("type", "int") == "float";
  const std::int64_t group =
      weights.has("group_size") ? weights.integer("group_size", group_sizes) : -1;
  const bool symmetric = weights.flag("symmetric", true, "QuantizationArgs");
  if (!floats) {
    if (bits > 8) weights.fail("num_bits", fmt::format("expected 2 to 8, got {}", bits));
    return grouped_integer(bits, group, symmetric ? 0 : static_cast<double>(bits));
  }
  if (bits == 8) return group == 32 ? stored_bits(mxfp8_bits) : Dtype::fp8;
  if (bits != 4) weights.fail("num_bits", fmt::format("expected 4 or 8, got {}", bits));
  if (group != 32 && group != 16)
    weights.fail("group_size", fmt::format("expected 16 or 32, got {}", group));
  return group == 32 ? Dtype::mxfp4 : Dtype::nvfp4;
}

Format format_of_group(Config& group) {
  Config weights = group.object("weights");
  Format format{.weights = weights_of_group(weights)};
  if (group.has("input_activations")) format.compute = compute_of(group, "input_activations");
  for (const json::Member& each : group.find("weights")->members) weights.set_aside(each.key);
  for (const char* key : {"format", "output_activations", "input_activations"})
    group.set_aside(key);
  group.absorb(weights);
  return format;
}

/// "Linear" is every matrix; anything else names modules.
void add_group(Config& group, Statement& out) {
  const std::vector<std::string> targets = group.texts("targets");
  if (!group.has("weights")) return group.set_aside("output_activations");  // a cache's
  const Format format = format_of_group(group);
  std::vector<std::string> names;
  for (const std::string& target : targets) {
    if (target == "Linear") {
      out.base = format;
    } else if (target.find('.') == std::string::npos) {
      group.fail("targets", fmt::format("unknown class '{}'; expected Linear or names of modules",
                                        target.substr(0, 40)));
    } else {
      names.push_back(target);
    }
  }
  if (!names.empty()) out.rules.push_back({ModulePatterns(group, "targets", names), format});
}

void read_groups(Config& in, Statement& out) {
  constexpr size_t most_groups = 64;
  Config groups = in.object("config_groups");
  const auto& members = in.find("config_groups")->members;
  if (members.size() > most_groups)
    in.fail("config_groups", fmt::format("more than {} groups", most_groups));
  for (const json::Member& each : members) {
    Config group = groups.object(each.key);
    add_group(group, out);
    groups.absorb(group);
  }
  in.absorb(groups);
}

/// {"num_bits": 8, "type": "float"}.
void read_cache_scheme(Config& in, Statement& out) {
  if (!in.has("kv_cache_scheme")) return;
  Config kv = in.object("kv_cache_scheme");
  if (kv.integer("num_bits", group_bits) != 8 || kv.text_or("type", "float") != "float")
    kv.fail("num_bits", "only an 8-bit float KV cache is understood");
  out.kv = Dtype::fp8;
  for (const json::Member& each : in.find("kv_cache_scheme")->members) kv.set_aside(each.key);
  in.absorb(kv);
}

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

/// MIXED_PRECISION gives each module its algorithm: {"model.layers.0.mlp.up_proj": {"quant_algo":
/// "FP8"}}.
void read_quantized_layers(Config& in, Statement& out) {
  std::vector<std::pair<std::string, std::vector<std::string>>> by_algorithm;
  const json::Value* layers = in.find("quantized_layers");
  if (layers == nullptr || layers->kind != json::Value::Kind::object) {
    in.fail("quantized_layers", "MIXED_PRECISION needs an object of modules and their quant_algo");
  }
  for (const json::Member& each : layers->members) {
    const auto found =
        std::find_if(each.value.members.begin(), each.value.members.end(),
                     [](const json::Member& member) { return member.key == "quant_algo"; });
    const std::string name = found == each.value.members.end() ? "" : found->value.text;
    if (!algorithm(name)) refuse_algorithm(in, "quantized_layers", name);
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

/// A "weight" or "input_tensors" of Quark; null leaves BF16.
Dtype quark_format(Config& in, std::string_view key) {
  if (!in.has(key)) return Dtype::bf16;
  Config tensor = in.object(key);
  const std::string dtype = tensor.text("dtype");
  const std::int64_t group =
      tensor.has("group_size") ? tensor.integer("group_size", group_sizes) : -1;
  for (const json::Member& each : in.find(key)->members) tensor.set_aside(each.key);
  in.absorb(tensor);
  if (dtype == "fp8_e4m3") return Dtype::fp8;
  if (dtype == "int8") return grouped_integer(8, group);
  if (dtype == "int4" || dtype == "uint4")
    return grouped_integer(4, group, dtype == "uint4" ? 4 : 0);
  if (dtype == "fp4" && (group == 32 || group == 16))
    return group == 32 ? Dtype::mxfp4 : Dtype::nvfp4;
  tensor.fail("dtype", fmt::format("unknown value '{}' in groups of {}; expected one of fp8_e4m3, "
                                   "int8, int4, uint4, fp4 (groups of 16 or 32)",
                                   dtype.substr(0, 40), group));
}

Format quark_group(Config& in) {
  const Dtype weights = quark_format(in, "weight"), inputs = quark_format(in, "input_tensors");
  const bool four = inputs == Dtype::mxfp4 || inputs == Dtype::nvfp4;
  for (const char* key : {"output_tensors", "bias", "target_device"}) in.set_aside(key);
  return {weights, four ? Dtype::fp4 : inputs};
}

}  // namespace

void read_compressed_tensors(Config& in, Statement& out) {
  leave_out(in, "ignore", out);
  read_groups(in, out);
  read_cache_scheme(in, out);
}

void read_modelopt(Config& in, Statement& out) {
  leave_out(in, in.any({"exclude_modules", "ignore"}), out);
  read_cache_scheme(in, out);
  read_cache_algorithm(in, out);
  const bool cache_alone = out.kv != Dtype::bf16 && !in.has("config_groups");
  if (!in.has("quant_algo") && cache_alone) return in.set_aside("group_size");
  if (!in.has("quant_algo")) return read_groups(in, out);
  in.set_aside("group_size");
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
  if (in.has("group_size")) {
    const std::int64_t group = in.integer("group_size", group_sizes);
    if (out.base.weights == Dtype::int4g128) out.base.weights = grouped_integer(4, group);
  }
  in.set_aside("config_groups");  // says the same once more
}

void read_quark(Config& in, Statement& out) {
  leave_out(in, "exclude", out);
  if (in.has("layer_quant_config")) {
    Config layers = in.object("layer_quant_config");
    for (const json::Member& each : in.find("layer_quant_config")->members) {
      Config group = layers.object(each.key);
      const Format format = quark_group(group);
      layers.absorb(group);
      out.rules.push_back({ModulePatterns(in, "layer_quant_config", {each.key}), format});
    }
    in.absorb(layers);
  }
  Config global = in.object("global_quant_config");
  out.base = quark_group(global);
  in.absorb(global);
  if (in.has("kv_cache_quant_config")) {
    Config caches = in.object("kv_cache_quant_config");
    for (const json::Member& each : in.find("kv_cache_quant_config")->members) {
      Config cache = caches.object(each.key);
      out.kv = quark_format(cache, "output_tensors");
      quark_group(cache);
      caches.absorb(cache);
    }
    in.absorb(caches);
  }
}

}  // namespace afford::config
