// Statements that give formats by groups of modules: compressed-tensors, Quark.
#include <fmt/format.h>

#include <algorithm>

#include "import/formats.hpp"

namespace afford::config {
namespace {

constexpr yaml::Range group_bits{1, 32};

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
  const std::int64_t group = group_size(weights, "group_size");
  if (weights.has("block_structure") &&
      weights.find("block_structure")->kind == json::Value::Kind::list)  // older: "128x128"
    block_size(weights, "block_structure");
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
  std::vector<std::string> targets = {"Linear"};
  if (group.has("targets")) targets = group.texts("targets");
  if (!group.has("weights")) return group.set_aside("output_activations");  // a cache's
  const Format format = format_of_group(group);
  std::vector<std::string> names;
  for (const std::string& target : targets) {
    if (target == "Linear") {
      out.base = format;  // not the LM head: engines keep it apart, and most lists leave it out
    } else if (names_head(target)) {
      out.head = format.weights;
    } else if (target.find('.') == std::string::npos) {
      group.fail("targets", fmt::format("unknown class '{}'; expected Linear or names of modules",
                                        target.substr(0, 40)));
    } else {
      names.push_back(target);
    }
  }
  if (!names.empty()) out.rules.push_back({ModulePatterns(group, "targets", names), format});
}

/// A "weight" or "input_tensors" of Quark; null leaves BF16.
Dtype quark_format(Config& in, std::string_view key) {
  if (!in.has(key)) return Dtype::bf16;
  Config tensor = in.object(key);
  const std::string dtype = tensor.text("dtype");
  const std::int64_t group = group_size(tensor, "group_size");
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

/// {"num_bits": 8, "type": "float"}; older exports name the format alone ("FP8").
void read_cache_scheme(Config& in, Statement& out) {
  constexpr std::string_view key = "kv_cache_scheme";
  if (!in.has(key)) return;
  if (in.find(key)->kind == json::Value::Kind::text) {
    const std::string name = in.text(key);
    if (name != "FP8" && name != "static" && name != "dynamic")  // AutoFP8's name their scales
      in.fail(key, fmt::format("unknown value '{}'; expected FP8, static or dynamic",
                               name.substr(0, 40)));
    out.kv = Dtype::fp8;
    return;
  }
  Config kv = in.object(key);
  const bool floats = kv.text_or("type", "float") == "float";
  if (kv.integer("num_bits", group_bits) != 8)
    kv.fail("num_bits", "only a KV cache of 8 bits is understood");
  out.kv = floats ? Dtype::fp8 : Dtype::int8;
  for (const json::Member& each : in.find(key)->members) kv.set_aside(each.key);
  in.absorb(kv);
}

void read_compressed_tensors(Config& in, Statement& out) {
  leave_out(in, "ignore", out);
  read_groups(in, out);
  read_cache_scheme(in, out);
}

namespace {

/// Quark's older exports quantise the cache as the outputs of what `export.kv_cache_group` names.
std::vector<std::string> quark_cache_group(Config& in) {
  if (!in.has("export")) return {};
  Config how = in.object("export");
  std::vector<std::string> names;
  if (how.has("kv_cache_group")) names = how.texts("kv_cache_group");
  for (const json::Member& each : in.find("export")->members) how.set_aside(each.key);
  in.absorb(how);
  return names;
}

}  // namespace

void read_quark(Config& in, Statement& out) {
  leave_out(in, "exclude", out);
  const std::vector<std::string> cached = quark_cache_group(in);
  if (in.has("layer_quant_config")) {
    Config layers = in.object("layer_quant_config");
    for (const json::Member& each : in.find("layer_quant_config")->members) {
      Config group = layers.object(each.key);
      if (std::find(cached.begin(), cached.end(), each.key) != cached.end())
        out.kv = quark_format(group, "output_tensors");
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
