// Every way a config.json can be wrong, or not be understood: the whole message.
#include <doctest/doctest.h>

#include "import/import.hpp"
#include "support.hpp"

using namespace afford;

namespace {

constexpr std::string_view good = R"({
  "model_type": "qwen3_moe",
  "hidden_size": 256,
  "num_hidden_layers": 4,
  "num_attention_heads": 8,
  "num_key_value_heads": 2,
  "head_dim": 64,
  "num_experts": 16,
  "num_experts_per_tok": 2,
  "moe_intermediate_size": 512,
  "vocab_size": 1000
})";

std::string import_error(std::string_view text, const config::Assumptions& assumptions = {}) {
  try {
    (void)config::import_config(json::parse(text, "c.json"),
                                {.name = "x", .assumptions = assumptions});
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

std::string import_after(std::string_view from, std::string_view to,
                         const config::Assumptions& assumptions = {}) {
  return import_error(test::replaced(good, from, to), assumptions);
}

}  // namespace

TEST_SUITE("errors") {
  TEST_CASE("the fixture itself imports") { CHECK(import_error(good) == "no error"); }

  TEST_CASE("JSON that is none, cut short, nested, repeated: with its place") {
    CHECK(import_error("") == "c.json:1:1: not valid JSON: expected a value, got the end");
    CHECK(import_error("{\n  \"a\"") ==
          "c.json:2:6: not valid JSON: expected a ':' behind the key, got the end");
    CHECK(import_error("{\"a\": nul}") ==
          "c.json:1:10: not valid JSON: expected a value, got a word that is none");
    CHECK(import_error("{\"a\": [1 2]}") ==
          "c.json:1:10: not valid JSON: expected ',' or ']', got a number");
    CHECK(import_error("[1]") == "c.json:1:1: expected an object of keys, got a list");
    CHECK(import_error("{\"a\": 1,\n \"a\": 2}") == "c.json:2:2: duplicate key 'a'");
    CHECK(import_error("{\"a\\\"b\": 1, \"c\": {\"x\": 1, \"x\": 2}}") ==
          "c.json:1:27: duplicate key 'x'");
    CHECK(import_error(std::string(100'000, '[')) ==
          "c.json:1:17: nested more than 16 levels deep");
    CHECK(import_error("{\"a\": [" + std::string(300'000, '[')) ==
          "c.json:1:22: nested more than 16 levels deep");
    std::string many = "{\"a\": [0";
    for (int i = 0; i < 500'000; ++i) many += ",0";
    CHECK(import_error(many + "]}").ends_with(": more than 500000 values in one file"));
  }

  TEST_CASE("values: mistyped, missing and out of range") {
    CHECK(import_after("256", "\"256\"") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got '256'");
    CHECK(import_after("256", "1e99") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got 1e99");
    CHECK(import_after("256", "-1") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got -1");
    CHECK(import_after("256", "256.0") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got 256.0");
    CHECK(import_after("256", "{}") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got an object");
    CHECK(import_after("256", "99999999999999999999") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got "
          "99999999999999999999");
    CHECK(import_after("  \"hidden_size\": 256,\n", "") ==
          "c.json:1:1: missing key 'hidden_size'; if you know it, import with --assume "
          "hidden_size=VALUE");
    CHECK(import_after("\"qwen3_moe\"", "7") == "c.json:2:17: model_type: expected a text, got 7");
    CHECK(import_after("\"head_dim\": 64", "\"head_dim\": 64, \"text_config\": 5") ==
          "c.json:7:34: text_config: expected an object, got 5");
    CHECK(import_after("\"head_dim\": 64", "\"head_dim\": 64, \"mlp_only_layers\": [9]") ==
          "c.json:7:39: mlp_only_layers: expected an integer from 0 to 3, got 9");
  }

  TEST_CASE("shapes that cannot be, statements that disagree") {
    CHECK(import_after("heads\": 2", "heads\": 3") ==
          "c.json:6:26: num_key_value_heads: num_attention_heads (8) must be a multiple of it, got "
          "3");
    CHECK(import_after("_per_tok\": 2", "_per_tok\": 32") ==
          "c.json:9:26: num_experts_per_tok: more active experts (32) than experts (16)");
    CHECK(import_after("\"head_dim\": 64", "\"layer_types\": [\"full_attention\"]") ==
          "c.json:7:18: layer_types: expected one entry for each of 4 layers, got 1");
    CHECK(import_after("\"head_dim\": 64",
                       "\"layer_types\": [\"full_attention\", \"a\", \"b\", \"c\"]") ==
          "c.json:7:18: layer_types: unknown layer type 'a'; expected one of full_attention, "
          "sliding_attention");
    CHECK(import_after("\"head_dim\": 64", "\"num_local_experts\": 8") ==
          "c.json:7:24: num_local_experts: 8, but num_experts is 16; import with --assume "
          "num_local_experts=VALUE to say which");
  }

  TEST_CASE("model types that no model file can say: refused by name, with the reason") {
    CHECK(import_after("\"qwen3_moe\"", "\"rwkv6\"") ==
          "c.json:2:17: model_type: 'rwkv6' is not counted: its channel mixing has a third matrix "
          "that gates the output; of RWKV, version 7 (rwkv7) is counted");
    CHECK(import_after("\"qwen3_moe\"", "\"whisper\"") ==
          "c.json:2:17: model_type: 'whisper' is not counted: an encoder beside the decoder, which "
          "attends to it");
    CHECK(import_after("\"qwen3_moe\"", "\"rwkv8\"") ==
          "c.json:2:17: model_type: unknown value 'rwkv8'; did you mean 'rwkv7'?; import with "
          "--assume model_type=NAME to name a family that is built alike");
  }

  TEST_CASE("overrides of single layers: numbers, objects and keys that are none") {
    const auto overridden = [](const std::string& overrides) {
      return import_after("\"head_dim\": 64",
                          "\"head_dim\": 64, \"per_layer_config\": " + overrides);
    };
    CHECK(overridden(R"({"1": {"num_key_value_heads": 4}})") == "no error");
    CHECK(overridden("[]") == "c.json:7:39: per_layer_config: expected an object, got a list");
    CHECK(overridden(R"({"4": {}})") ==
          "c.json:7:40: per_layer_config: expected layers from 0 to 3, got '4'");
    CHECK(overridden(R"({"x": {}})") ==
          "c.json:7:40: per_layer_config: expected layers from 0 to 3, got 'x'");
    CHECK(overridden(R"({"": {}})") ==
          "c.json:7:40: per_layer_config: expected layers from 0 to 3, got ''");
    CHECK(overridden(R"({"01": 7})") ==
          "c.json:7:46: per_layer_config: expected an object of overrides, got 7");
    CHECK(overridden(R"({"1": {"num_key_value_heads": 3}})") ==
          "c.json:7:69: num_key_value_heads: num_attention_heads (8) must be a multiple of it, got "
          "3");
    CHECK(overridden(R"({"1": {"kv_latent_size": 3}})") ==
          "c.json:7:46: per_layer_config: 'kv_latent_size' (3) may change the count and is not "
          "understood; to count without any override, import with --assume "
          "per_layer_config=ignore");
    CHECK(overridden(R"({"1": {"skip": ["attention"]}})") ==
          "c.json:7:55: per_layer_config: a layer that skips 'attention' is not counted");
  }

  TEST_CASE(
      "a key that may change the count and is not understood is an error, until it is answered") {
    const std::string_view from = "\"head_dim\": 64",
                           with = "\"head_dim\": 64, \"num_kv_shared_layers\": 10";
    CHECK(import_after(from, with) ==
          "c.json:7:19: 'num_kv_shared_layers' (10) may change the count and is not understood; "
          "to count without it, import with --assume num_kv_shared_layers=ignore");
    CHECK(import_after(from, with, {{"num_kv_shared_layers", "ignore"}}) == "no error");
    CHECK(import_after(from, with, {{"num_kv_shared_layers", "3"}}) ==
          "c.json:7:19: 'num_kv_shared_layers' is not understood, whatever its value; the only "
          "answer is "
          "--assume "
          "num_kv_shared_layers=ignore");
    CHECK(import_after("\"head_dim\"", "\"kv_head_dim\"") ==
          "c.json:7:3: 'kv_head_dim' (64) may change the count and is not understood; did you mean "
          "'v_head_dim'? To "
          "count without it, import with --assume kv_head_dim=ignore");
    // Off, or of a name that has nothing to do with shapes: listed, not refused.
    CHECK(import_after(from, "\"head_dim\": 64, \"use_attention_magic\": false, \"flavour\": 3") ==
          "no error");
    CHECK(import_after("  \"hidden_size\": 256,\n", "", {{"hidden_size", "256"}}) == "no error");
    CHECK(import_error(good, {{"num_heads", "1"}}) ==
          "--assume: nothing asks for 'num_heads' of this config; did you mean one of "
          "num_attention_heads, num_attention_heads_per_layer, num_key_value_heads?");
  }

  TEST_CASE("keys that are not understood are named all at once") {
    CHECK(
        import_after("\"head_dim\": 64",
                     "\"head_dim\": 64, \"kv_width\": 10, \"my_cache\": 3, \"latent_rank\": [1]") ==
        "c.json:7:19: 'kv_width' (10), 'latent_rank' ([1]) may change the count and are not "
        "understood; to count without them, import with --assume "
        "kv_width=ignore,latent_rank=ignore");
  }

  TEST_CASE(
      "a text_config goes before the root, as transformers reads it; other keys of the root "
      "belong to the towers") {
    CHECK(import_after("\"head_dim\": 64",
                       "\"text_config\": {\"vocab_size\": 5}, \"latent_rank\": 3") == "no error");
    CHECK(import_after("\"head_dim\": 64",
                       "\"text_config\": {\"vocab_size\": 5}, \"my_quantization\": 3") ==
          "c.json:7:37: 'my_quantization' (3) may change the count and is not understood; did you "
          "mean 'quantization'? To count without it, import with --assume my_quantization=ignore");
  }

  TEST_CASE("Infinity and NaN as Python writes them are values, and no integers") {
    CHECK(import_after("\"head_dim\": 64",
                       "\"time_step_limit\": [0.0, Infinity], \"a\": NaN, \"b\": -Infinity, "
                       "\"c\": \"NaN and \\\" Infinity\"") == "no error");
    CHECK(import_after("256", "Infinity") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got Infinity");
    CHECK(import_after("256", "NaN") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got NaN");
    CHECK(import_after("256", "Inf").starts_with("c.json:3:18: not valid JSON"));
  }

  TEST_CASE("a statement about formats is understood or refused") {
    const auto stated = [](const std::string& statement) {
      return import_after("\"head_dim\": 64", "\"quantization_config\": " + statement);
    };
    CHECK(
        stated(R"({"quant_method": "modelopt", "quant_algo": "NVFP5"})") ==
        "c.json:7:69: quantization_config.quant_algo: unknown value 'NVFP5'; expected one of FP8, "
        "FP8_PER_CHANNEL_PER_TOKEN, FP8_PB_REAL, FP8_PB_WO, FP8_BLOCK_SCALES, MXFP8, NVFP4, "
        "NVFP4_AWQ, W4A16_NVFP4, W4A8_NVFP4_FP8, W4A8_MXFP4_FP8, MXFP4, W4A16_AWQ, W4A8_AWQ, "
        "W8A16, W8A8_SQ_PER_CHANNEL, INT8_SQ, UNQUANTIZED, MIXED_PRECISION");
    CHECK(stated(
              R"({"quant_method": "modelopt", "quant_algo": "FP8", "kv_cache_quant_algo": "X"})") ==
          "c.json:7:99: quantization_config.kv_cache_quant_algo: unknown value 'X'; expected one "
          "of FP8, INT8, NVFP4");
    CHECK(
        stated(
            R"({"quant_method": "fp8", "ignored_layers": ["model.layers.0.self_attn.w_pack"]})") ==
        "c.json:7:26: quantization_config: 'model.layers.0.self_attn.w_pack' names no module of "
        "this model; to count in BF16 instead, import with --assume quantization_config=ignore");
    CHECK(
        stated(
            R"({"quant_method": "compressed-tensors", "config_groups": {}, "ignore": ["re:(("]})") ==
        "c.json:7:96: quantization_config.ignore: '((' is not a regular expression we understand");
    CHECK(stated(R"({"quant_method": "compressed-tensors", "config_groups": {}, "sparsity_config":
      {"format": "sparse-24-bitmask"}})") ==
          "c.json:8:18: quantization_config.sparsity_config.format: sparse weights "
          "('sparse-24-bitmask') are not counted");
    CHECK(stated(R"({"quant_method": "gptq", "bits": 16})") ==
          "c.json:7:59: quantization_config.bits: expected an integer from 2 to 8, got 16");
    CHECK(stated(R"({"quant_method": "fp8", "kv_cache_scheme": "int4"})") ==
          "c.json:7:69: quantization_config.kv_cache_scheme: unknown value 'int4'; expected FP8, "
          "static or dynamic");
    CHECK(stated(R"({"quant_method": "exl2", "bits": "many"})") ==
          "c.json:7:59: quantization_config.bits: expected the mean bits of a weight, from 1 to "
          "16");
    CHECK(stated(R"({"quant_method": "fp_quant", "forward_dtype": "mxfp6"})") ==
          "c.json:7:72: quantization_config.forward_dtype: unknown value 'mxfp6'; expected mxfp4 "
          "or nvfp4");
    CHECK(stated(R"({"quant_method": "bitsandbytes"})") ==
          "c.json:7:26: quantization_config.load_in_4bit: neither load_in_4bit nor load_in_8bit is "
          "set");
    CHECK(stated(R"({"quant_method": "awq", "bits": 4, "group_width": 128})") ==
          "c.json:7:61: 'quantization_config.group_width' (128) may change the count and is not "
          "understood; to count without it, import with --assume "
          "quantization_config.group_width=ignore");
  }

  TEST_CASE("what another class of the family builds in another way is refused") {
    const auto refused = [](const std::string& text) {
      try {
        (void)config::import_config(json::parse(text, "c.json"), {.name = "x"});
      } catch (const InputError& e) {
        return std::string(e.what());
      }
      return std::string("no error");
    };
    const std::string shape = R"("hidden_size": 64, "num_attention_heads": 4, "vocab_size": 100,
      "intermediate_size": 128, "num_hidden_layers": 2, )";
    CHECK(refused(R"({"model_type": "starcoder2", )" + shape + R"("mlp_type": "gated"})") ==
          "c.json:2:69: mlp_type: only 'default', an FFN of two matrices, is understood");
    CHECK(refused(R"({"model_type": "opt", )" + shape + R"("word_embed_proj_dim": 32})") ==
          "c.json:2:80: word_embed_proj_dim: an embedding of another width than hidden_size (64) "
          "is not counted");
    const std::string mpt = R"({"model_type": "mpt", "d_model": 64, "n_heads": 4, "n_layers": 2,
      "vocab_size": 100, )";
    CHECK(refused(mpt + R"("attn_config": {"alibi": true, "attn_type": "linear"}})") ==
          "c.json:2:70: attn_type: expected 'multihead_attention', 'multiquery_attention' or "
          "'grouped_query_attention', got 'linear'");
    CHECK(refused(mpt + R"("ffn_config": {"ffn_type": "mb_moe"}})") ==
          "c.json:2:53: ffn_type: expected 'mptmlp', 'te_ln_mlp', 'mptglu' or 'mptgeglu', got "
          "'mb_moe'");
    CHECK(refused(mpt + R"("expansion_ratio": 2.5})") ==
          "c.json:2:45: expansion_ratio: expected an integer from 1 to 64, got 2.5");
    // The class's default has no place but the file that leaves it out.
    CHECK(refused(R"({"model_type": "deepseek_v4", "q_lora_rank": 32, "head_dim": 16,
      "qk_rope_head_dim": 8, "num_experts_per_tok": 2, "n_routed_experts": 8,
      "num_key_value_heads": 1, )" +
                  shape + R"("moe_intermediate_size": 32})") ==
          "c.json:1:1: o_groups: num_attention_heads must be a multiple of it");
    // A tower that no model file may state.
    CHECK(refused(R"({"model_type": "llava", "vision_config": {"num_hidden_layers": 1000,
      "hidden_size": 65536, "intermediate_size": 262144}, )" +
                  shape + R"("num_key_value_heads": 2})") ==
          "c.json:1:42: vision_config: expected the shape of 1 to 1e+13 parameters (vision), got "
          "one of 5.154e+13");
    const std::string elm = R"({"model_type": "openelm", "model_dim": 64, "vocab_size": 100,
      "num_transformer_layers": 2, "head_dim": 16, "share_input_output_layers": true,
      "ffn_dim_divisor": 32, "ffn_multipliers": [1.0, 2.0], "num_query_heads": [4, 4],
      "num_kv_heads": [2, 3]})";
    CHECK(refused(elm) ==
          "c.json:4:23: num_kv_heads: layer 1: 4 query heads must be a multiple of it, got 3");
    CHECK(refused(test::replaced(test::replaced(elm, "[2, 3]", "[2, 2]"), "[1.0, 2.0]", "[1.0]")) ==
          "c.json:3:49: ffn_multipliers: expected a number for each of 2 layers");
  }

  TEST_CASE("what stands beside a config must agree with it") {
    const config::Beside beside{
        "hf_quant_config.json", "modelopt",
        json::parse(R"({"quantization": {"quant_algo": "NVFP4"}})", "hf_quant_config.json")};
    const std::string text =
        test::replaced(good, "\"head_dim\": 64",
                       R"("head_dim": 64, "quantization_config": {"quant_method": "fp8"})");
    const auto error = [&](const config::Assumptions& assumptions) {
      try {
        (void)config::import_config(json::parse(text, "c.json"),
                                    {.name = "x", .assumptions = assumptions, .beside = &beside});
      } catch (const InputError& e) {
        return std::string(e.what());
      }
      return std::string("no error");
    };
    CHECK(
        error({}) ==
        "c.json:7:42: quantization_config: fp8 here, nvfp4 in hf_quant_config.json; import with "
        "--assume quantization_config=ignore or --assume hf_quant_config.json=ignore to say which");
    CHECK(error({{"hf_quant_config.json", "ignore"}}) == "no error");
    CHECK(error({{"quantization_config", "ignore"}}) == "no error");
  }

  TEST_CASE("hf_quant_config.json names no other method outside of its quantization") {
    const config::Beside beside{
        "hf_quant_config.json", "modelopt",
        json::parse(R"({"quant_method": "fp8", "quantization": {"quant_algo": "FP8"}})",
                    "hf_quant_config.json")};
    CHECK_THROWS_WITH_AS(
        (void)config::import_config(json::parse(good, "c.json"), {.name = "x", .beside = &beside}),
        "hf_quant_config.json:1:18: hf_quant_config.json.quant_method: unknown "
        "value 'fp8'; expected modelopt",
        InputError);
  }

  TEST_CASE("families and formats") {
    CHECK(
        import_after("qwen3_moe", "qwen3_mo") ==
        "c.json:2:17: model_type: unknown value 'qwen3_mo'; did you mean 'qwen3_moe'?; import with "
        "--assume model_type=NAME to name a family that is built alike");
    CHECK(import_after("qwen3_moe", "qwen3_mo", {{"model_type", "qwen3_moe"}}) == "no error");
    CHECK(import_after("  \"model_type\": \"qwen3_moe\",\n", "") ==
          "c.json:1:1: model_type: missing; it says how the layers are built");
    CHECK(
        import_after("\"head_dim\": 64", "\"quantization_config\": {\"quant_method\": \"quip\"}") ==
        "c.json:7:43: quantization_config.quant_method: unknown value 'quip'; expected one of "
        "fp8, fbgemm_fp8, mxfp4, mxfp8, compressed-tensors, modelopt, modelopt_fp4, "
        "modelopt_mixed, quark, gptq, awq, auto-round, intel/auto-round, bitsandbytes, hqq, "
        "torchao, eetq, bitnet, mlx, exl2, exl3, fp_quant (import with --assume "
        "quantization_config=ignore counts BF16)");
    CHECK(import_after("\"head_dim\": 64", "\"quantization_config\": {\"quant_method\": \"quip\"}",
                       {{"quantization_config", "ignore"}}) == "no error");
  }
}
