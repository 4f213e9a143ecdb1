// Every way a checkpoint states its formats, inside or beside the config: what is counted.
#include <doctest/doctest.h>

#include "count/params.hpp"
#include "import/import.hpp"
#include "support.hpp"

using namespace afford;

namespace {

// 2 of 4 layers have experts: layers 0 and 1 are dense.
constexpr std::string_view moe = R"({"model_type": "glm4_moe", "hidden_size": 256,
  "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 64,
  "intermediate_size": 1024, "n_routed_experts": 16, "n_shared_experts": 1,
  "num_experts_per_tok": 2, "moe_intermediate_size": 512, "first_k_dense_replace": 2,
  "vocab_size": 1000)";

// Layers 0 and 2 attend through a window, 1 and 3 to everything.
constexpr std::string_view windows = R"({"model_type": "gemma2", "hidden_size": 256,
  "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 64,
  "intermediate_size": 1024, "tie_word_embeddings": false, "vocab_size": 1000)";

ModelSpec imported(std::string_view config, std::string_view statement) {
  const std::string text = fmt::format("{}, \"quantization_config\": {}}}", config, statement);
  return test::parse_model(config::import_config(json::parse(text, "c.json"), {.name = "c"}).yaml);
}

/// "attention/experts/dense/shared kv linear/ffn", as the model file has them.
std::string formats(const std::string& yaml) {
  const ModelSpec model = test::parse_model(yaml);
  const Precision& p = model.precision;
  std::string text = name_of(p.attention_weights) + "/" + name_of(p.ffn_weights);
  for (const FfnSpec& ffn : model.ffns) {
    if (std::holds_alternative<Dense>(ffn.shape))
      text += "/" + name_of(ffn.weights.value_or(p.ffn_weights));
  }
  for (const FfnSpec& ffn : model.ffns) {
    if (std::holds_alternative<Moe>(ffn.shape))
      text += "/" + name_of(ffn.shared_weights.value_or(ffn.weights.value_or(p.ffn_weights)));
  }
  return text + " " + name_of(p.kv) + " " + name_of(p.linear_compute) + "/" +
         name_of(p.ffn_compute);
}

std::string formats_of(std::string_view statement) {
  const std::string text = fmt::format("{}, \"quantization_config\": {}}}", moe, statement);
  return formats(config::import_config(json::parse(text, "c.json"), {.name = "c"}).yaml);
}

std::string formats_beside(const std::string& file, const std::string& method,
                           std::string_view statement) {
  const config::Beside beside{file, method, json::parse(statement, file)};
  const std::string text = std::string(moe) + "}";
  return formats(
      config::import_config(json::parse(text, "c.json"), {.name = "c", .beside = &beside}).yaml);
}

struct Case {
  const char* statement;
  const char* formats;
};

