#include "import/formats.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/number.hpp"

namespace afford::config {
namespace {

void read_fp8(Config& in, Statement& out) {
  out.base = {fp8_in_blocks(in), Dtype::fp8};
  leave_out(in, in.any({"modules_to_not_convert", "ignored_layers"}), out);
}

/// transformers packs the experts alone.
void read_mxfp4(Config& in, Statement& out) {
  out.base = {Dtype::mxfp4, Dtype::bf16};
  out.experts_alone = true;
  leave_out(in, "modules_to_not_convert", out);
}

void read_mxfp8(Config& in, Statement& out) {
  out.base = {stored_bits(mxfp8_bits), Dtype::fp8};
  leave_out(in, in.any({"modules_to_not_convert", "ignored_layers"}), out);
}

void read_eetq(Config& in, Statement& out) {
  out.base = {Dtype::int8, Dtype::bf16};
  leave_out(in, "modules_to_not_convert", out);
}

/// Four ternary weights a byte.
void read_bitnet(Config& in, Statement& out) {
  out.base = {stored_bits(2), Dtype::int8};
  leave_out(in, "modules_to_not_convert", out);
}

/// ExLlama states the mean over all matrices.
void read_exllama(Config& in, Statement& out) {
  constexpr double fewest = 1, most = 16;
  const json::Value* bits = in.find("bits");
  const auto mean = bits == nullptr ? std::nullopt : parse_real(bits->text);
  if (!mean || !(*mean >= fewest) || *mean > most)
    in.fail("bits", "expected the mean bits of a weight, from 1 to 16");
  out.base = {stored_bits(*mean), Dtype::bf16};
  for (const char* said : {"head_bits", "calibration", "out_scales"}) in.set_aside(said);
}

/// FP-Quant: "mxfp4" or "nvfp4" behind a rotation.
void read_fp_quant(Config& in, Statement& out) {
  const std::string format = in.text("forward_dtype");
  if (format != "mxfp4" && format != "nvfp4")
    in.fail("forward_dtype",
            fmt::format("unknown value '{}'; expected mxfp4 or nvfp4", format.substr(0, 40)));
  out.base = {format == "mxfp4" ? Dtype::mxfp4 : Dtype::nvfp4, Dtype::fp4};
  for (const char* said : {"backward_dtype", "forward_method", "hadamard_group_size",
                           "store_master_weights", "pseudoquantization", "transform_init"})
    in.set_aside(said);
  leave_out(in, "modules_to_not_convert", out);
}

struct Method {
  std::string_view name;
  StatementReader read;
};
constexpr Method methods[] = {
    {"fp8", read_fp8},
    {"fbgemm_fp8", read_fp8},
    {"mxfp4", read_mxfp4},
    {"mxfp8", read_mxfp8},
    {"compressed-tensors", read_compressed_tensors},
    {"modelopt", read_modelopt},
    {"modelopt_fp4", read_modelopt},
    {"modelopt_mixed", read_modelopt},
    {"quark", read_quark},
    {"gptq", read_gptq},
    {"awq", read_awq},
    {"auto-round", read_auto_round},
    {"intel/auto-round", read_auto_round},
    {"bitsandbytes", read_bitsandbytes},
    {"hqq", read_hqq},
    {"torchao", read_torchao},
    {"eetq", read_eetq},
    {"bitnet", read_bitnet},
    {"mlx", read_mlx},
    {"exl2", read_exllama},
    {"exl3", read_exllama},
    {"fp_quant", read_fp_quant},
};

/// Where formats may be stated. All but the first are older names or other tools'.
constexpr std::string_view statements[] = {"quantization_config", "compression_config",
                                           "quantization", "quant_config"};

// What says how the weights were made, or how they are loaded, and nothing about their bits.
constexpr const char* bookkeeping[] = {"act_bits",
                                       "act_data_type",
                                       "act_dynamic",
                                       "act_group_size",
                                       "act_group_aware",
                                       "act_sym",
                                       "activation_scheme",
                                       "algo_config",
                                       "amp",
                                       "autoround_version",
                                       "backend",
                                       "batch_size",
                                       "block_name_to_quantize",
                                       "bnb_4bit_compute_dtype",
                                       "bnb_4bit_quant_storage",
                                       "bnb_4bit_quant_type",
                                       "cache_block_outputs",
                                       "checkpoint_format",
                                       "custom_mode",
                                       "damp_auto_increment",
                                       "damp_percent",
                                       "dataset",
                                       "dequantize",
                                       "desc_act",
                                       "disable_exllama",
                                       "do_fuse",
                                       "enable_minmax_tuning",
                                       "enable_norm_bias_tuning",
                                       "enable_quanted_input",
                                       "exllama_config",
                                       "export",
                                       "fmt",
                                       "format",
                                       "fuse_max_seq_len",
                                       "global_compression_ratio",
                                       "gradient_accumulate_steps",
                                       "hyb_act",
                                       "include_input_output_embeddings",
                                       "is_marlin_format",
                                       "iters",
                                       "kv_cache_post_rope",
                                       "layer_type_quant_config",
                                       "linear_class",
                                       "llm_int8_enable_fp32_cpu_offload",
                                       "llm_int8_has_fp16_weight",
                                       "llm_int8_threshold",
                                       "low_gpu_mem_usage",
                                       "lr",
                                       "max_input_length",
                                       "meta",
                                       "min_kv_scale",
                                       "minmax_lr",
                                       "model_file_base_name",
                                       "model_name_or_path",
                                       "model_seqlen",
                                       "module_name_preceding_first_block",
                                       "modules_to_fuse",
                                       "nsamples",
                                       "offline",
                                       "online",
                                       "pack_dtype",
                                       "pack_method",
                                       "packing_format",
                                       "pad_token_id",
                                       "producer",
                                       "quant_method",
                                       "quant_mode",
                                       "quantization_mode",
                                       "quantization_status",
                                       "quantize_embedding",
                                       "rotation_config",
                                       "scale_dtype",
                                       "scale_fmt",
                                       "seqlen",
                                       "softmax_quant_spec",
                                       "static_groups",
                                       "super_bits",
                                       "supported_instruction",
                                       "to_quant_block_names",
                                       "tokenizer",
                                       "train_bs",
                                       "transform_config",
                                       "true_sequential",
                                       "untie_embedding_weights",
                                       "use_cuda_fp16",
                                       "use_exllama",
                                       "use_rms_norm",
                                       "v2",
                                       "version"};

void refuse_sparsity(Config& in) {
  if (!in.has("sparsity_config")) return;
  Config sparsity = in.object("sparsity_config");
  if (const std::string format = sparsity.text_or("format", "dense"); format != "dense")
    sparsity.fail("format",
                  fmt::format("sparse weights ('{}') are not counted", format.substr(0, 40)));
  for (const json::Member& each : in.find("sparsity_config")->members) sparsity.set_aside(each.key);
  in.absorb(sparsity);
}

Statement read_method(Config& in, const std::string& method, const std::string& where) {
  for (const Method& each : methods) {
    if (each.name != method) continue;
    Statement out;
    each.read(in, out);
    if (each.read != read_modelopt) read_modelopt_within(in, out);
    out.key = where;
    refuse_sparsity(in);
    for (const char* key : bookkeeping) in.set_aside(key);
    (void)block_size(in, "weight_block_size");
    (void)group_size(in, "super_group_size");
    return out;
  }
  std::vector<std::string_view> names;
  for (const Method& each : methods) names.push_back(each.name);
  in.fail("quant_method",
          fmt::format(
              "unknown value '{}'; expected one of {} (import with --assume {}=ignore counts BF16)",
              method.substr(0, 40), fmt::join(names, ", "), where));
}

/// What stands beside the config: ModelOpt's under "quantization", the others' as the file.
std::optional<Statement> read_outside(Builder& b) {
  if (b.beside == nullptr) return std::nullopt;
  Config root = b.in.beside(b.beside->root, b.beside->file);
  if (root.is_assumed_away()) {
    b.in.absorb(root);
    return std::nullopt;
  }
  const auto read = [&](Config& in) {
    const bool gguf = b.beside->method == "gguf";
    if (!gguf && b.beside->method != "modelslim")
      return read_method(in, in.text_or("quant_method", b.beside->method), b.beside->file);
    Statement out;
    (gguf ? read_gguf_formats : read_modelslim)(in, out);
    out.key = b.beside->file;
    return out;
  };
  const bool nested = b.beside->method == "modelopt" && root.has("quantization");
  std::optional<Statement> out;
  if (nested) {
    Config in = root.object("quantization");
    out = read(in);
    root.absorb(in);
    root.set_aside("producer");
    const std::string said_again = root.text_or("quant_method", "modelopt").substr(0, 40);
    if (said_again != "modelopt")
      root.fail("quant_method", fmt::format("unknown value '{}'; expected modelopt", said_again));
  } else {
    out = read(root);
  }
  b.in.absorb(root);
  return out;
}

/// MLX states bits and groups alone, older exports of ModelOpt their algorithm alone.
std::string method_of(Config& in) {
  if (in.has("quant_method")) return in.text("quant_method");
  if (in.has("bits") && in.has("group_size")) return "mlx";
  if (in.has("quant_algo")) return "modelopt";
  return in.text("quant_method");  // says that it is missing
}

/// The statement in the config, where there is one.
std::optional<Statement> read_inside(Builder& b) {
  const auto key = std::find_if(std::begin(statements), std::end(statements),
                                [&](std::string_view each) { return b.in.has(each); });
  if (key == std::end(statements)) return std::nullopt;
  Config in = b.in.object(*key);
  Statement out = read_method(in, method_of(in), std::string(*key));
  b.in.absorb(in);
  for (const std::string_view again : statements) {  // MLX writes it twice
    const json::Value* other = b.in.has(again) ? b.in.find(again) : nullptr;
    if (other != nullptr && !json::same(*other, *b.in.find(*key)))
      b.in.fail(again, fmt::format("says something else than {}; import with --assume {}=ignore or "
                                   "--assume {}=ignore to say which",
                                   *key, *key, again));
  }
  return out;
}

}  // namespace

/// The config's own statement goes first, as engines read it; what stands beside it must agree,
/// and may add the cache's format.
Statement read_statement(Builder& b) {
  auto inside = read_inside(b), outside = read_outside(b);
  if (!inside) return outside ? std::move(*outside) : Statement{};
  if (!outside) return std::move(*inside);
  const bool listed = inside->mixed && outside->mixed;
  if (!listed && inside->base.weights != outside->base.weights) {
    b.in.fail(inside->key,
              fmt::format("{} here, {} in {}; import with --assume {}=ignore or "
                          "--assume {}=ignore to say which",
                          name_of(inside->base.weights), name_of(outside->base.weights),
                          outside->key, inside->key, outside->key));
  }
  if (inside->kv == Dtype::bf16) inside->kv = outside->kv;
  return std::move(*inside);
}

}  // namespace afford::config
