// Statements that give whole numbers in groups: GPTQ, AWQ, AutoRound, bitsandbytes, HQQ, TorchAO.
#include <fmt/format.h>

#include <algorithm>

#include "import/formats.hpp"

namespace afford::config {
namespace {

constexpr yaml::Range integer_bits{2, 8};

/// Bits, groups and zero points under the names GPTQ gives them.
Format gptq_format(Config& in) {
  const std::int64_t bits = in.integer("bits", integer_bits);
  const std::int64_t group = group_size(in, "group_size");
  const bool symmetric = in.flag("sym", true, "GPTQ's default");
  return {grouped_integer(bits, group, symmetric ? 0 : static_cast<double>(bits)), Dtype::bf16};
}

/// GPTQModel's overrides: "-:pattern" leaves modules out, "+:pattern" gives them other bits.
void read_dynamic(Config& in, Statement& out) {
  if (!in.has("dynamic")) return;
  Config all = in.object("dynamic");
  for (const json::Member& each : in.find("dynamic")->members) {
    Config one = all.object(each.key);
    const bool negative = each.key.starts_with("-:"), positive = each.key.starts_with("+:");
    const std::string pattern = negative || positive ? each.key.substr(2) : each.key;
    Format format;
    if (!negative) {
      format = out.base;
      if (one.has("bits")) format = gptq_format(one);
    }
    out.rules.push_back({ModulePatterns(in, "dynamic", {"re:" + pattern}), format});
    all.absorb(one);
  }
  in.absorb(all);
}

/// Only the projections of these lists are quantised: [["self_attn.q_proj", ...], ...].
void read_only(Config& in, Statement& out) {
  const json::Value* lists = in.find("modules_in_block_to_quantize");
  if (lists == nullptr) return;
  std::vector<std::string> names;
  for (const json::Value& list : lists->items) {
    if (list.kind == json::Value::Kind::text) names.push_back(list.text);
    for (const json::Value& item : list.items) names.push_back(item.text);
  }
  out.rules.push_back({ModulePatterns(in, "modules_in_block_to_quantize", names), out.base});
  out.base = {};
}

Format auto_round_format(Config& in) {
  constexpr std::int64_t plain = 16;
  const std::int64_t bits = in.integer("bits", {2, plain});
  const std::string type = in.text_or("data_type", "int");
  if (bits == plain) return {};
  const bool mx = type.starts_with("mx_fp"), nv = type.starts_with("nv_fp");
  if (mx || nv) require_group(in, "group_size", mx ? 32 : 16, type);
  if (type.starts_with("fp")) in.set_aside("group_size");  // 0: one scale for the whole matrix
  if (mx && bits == 8) return {stored_bits(mxfp8_bits), Dtype::fp8};
  if (mx) return {Dtype::mxfp4, Dtype::fp4};
  if (nv) return {Dtype::nvfp4, Dtype::fp4};
  if (type.starts_with("fp") && bits == 8) return {Dtype::fp8, Dtype::fp8};
  if (type != "int")
    in.fail("data_type", fmt::format("unknown value '{}'; expected one of int, fp, mx_fp, nv_fp",
                                     type.substr(0, 40)));
  return gptq_format(in);
}

struct Named {
  std::string_view name;
  Dtype weights, compute;
  std::int64_t group;  // of INT4 where none is stated
};
// TorchAO, torchao/quantization/quant_api.py; and the names transformers had for them before.
constexpr Named torchao[] = {
    {"Int4WeightOnlyConfig", Dtype::int4, Dtype::bf16, 128},
    {"int4_weight_only", Dtype::int4, Dtype::bf16, 128},
    {"Int8WeightOnlyConfig", Dtype::int8, Dtype::bf16, 0},
    {"int8_weight_only", Dtype::int8, Dtype::bf16, 0},
    {"Int8DynamicActivationInt8WeightConfig", Dtype::int8, Dtype::int8, 0},
    {"int8_dynamic_activation_int8_weight", Dtype::int8, Dtype::int8, 0},
    {"Int8DynamicActivationInt4WeightConfig", Dtype::int4, Dtype::int8, 32},
    {"Int8DynamicActivationIntxWeightConfig", Dtype::int4, Dtype::int8, 32},
    {"Float8WeightOnlyConfig", Dtype::fp8, Dtype::bf16, 0},
    {"Float8DynamicActivationFloat8WeightConfig", Dtype::fp8, Dtype::fp8, 0},
    {"Float8DynamicActivationInt4WeightConfig", Dtype::int4, Dtype::fp8, 128},
};

Format torchao_format(Config& in, std::string_view key, const std::string& name,
                      std::optional<std::int64_t> group) {
  constexpr double scale_and_zero = 16;
  for (const Named& each : torchao) {
    if (each.name != name) continue;
    if (each.weights != Dtype::int4) return {each.weights, each.compute};
    const bool zero = each.compute == Dtype::bf16;  // tinygemm keeps one beside each scale
    return {grouped_integer(4, group.value_or(each.group), zero ? scale_and_zero : 0),
            each.compute};
  }
  in.fail(key, fmt::format("unknown TorchAO configuration '{}'", name.substr(0, 60)));
}

}  // namespace

Dtype grouped_integer(std::int64_t bits, std::int64_t group, double zero_bits) {
  constexpr double scale_bits = 16;
  if (group <= 0) {
    if (bits == 4) return Dtype::int4;
    return bits == 8 ? Dtype::int8 : stored_bits(static_cast<double>(bits));
  }
  const double stored =
      static_cast<double>(bits) + (scale_bits + zero_bits) / static_cast<double>(group);
  for (const Dtype named : {Dtype::int4g32, Dtype::int4g64, Dtype::int4g128, Dtype::int8g128}) {
    if (zero_bits == 0 && bits_of(named) == stored) return named;
  }
  return stored_bits(stored);
}

bool names_head(std::string_view name) { return name.find("lm_head") != std::string_view::npos; }

void leave_out(Config& in, std::string_view key, Statement& out) {
  if (in.has(key)) out.rules.push_back({ModulePatterns(in, key, in.texts(key)), {}});
}

void read_gptq(Config& in, Statement& out) {
  out.base = gptq_format(in);
  if (in.has("lm_head") && in.flag("lm_head", false, "")) out.head = out.base.weights;
  leave_out(in, "modules_to_not_convert", out);
  read_dynamic(in, out);
  read_only(in, out);
}

void read_awq(Config& in, Statement& out) {
  const auto bits_key = in.any({"bits", "w_bit"}),
             group_key = in.any({"group_size", "q_group_size"});
  const std::int64_t bits = in.integer(bits_key, integer_bits);
  const std::int64_t group = group_size(in, group_key);
  const bool zero = in.flag("zero_point", true, "AWQ's default");
  out.base.weights = grouped_integer(bits, group, zero ? static_cast<double>(bits) : 0);
  leave_out(in, "modules_to_not_convert", out);
}

void read_auto_round(Config& in, Statement& out) {
  out.base = auto_round_format(in);
  leave_out(in, "modules_to_not_convert", out);
  if (!in.has("extra_config")) return;
  Config extra = in.object("extra_config");
  for (const json::Member& each : in.find("extra_config")->members) {
    Config one = extra.object(each.key);
    const Format format = one.has("bits") ? auto_round_format(one) : out.base;
    if (names_head(each.key)) out.head = format.weights;
    for (const json::Member& rest : each.value.members) one.set_aside(rest.key);
    out.rules.push_back({ModulePatterns(in, "extra_config", {each.key}), format});
    extra.absorb(one);
  }
  in.absorb(extra);
}

/// QLoRA, arXiv 2305.14314: a 32-bit scale for 64 weights; with double quantisation an 8-bit one,
/// and a 32-bit one for 256 of these.
void read_bitsandbytes(Config& in, Statement& out) {
  constexpr double single = 4 + 32.0 / 64, twice = 4 + 8.0 / 64 + 32.0 / (64 * 256);
  if (in.flag("load_in_8bit", false, "bitsandbytes") || in.flag("_load_in_8bit", false, "")) {
    out.base = {Dtype::int8, Dtype::int8};
  } else if (in.flag("load_in_4bit", false, "bitsandbytes") ||
             in.flag("_load_in_4bit", false, "")) {
    const bool nested = in.flag("bnb_4bit_use_double_quant", false, "BitsAndBytesConfig");
    out.base = {stored_bits(nested ? twice : single), Dtype::bf16};
  } else {
    in.fail("load_in_4bit", "neither load_in_4bit nor load_in_8bit is set");
  }
  for (const char* key : {"load_in_8bit", "load_in_4bit", "_load_in_8bit", "_load_in_4bit",
                          "bnb_4bit_use_double_quant"})
    in.set_aside(key);
  leave_out(in, "llm_int8_skip_modules", out);
}

void read_hqq(Config& in, Statement& out) {
  constexpr double zero_bits = 16;
  Config config = in.object("quant_config");
  Config weights = config.object("weight_quant_params");
  out.base.weights = grouped_integer(weights.integer("nbits", integer_bits),
                                     group_size(weights, "group_size"), zero_bits);
  for (const json::Member& each : config.find("weight_quant_params")->members)
    weights.set_aside(each.key);
  config.absorb(weights);
  for (const json::Member& each : in.find("quant_config")->members) config.set_aside(each.key);
  in.absorb(config);
  leave_out(in, "skip_modules", out);
}

void read_torchao(Config& in, Statement& out) {
  leave_out(in, "modules_to_not_convert", out);
  const json::Value* type = in.find("quant_type");
  std::optional<std::int64_t> group;
  if (type != nullptr && type->kind == json::Value::Kind::object) {
    Config configs = in.object("quant_type");
    Config one = configs.object("default");
    Config data = one.has("_data") ? one.object("_data") : configs.object("default");
    if (data.has("group_size")) group = group_size(data, "group_size");
    out.base = torchao_format(one, "_type", one.text("_type"), group);
    for (const json::Member& each : type->members) configs.set_aside(each.key);
    return;
  }
  if (in.has("quant_type_kwargs")) {
    Config kwargs = in.object("quant_type_kwargs");
    if (kwargs.has("group_size")) group = group_size(kwargs, "group_size");
  }
  out.base = torchao_format(in, "quant_type", in.text("quant_type"), group);
}

/// MLX: groups with a 16-bit scale and a 16-bit bias, the vocabulary's matrices too; a module may
/// have its own, or false. mlx/nn/layers/quantized.py.
void read_mlx(Config& in, Statement& out) {
  constexpr double bias_bits = 16;
  const auto format_of = [&](Config& each) {
    const std::string mode = each.text_or("mode", "affine");
    const std::int64_t bits = each.integer("bits", integer_bits);
    const std::int64_t group = group_size(each, "group_size");
    if (!each.has("group_size")) each.fail("group_size", "MLX states one for every format");
    if (mode == "mxfp4" || mode == "mxfp8" || mode == "nvfp4") {
      require_group(each, "group_size", mode == "nvfp4" ? 16 : 32, mode);
      if (mode == "mxfp8") return Format{.weights = stored_bits(mxfp8_bits)};
      return Format{.weights = mode == "mxfp4" ? Dtype::mxfp4 : Dtype::nvfp4};
    }
    if (mode != "affine")
      each.fail("mode", fmt::format("unknown value '{}'; expected affine, mxfp4, mxfp8 or nvfp4",
                                    mode.substr(0, 40)));
    return Format{.weights = grouped_integer(bits, group, bias_bits)};
  };
  out.base = format_of(in);
  out.vocabulary = out.base.weights;
  for (const std::string& key : in.keys()) {
    const json::Value* value = in.find(key);
    const bool head = names_head(key);
    if (value == nullptr || (key.find('.') == std::string::npos && !head)) continue;
    Format format;
    if (value->kind == json::Value::Kind::object) {
      Config one = in.object(key);
      format = format_of(one);
      in.absorb(one);
    }
    if (key.ends_with("embed_tokens")) out.vocabulary = format.weights;
    if (head) out.head = format.weights;
    out.rules.push_back({ModulePatterns(in, key, {key}), format});
  }
}

}  // namespace afford::config
