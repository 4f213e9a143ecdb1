// Which formats a checkpoint is stored and computed in.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "import/builder.hpp"

namespace afford::config {
namespace {

/// What quantization_config says: the weights' format, what products with them run in, and what it
/// leaves in BF16.
struct Quantization {
  std::string weights = "bf16", compute = "bf16", kv = "bf16";
  bool attention = true, shared = true, dense = true;  // whether these are quantised, too
};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// What the attention, dense and shared MLPs of the patterns in `modules` leave. A pattern that
/// names a single layer counts for all once as many of its kind are listed as there are layers to
/// name.
void leave_out(const std::vector<std::string>& modules, std::int64_t layers, Quantization& q) {
  std::array<std::int64_t, 3> listed{};
  for (const std::string& module : modules) {
    // A norm, the router, or a projection by itself changes no format worth counting.
    const bool attention = has(module, "self_attn") && !has(module, "norm") &&
                           !has(module, "self_attn.kv_b") && !has(module, "indexer");
    const bool shared = has(module, "shared_expert") && !has(module, "shared_expert_gate");
    const bool dense = has(module, "mlp") && has(module, "_proj") && !has(module, "expert");
    const bool one_layer =
        has(module, "layers.") && module.find_first_of("0123456789") != std::string::npos;
    const std::int64_t weight = one_layer ? 1 : layers;
    if (attention) listed[0] += weight;
    if (shared) listed[1] += weight;
    if (dense) listed[2] += weight;
  }
  constexpr double most_layers = 0.5;
  const double enough = most_layers * static_cast<double>(layers);
  q.attention = static_cast<double>(listed[0]) < enough;
  q.shared = static_cast<double>(listed[1]) < enough;
  q.dense = static_cast<double>(listed[2]) < enough;
}

std::string int4_of(Config& in, std::int64_t group) {
  if (group == 32) return "int4g32";
  if (group == 128) return "int4g128";
  in.fail("group_size",
          fmt::format("INT4 in groups of {} is not known; expected 32 or 128", group));
}

/// One config_group of compressed-tensors.
void read_group(Config& group, Quantization& q) {
  Config weights = group.object("weights");
  const std::int64_t bits = weights.integer("num_bits", {1, 32});
  const std::string type = weights.text_or("type", "int");
  const std::int64_t size =
      weights.has("group_size") ? weights.integer("group_size", {-1, 1 << 20}) : 0;
  const bool activations = group.has("input_activations");
  if (bits == 4 && type == "float") {
    q.weights = size == 32 ? "mxfp4" : "nvfp4";
    if (size != 32 && size != 16)
      weights.fail("group_size", fmt::format("expected 16 or 32, got {}", size));
    q.compute = activations ? "fp4" : "bf16";
  } else if (bits == 4) {
    q.weights = int4_of(weights, size);
  } else if (bits == 8) {
    q.weights = type == "float" ? "fp8" : "int8";
    q.compute = activations ? q.weights : "bf16";
  } else {
    weights.fail("num_bits", fmt::format("expected 4 or 8, got {}", bits));
  }
  for (const char* key : {"targets", "format", "output_activations", "input_activations"})
    group.set_aside(key);
  for (const char* key : {"actorder", "block_structure", "dynamic", "observer", "observer_kwargs",
                          "scale_dtype", "strategy", "symmetric", "zp_dtype"}) {
    weights.set_aside(key);
  }
  group.absorb(weights);
}

void read_compressed_tensors(Config& in, Quantization& q) {
  Config groups = in.object("config_groups");
  Config group = groups.object("group_0");
  read_group(group, q);
  groups.absorb(group);
  in.absorb(groups);
  if (in.has("kv_cache_scheme")) {
    Config kv = in.object("kv_cache_scheme");
    const bool fp8 = kv.integer("num_bits", {1, 32}) == 8 && kv.text_or("type", "float") == "float";
    if (!fp8) kv.fail("num_bits", "only an 8-bit float KV cache is understood");
    q.kv = "fp8";
    in.set_aside("kv_cache_scheme");
  }
}

/// NVIDIA's ModelOpt.
void read_modelopt(Config& in, Quantization& q) {
  const std::string algorithm = in.text("quant_algo");
  if (algorithm == "NVFP4") {
    q.weights = "nvfp4";
    q.compute = "fp4";
  } else if (algorithm == "FP8") {
    q.weights = q.compute = "fp8";
  } else {
    in.fail("quant_algo",
            fmt::format("unknown value '{}'; expected NVFP4 or FP8", algorithm.substr(0, 40)));
  }
  if (in.has("kv_cache_quant_algo")) {
    if (in.text("kv_cache_quant_algo") != "FP8") in.fail("kv_cache_quant_algo", "expected FP8");
    q.kv = "fp8";
  }
  for (const char* key : {"config_groups", "group_size", "producer", "kv_cache_scheme"})
    in.set_aside(key);
}

Quantization read_quantization(Builder& b) {
  Quantization q;
  if (!b.in.has("quantization_config")) {
    b.in.note_default("quantization_config", "BF16", "the checkpoint is not quantised");
    return q;
  }
  Config in = b.in.object("quantization_config");
  const std::string method = in.text("quant_method");
  if (method == "fp8") {
    q.weights = q.compute = "fp8";
  } else if (method == "mxfp4") {
    q.weights = "mxfp4";
    q.shared = q.dense = q.attention = false;  // transformers packs the experts alone
  } else if (method == "compressed-tensors") {
    read_compressed_tensors(in, q);
  } else if (method == "modelopt") {
    read_modelopt(in, q);
  } else if (method == "gptq" || method == "awq") {
    if (in.integer("bits", {1, 16}) != 4) in.fail("bits", "only 4 is understood");
    q.weights = int4_of(in, in.integer("group_size", {-1, 1 << 20}));
  } else {
    in.fail(
        "quant_method",
        fmt::format("unknown value '{}'; expected one of fp8, mxfp4, compressed-tensors, modelopt, "
                    "gptq, awq (--assume quantization_config=ignore counts BF16)",
                    method.substr(0, 40)));
  }
  if (const auto kept =
          in.any({"modules_to_not_convert", "ignore", "ignored_layers", "exclude_modules"});
      in.has(kept) && method != "mxfp4") {
    leave_out(in.texts(kept), b.layers, q);
  }
  for (const char* key :
       {"activation_scheme", "fmt", "scale_fmt", "weight_block_size", "format",
        "global_compression_ratio", "quantization_status", "desc_act", "sym", "zero_point",
        "version", "true_sequential", "damp_percent", "static_groups", "sparsity_config",
        "transform_config", "backend", "kv_cache_scheme"}) {
    in.set_aside(key);
  }
  b.in.absorb(in);
  return q;
}

Part* find_part(Builder& b, std::string_view name) {
  for (Part& part : b.out.ffns) {
    if (part.name == name) return &part;
  }
  return nullptr;
}

bool has_field(const Part& part, std::string_view key) {
  return std::any_of(part.fields.begin(), part.fields.end(),
                     [&](const Field& f) { return f.key == key; });
}

void plan_from_config(Builder& b) {
  const Quantization q = read_quantization(b);
  const std::string from = "quantization_config",
                    stated = b.in.has("quantization_config") ? from : "not quantised";
  std::string experts = q.weights, compute = q.compute;
  if (b.in.has("expert_dtype")) {  // DeepSeek-V4: FP4 experts, the rest as quantization_config says
    if (const std::string dtype = b.in.text("expert_dtype"); dtype == "fp4") {
      experts = "mxfp4";
    } else if (dtype != "fp8") {
      b.in.fail("expert_dtype",
                fmt::format("unknown value '{}'; expected fp4 or fp8", dtype.substr(0, 40)));
    }
  }
  Part *moe = find_part(b, "moe"), *dense = find_part(b, "dense");
  const std::string dense_format = q.dense ? q.weights : "bf16";
  const std::string main = moe != nullptr ? experts : dense_format;
  if (moe != nullptr && dense != nullptr && dense_format != main) {
    dense->fields.push_back({"weights", dense_format, from});
  }
  const std::string shared = q.shared ? q.weights : "bf16";
  if (moe != nullptr && has_field(*moe, "shared_experts") && shared != main) {
    moe->fields.push_back({"shared_weights", shared, from});
  }
  b.in.note_default("KV cache", q.kv,
                    q.kv == "bf16" ? "no KV format stated: the model's own" : from);
  b.out.precision = {{"attention_weights", q.attention ? q.weights : "bf16", stated},
                     {"ffn_weights", main, stated},
                     {"kv", q.kv, q.kv == "bf16" ? "not stated" : from},
                     {"attention_compute", "bf16", ""},
                     {"linear_compute", q.attention ? q.compute : "bf16", stated},
                     {"ffn_compute", moe != nullptr || q.dense ? compute : "bf16", stated}};
}

void plan_from_paper(Builder& b) {
  b.in.set_aside("quantization_config");
  b.in.set_aside("expert_dtype");
  for (const char* key : {"attention_weights", "ffn_weights", "kv", "attention_compute",
                          "linear_compute", "ffn_compute"}) {
    b.out.precision.push_back({key, "fp8", ""});
  }
  if (b.out.attentions.size() < 2) return;
  for (Part& part : b.out.attentions) {
    const std::string& kind = part.fields.front().value;
    const bool capped = has_field(part, "window") || has_field(part, "chunk");
    if ((kind == "gqa" && !capped) || kind == "mla") part.fields.push_back({"kv", "bf16", "paper"});
  }
}

}  // namespace

void plan_precision(Builder& b) {
  for (Part& part : b.out.attentions) {
    const std::string& kind = part.fields.front().value;
    const bool recurrent = kind == "lightning" || kind == "gated_delta_net" || kind == "kda";
    if (!recurrent) continue;
    const bool stated = kind == "gated_delta_net" && b.in.has("mamba_ssm_dtype");
    const std::string format = stated ? b.in.text("mamba_ssm_dtype") : "float32";
    if (format != "float32" && format != "bfloat16") {
      b.in.fail("mamba_ssm_dtype",
                fmt::format("expected float32 or bfloat16, got '{}'", format.substr(0, 40)));
    }
    part.fields.push_back({"state", format == "float32" ? "fp32" : "bf16",
                           stated ? "mamba_ssm_dtype" : "not stated"});
    if (!stated) b.in.note_default("state format", "fp32", "recurrent states are kept in FP32");
  }
  if (b.out.paper_precision) {
    plan_from_paper(b);
  } else {
    plan_from_config(b);
  }
}

}  // namespace afford::config