// In the order of the names in `formats`.
constexpr Case cases[] = {
    // FP8 as DeepSeek publishes it; with what it leaves in BF16.
    {R"({"quant_method": "fp8", "weight_block_size": [128, 128]})", "fp8/fp8/fp8/fp8 bf16 fp8/fp8"},
    // The scales of small blocks weigh something: 32 bits for 128 weights, an exponent's 8 for 32.
    {R"({"quant_method": "fp8", "weight_block_size": [1, 128]})",
     "8.25bit/8.25bit/8.25bit/8.25bit bf16 fp8/fp8"},
    {R"({"quant_method": "fp8", "weight_block_size": [1, 32], "scale_fmt": "ue8m0"})",
     "8.25bit/8.25bit/8.25bit/8.25bit bf16 fp8/fp8"},
    {R"({"quant_method": "fp8", "modules_to_not_convert": ["lm_head", "self_attn"]})",
     "bf16/fp8/fp8/fp8 bf16 bf16/fp8"},
    {R"({"quant_method": "fp8", "ignored_layers": ["model.layers.0.mlp", "model.layers.1.mlp"]})",
     "fp8/fp8/bf16/fp8 bf16 fp8/fp8"},
    // A bias is not the projection, "gate" is not "gate_proj".
    {R"({"quant_method": "fp8", "modules_to_not_convert": ["self_attn.q_proj.bias", "gate"]})",
     "fp8/fp8/fp8/fp8 bf16 fp8/fp8"},
    // Layers of towers and of MTP modules are not the model's.
    {R"({"quant_method": "fp8", "modules_to_not_convert": ["mtp.layers.0.self_attn.q_proj",
      "model.visual.blocks.0.attn.qkv", "vision_tower.encoder.layers.1.mlp.fc1",
      "model.layers.4.self_attn.q_proj"]})",
     "fp8/fp8/fp8/fp8 bf16 fp8/fp8"},
    // Half of the dense layers: their mean.
    {R"({"quant_method": "fp8", "modules_to_not_convert": ["model.layers.0.mlp"]})",
     "fp8/fp8/12bit/fp8 bf16 fp8/fp8"},
    // q and o have 131072 weights each, k and v 32768 each.
    {R"({"quant_method": "fp8", "modules_to_not_convert": ["q_proj", "k_proj", "v_proj"]})",
     "12.8bit/fp8/fp8/fp8 bf16 bf16/fp8"},
    {R"({"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0})",
     "fp8/fp8/fp8/fp8 bf16 fp8/fp8"},
    {R"({"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn",
      "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]})",
     "bf16/mxfp4/bf16/bf16 bf16 bf16/bf16"},
    // Experts that ModelOpt made smaller within an FP8 checkpoint: what it left alone stays FP8.
    {R"({"quant_method": "fp8", "moe_quant_algo": "NVFP4", "moe_quant_format": "nvfp4-pack-quantized"})",
     "fp8/nvfp4/fp8/fp8 bf16 fp8/fp4"},
    {R"({"quant_method": "mxfp8", "moe_quant_algo": "NVFP4"})",
     "8.25bit/nvfp4/8.25bit/8.25bit bf16 fp8/fp4"},
    {R"({"quant_method": "fp8", "quant_algo": "MIXED_PRECISION", "moe_quant_algo": "NVFP4",
      "kv_cache_quant_algo": "FP8", "ignore": ["*.self_attn.*", "*.shared_experts.*"],
      "config_groups": {}, "group_size": 16, "quantized_layers": {
      "model.layers.2.mlp.experts": {"quant_algo": "NVFP4", "group_size": 16},
      "model.layers.3.mlp.experts": {"quant_algo": "NVFP4", "group_size": 16}}})",
     "fp8/nvfp4/fp8/fp8 fp8 fp8/fp4"},
    // A KV cache counts whatever the method.
    {R"({"quant_method": "fp8", "kv_cache_scheme": "static"})", "fp8/fp8/fp8/fp8 fp8 fp8/fp8"},
    // ModelOpt without a method, a group without targets, a cache by its name.
    {R"({"quant_algo": "FP8", "kv_cache_scheme": "FP8", "producer": {"name": "modelopt"},
      "ignore": ["lm_head"], "config_groups": {"group_0": {"weights": {"num_bits": 8,
      "type": "float"}}}})",
     "fp8/fp8/fp8/fp8 fp8 fp8/fp8"},
    {R"({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights":
      {"num_bits": 8, "type": "float"}}}, "kv_cache_scheme": {"num_bits": 8, "type": "int"}})",
     "fp8/fp8/fp8/fp8 int8 bf16/bf16"},
    {R"({"quant_method": "auto-round", "bits": 8, "data_type": "mx_fp", "group_size": 32})",
     "8.25bit/8.25bit/8.25bit/8.25bit bf16 fp8/fp8"},
    // Quark's older exports: a cache in the format of the outputs that it names.
    {R"({"quant_method": "quark", "export": {"kv_cache_group": ["*k_proj", "*v_proj"]},
      "global_quant_config": {"weight": {"dtype": "fp8_e4m3"}, "input_tensors":
      {"dtype": "fp8_e4m3"}}, "layer_quant_config": {"*k_proj": {"weight": {"dtype": "fp8_e4m3"},
      "input_tensors": {"dtype": "fp8_e4m3"}, "output_tensors": {"dtype": "fp8_e4m3"}}}})",
     "fp8/fp8/fp8/fp8 fp8 fp8/fp8"},
    {R"({"quant_method": "exl3", "bits": 4.25, "head_bits": 6, "calibration": {"rows": 128}})",
     "4.25bit/4.25bit/4.25bit/4.25bit bf16 bf16/bf16"},
    {R"({"quant_method": "fp_quant", "forward_dtype": "nvfp4", "hadamard_group_size": 16})",
     "nvfp4/nvfp4/nvfp4/nvfp4 bf16 fp4/fp4"},
    {R"({"quant_method": "mxfp8"})", "8.25bit/8.25bit/8.25bit/8.25bit bf16 fp8/fp8"},
    // compressed-tensors: one group, expressions, a cache scheme.
    {R"({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"targets": ["Linear"],
      "weights": {"num_bits": 8, "type": "float", "strategy": "channel"},
      "input_activations": {"num_bits": 8, "type": "float", "dynamic": true}}},
      "ignore": ["lm_head", "re:.*self_attn\\.(q|k|v|o)_proj$", "re:.*mlp.gate$",
                 "re:.*shared_experts.*"],
      "kv_cache_scheme": {"num_bits": 8, "type": "float"}})",
     "bf16/fp8/fp8/bf16 fp8 bf16/fp8"},
    {R"({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"targets": ["Linear"],
      "weights": {"num_bits": 4, "type": "int", "group_size": 128, "symmetric": false}}}})",
     "4.156bit/4.156bit/4.156bit/4.156bit bf16 bf16/bf16"},
    {R"({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"targets": ["Linear"],
      "weights": {"num_bits": 4, "type": "int", "group_size": 64},
      "input_activations": {"num_bits": 8, "type": "int"}}}})",
     "int4g64/int4g64/int4g64/int4g64 bf16 int8/int8"},
    // Groups that name modules: FP8 attention, NVFP4 experts, the rest BF16.
    {R"({"quant_method": "compressed-tensors", "format": "mixed-precision", "config_groups": {
      "group_0": {"targets": ["re:.*attn.*(q|k|v|o)_proj$"], "weights": {"num_bits": 8,
        "type": "float"}, "input_activations": {"num_bits": 8, "type": "float"}},
      "group_1": {"targets": ["re:.*mlp.experts.*(gate|up|down)_proj$"], "weights": {"num_bits": 4,
        "type": "float", "group_size": 16}, "input_activations": {"num_bits": 4, "type": "float",
        "group_size": 16}}}})",
     "fp8/nvfp4/bf16/bf16 bf16 fp8/fp4"},
    // ModelOpt, with patterns that name one layer each; layers.0* is not layer 10.
    {R"({"quant_method": "modelopt", "quant_algo": "NVFP4", "kv_cache_scheme": {"num_bits": 8,
      "type": "float", "dynamic": false}, "ignore": ["lm_head", "model.layers.0*",
      "model.layers.1.mlp*"]})",
     "7.375bit/nvfp4/bf16/nvfp4 fp8 fp4/fp4"},
    {R"({"quant_method": "modelopt", "quant_algo": "W4A8_AWQ", "group_size": 64,
      "kv_cache_quant_algo": "NVFP4"})",
     "int4g64/int4g64/int4g64/int4g64 nvfp4 fp8/fp8"},
    {R"({"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION", "quantized_layers": {
      "model.layers.2.mlp.experts": {"quant_algo": "NVFP4"},
      "model.layers.3.mlp.experts": {"quant_algo": "FP8"}}})",
     "bf16/6.25bit/bf16/bf16 bf16 bf16/fp8"},
    {R"({"quant_method": "modelopt", "quant_algo": null, "kv_cache_quant_algo": "FP8"})",
     "bf16/bf16/bf16/bf16 fp8 bf16/bf16"},
    {R"({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp4",
      "group_size": 32, "qscheme": "per_group"}, "input_tensors": {"dtype": "fp4",
      "group_size": 32}}, "exclude": ["lm_head", "*self_attn*"],
      "layer_quant_config": {"*shared_experts*": {"weight": {"dtype": "fp8_e4m3"},
      "input_tensors": {"dtype": "fp8_e4m3"}}},
      "kv_cache_quant_config": {"*k_proj": {"output_tensors": {"dtype": "fp8_e4m3"}}}})",
     "bf16/mxfp4/mxfp4/fp8 fp8 bf16/fp4"},
    // GPTQ as published: 4 or 8 bits, its bookkeeping keys, overrides by module.
    {R"({"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": true, "desc_act": false,
      "damp_percent": 0.01, "true_sequential": true, "model_file_base_name": "model",
      "model_name_or_path": null, "static_groups": false, "cache_block_outputs": true,
      "checkpoint_format": "gptq", "meta": {"quantizer": ["gptqmodel:2"]}, "pack_dtype": "int32"})",
     "int4g128/int4g128/int4g128/int4g128 bf16 bf16/bf16"},
    {R"({"quant_method": "gptq", "bits": 8, "group_size": 128, "sym": true})",
     "int8g128/int8g128/int8g128/int8g128 bf16 bf16/bf16"},
    {R"({"quant_method": "gptq", "bits": 8, "group_size": -1, "sym": true})",
     "int8/int8/int8/int8 bf16 bf16/bf16"},
    {R"({"quant_method": "gptq", "bits": 3, "group_size": 64, "sym": false})",
     "3.297bit/3.297bit/3.297bit/3.297bit bf16 bf16/bf16"},
    {R"({"quant_method": "gptq", "bits": 4, "group_size": 32, "sym": true, "dynamic":
      {"-:.*self_attn.*": {}, "+:.*shared_experts.*": {"bits": 8, "group_size": 128}}})",
     "bf16/int4g32/int4g32/int8g128 bf16 bf16/bf16"},
    {R"({"quant_method": "gptq", "bits": 4, "group_size": 128,
      "modules_in_block_to_quantize": [["self_attn.q_proj"], ["self_attn.o_proj"]]})",
     "6.5bit/bf16/bf16/bf16 bf16 bf16/bf16"},
    {R"({"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm",
      "zero_point": true, "modules_to_not_convert": ["mlp.gate"]})",
     "4.156bit/4.156bit/4.156bit/4.156bit bf16 bf16/bf16"},
    {R"({"quant_method": "auto-round", "bits": 4, "group_size": 128, "sym": true,
      "data_type": "int", "packing_format": "auto_round:auto_gptq", "iters": 200,
      "extra_config": {"model.layers.0.mlp.up_proj": {"bits": 16},
                       "model.layers.1.mlp.up_proj": {"bits": 16}}})",
     "int4g128/int4g128/8.083bit/int4g128 bf16 bf16/bf16"},
    {R"({"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4",
      "bnb_4bit_use_double_quant": true, "llm_int8_skip_modules": ["lm_head", "mlp.gate"]})",
     "4.127bit/4.127bit/4.127bit/4.127bit bf16 bf16/bf16"},
    {R"({"quant_method": "bitsandbytes", "load_in_8bit": true, "load_in_4bit": false})",
     "int8/int8/int8/int8 bf16 int8/int8"},
    {R"({"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4,
      "group_size": 64, "axis": 1}}, "skip_modules": ["lm_head"]})",
     "4.5bit/4.5bit/4.5bit/4.5bit bf16 bf16/bf16"},
    {R"({"quant_method": "torchao", "quant_type": {"default": {"_type": "Int4WeightOnlyConfig",
      "_data": {"group_size": 128}, "_version": 1}}})",
     "4.25bit/4.25bit/4.25bit/4.25bit bf16 bf16/bf16"},
    {R"({"quant_method": "torchao", "quant_type": "float8_dynamic"})", ""},
    {R"({"group_size": 64, "bits": 4, "model.layers.2.mlp.gate": {"group_size": 64, "bits": 8}})",
     "4.5bit/4.5bit/4.5bit/4.5bit bf16 bf16/bf16"},
    {R"({"quant_method": "eetq"})", "int8/int8/int8/int8 bf16 bf16/bf16"},
};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("formats that differ from one kind of attention to the other stay apart") {
    const ModelSpec mixed =
        imported(windows, R"({"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION",
          "quantized_layers": {"model.layers.1.self_attn": {"quant_algo": "FP8"},
          "model.layers.3.self_attn": {"quant_algo": "FP8"},
          "lm_head": {"quant_algo": "W4A16_NVFP4"}}})");
    REQUIRE(mixed.attentions.size() == 2);
    const AttentionSpec &window = mixed.attentions[0], &full = mixed.attentions[1];
    CHECK(weight_format(mixed, window) == Dtype::bf16);
    CHECK(product_format(mixed, window) == Dtype::bf16);
    CHECK(weight_format(mixed, full) == Dtype::fp8);
    CHECK(product_format(mixed, full) == Dtype::fp8);
    CHECK(head_format(mixed) == Dtype::nvfp4);
    CHECK(mixed.precision.vocabulary == Dtype::bf16);
    // Two layers of 2 x (8 + 2) x 64 x 256 weights in each format.
    const ModelSpec plain = imported(windows, R"({"quant_method": "modelopt", "quant_algo": null,
      "kv_cache_quant_algo": "FP8"})");
    CHECK(stored_weights(plain).base() - stored_weights(mixed).base() ==
          2 * 2.0 * 10 * 64 * 256 + 1000.0 * 256 * (2 - 4.5 / 8));
  }

  TEST_CASE("dense layers and experts may run their products in formats of their own") {
    const ModelSpec model = imported(moe, R"({"quant_method": "modelopt", "quant_algo": "NVFP4",
      "ignore": ["lm_head", "model.layers.0.mlp*", "model.layers.1.mlp*"]})");
    for (const FfnSpec& ffn : model.ffns) {
      const bool dense = std::holds_alternative<Dense>(ffn.shape);
      CHECK(weight_format(model, ffn) == (dense ? Dtype::bf16 : Dtype::nvfp4));
      CHECK(product_format(model, ffn) == (dense ? Dtype::bf16 : Dtype::fp4));
    }
  }

  TEST_CASE("the LM head, where a statement names it or does not leave it out") {
    const auto head = [](std::string_view statement) {
      return name_of(head_format(imported(moe, statement)));
    };
    const auto group = [](const char* targets) {
      return fmt::format(R"({{"quant_method": "compressed-tensors", "config_groups": {{"group_0":
        {{"targets": {}, "weights": {{"num_bits": 8, "type": "float"}}}}}}}})",
                         targets);
    };
    CHECK(head(group(R"(["Linear"])")) == "bf16");
    CHECK(head(group(R"(["Linear", "re:.*lm_head"])")) == "fp8");
    CHECK(head(group(R"(["lm_head"])")) == "fp8");
    CHECK(head(R"({"quant_method": "gptq", "bits": 4, "group_size": 128, "lm_head": true})") ==
          "int4g128");
    CHECK(head(R"({"quant_method": "gptq", "bits": 4, "group_size": 128, "lm_head": false})") ==
          "bf16");
    CHECK(head(R"({"group_size": 64, "bits": 4, "lm_head": {"group_size": 64, "bits": 6}})") ==
          "6.5bit");
    CHECK(head(R"({"group_size": 32, "bits": 8, "mode": "mxfp8"})") == "8.25bit");
    CHECK(head(R"({"quant_method": "fp8"})") == "bf16");
  }

  TEST_CASE("formats: every statement of a quantization_config, matched on module names") {
    for (const Case& each : cases) {
      CAPTURE(std::string(each.statement));
      if (*each.formats == '\0') {
        CHECK_THROWS_AS((void)formats_of(each.statement), InputError);
      } else {
        CHECK(formats_of(each.statement) == std::string(each.formats));
      }
    }
  }

  TEST_CASE("formats: what stands beside the config counts as what stands in it") {
    CHECK(formats_beside("hf_quant_config.json", "modelopt",
                         R"({"producer": {"name": "modelopt"}, "quantization": {"quant_algo":
                         "NVFP4", "kv_cache_quant_algo": "FP8", "group_size": 16,
                         "exclude_modules": ["lm_head", "model.layers.*.self_attn*"]}})") ==
          "bf16/nvfp4/nvfp4/nvfp4 fp8 bf16/fp4");
    CHECK(formats_beside("hf_quant_config.json", "modelopt",
                         R"({"quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": null,
                         "exclude_modules": ["lm_head"]}})") == "fp8/fp8/fp8/fp8 bf16 fp8/fp8");
    CHECK(
        formats_beside("hf_quant_config.json", "modelopt",
                       R"({"quant_method": "modelopt", "quantization": {"quant_algo": "FP8"}})") ==
        "fp8/fp8/fp8/fp8 bf16 fp8/fp8");
    CHECK(formats_beside("quantize_config.json", "gptq",
                         R"({"bits": 4, "group_size": 64, "desc_act": true, "sym": true})") ==
          "int4g64/int4g64/int4g64/int4g64 bf16 bf16/bf16");
    CHECK(formats_beside("quant_config.json", "awq",
                         R"({"w_bit": 4, "q_group_size": 128, "zero_point": true,
                         "version": "GEMM"})") ==
          "4.156bit/4.156bit/4.156bit/4.156bit bf16 bf16/bf16");
    std::string tensors = R"({"model_quant_type": "W8A8_DYNAMIC")";
    for (const char* each : {"0.self_attn.q_proj", "1.self_attn.q_proj", "2.self_attn.q_proj",
                             "3.self_attn.q_proj", "2.mlp.experts.0.up_proj"}) {
      tensors += fmt::format(", \"model.layers.{}.weight\": \"W8A8_DYNAMIC\"", each);
    }
    CHECK(formats_beside("quant_model_description.json", "modelslim",
                         tensors + ", \"lm_head.weight\": \"FLOAT\"}") ==
          "12.8bit/14.667bit/bf16/bf16 bf16 bf16/bf16");
  }

  TEST_CASE("formats: a linear layer's list does not touch full attention, nor the other way") {
    constexpr std::string_view hybrid = R"({"model_type": "qwen3_next", "hidden_size": 256,
      "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64,
      "linear_num_key_heads": 4, "linear_num_value_heads": 8, "linear_key_head_dim": 32,
      "linear_value_head_dim": 32, "linear_conv_kernel_dim": 4, "intermediate_size": 512,
      "vocab_size": 1000, "quantization_config": {"quant_method": "fp8",
      "modules_to_not_convert": ["linear_attn"]}})";
    const std::string yaml =
        config::import_config(json::parse(hybrid, "c.json"), {.name = "c"}).yaml;
    const ModelSpec model = test::parse_model(yaml);  // three layers of one, one of the other
    REQUIRE(model.attentions.size() == 2);
    CHECK(weight_format(model, model.attentions[0]) == Dtype::bf16);
    CHECK(product_format(model, model.attentions[0]) == Dtype::bf16);
    CHECK(weight_format(model, model.attentions[1]) == Dtype::fp8);
    CHECK(product_format(model, model.attentions[1]) == Dtype::fp8);
  }

  TEST_CASE("formats: a dense MLP beside the experts is left out without them") {
    const std::string gemma = R"({"model_type": "gemma4_text", "hidden_size": 256,
      "num_hidden_layers": 2, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 64,
      "intermediate_size": 512, "moe_intermediate_size": 128, "num_experts": 8, "vocab_size": 100,
      "top_k_experts": 2, "enable_moe_block": true, "sliding_window": 64, "layer_types":
      ["sliding_attention", "full_attention"], "hidden_size_per_layer_input": 0,
      "quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4", "ignore":
      ["model.language_model.layers.0.mlp*", "model.language_model.layers.1.mlp*"]}})";
    CHECK(formats(config::import_config(json::parse(gemma, "c.json"), {.name = "c"}).yaml) ==
          "nvfp4/nvfp4/bf16 bf16 fp4/fp4");
  }

  TEST_CASE("formats: GLM-5's own name for the indexer's weights") {
    const std::string text =
        test::read_file(std::string(AFFORD_SOURCE) + "/tests/import/glm-5.json");
    const auto attention = [&](const std::string& left_out) {
      const std::string whole = text.substr(0, text.rfind('}')) +
                                R"(, "quantization_config": {"quant_method": "fp8",
          "modules_to_not_convert": [)" +
                                left_out + "]}}";
      return test::parse_model(
                 config::import_config(json::parse(whole, "c.json"), {.name = "c"}).yaml)
          .precision.attention_weights;
    };
    CHECK(attention("\"lm_head\"") == Dtype::fp8);
    CHECK(attention("\"model.layers.0.self_attn.indexers_proj\"") != Dtype::fp8);
  }

  TEST_CASE("a stored mixture is written and read by its bits") {
    for (const double bits : {1.0, 4.156, 4.5, 6.563, 12.8, 32.0}) {
      CHECK(bits_of(stored_bits(bits)) == doctest::Approx(bits));
      CHECK(name_of(stored_bits(bits)) == fmt::format("{:.6g}bit", bits));
    }
    CHECK(name_of(Dtype::int8g128) == "int8g128");
    CHECK(bits_of(Dtype::int8g128) == 8.125);
    CHECK(bits_of(Dtype::int4g64) == 4.25);
  }
}
