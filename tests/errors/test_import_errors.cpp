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

std::string error_of(std::string_view text, const config::Assumptions& assumptions = {}) {
  try {
    (void)config::import_config(json::parse(text, "c.json"),
                                {.name = "x", .assumptions = assumptions});
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

std::string after(std::string_view from, std::string_view to,
                  const config::Assumptions& assumptions = {}) {
  return error_of(test::replaced(good, from, to), assumptions);
}

}  // namespace

TEST_SUITE("errors") {
  TEST_CASE("the fixture itself imports") { CHECK(error_of(good) == "no error"); }

  TEST_CASE("JSON that is none, cut short, nested, repeated: with its place") {
    CHECK(error_of("") ==
          "c.json:1:1: not valid JSON: syntax error while parsing value - unexpected end of input; "
          "expected '[', '{', or a literal");
    CHECK(error_of("{\n  \"a\"") ==
          "c.json:2:6: not valid JSON: syntax error while parsing object separator - "
          "unexpected end of input; expected ':'");
    CHECK(error_of("{\"a\": nul}")
              .starts_with("c.json:1:10: not valid JSON: syntax error while parsing value"));
    CHECK(error_of("[1]") == "c.json:1:1: expected an object of keys, got a list");
    CHECK(error_of("{\"a\": 1,\n \"a\": 2}") == "c.json:2:2: duplicate key 'a'");
    CHECK(error_of("{\"a\\\"b\": 1, \"c\": {\"x\": 1, \"x\": 2}}") ==
          "c.json:1:27: duplicate key 'x'");
    CHECK(error_of(std::string(100'000, '[')) == "c.json:1:17: nested more than 16 levels deep");
    CHECK(error_of("{\"a\": [" + std::string(300'000, '[')) ==
          "c.json:1:22: nested more than 16 levels deep");
    std::string many = "{\"a\": [0";
    for (int i = 0; i < 100'000; ++i) many += ",0";
    CHECK(error_of(many + "]}").ends_with(": more than 100000 values in one file"));
  }

  TEST_CASE("values: mistyped, missing and out of range") {
    CHECK(after("256", "\"256\"") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got '256'");
    CHECK(after("256", "1e99") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got 1e99");
    CHECK(after("256", "-1") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got -1");
    CHECK(after("256", "256.0") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got 256.0");
    CHECK(after("256", "{}") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got an object");
    CHECK(after("256", "99999999999999999999") ==
          "c.json:3:18: hidden_size: expected an integer from 1 to 1048576, got "
          "99999999999999999999");
    CHECK(after("  \"hidden_size\": 256,\n", "") ==
          "c.json:1:1: missing key 'hidden_size'; if you know it, --assume hidden_size=VALUE");
    CHECK(after("\"qwen3_moe\"", "7") == "c.json:2:17: model_type: expected a text, got 7");
    CHECK(after("\"head_dim\": 64", "\"head_dim\": 64, \"text_config\": 5") ==
          "c.json:7:34: text_config: expected an object, got 5");
    CHECK(after("\"head_dim\": 64", "\"head_dim\": 64, \"mlp_only_layers\": [9]") ==
          "c.json:7:39: mlp_only_layers: expected an integer from 0 to 3, got 9");
  }

  TEST_CASE("shapes that cannot be, statements that disagree") {
    CHECK(after("heads\": 2", "heads\": 3") ==
          "c.json:6:26: num_key_value_heads: num_attention_heads (8) must be a multiple of it, got "
          "3");
    CHECK(after("_per_tok\": 2", "_per_tok\": 32") ==
          "c.json:9:26: num_experts_per_tok: more active experts (32) than experts (16)");
    CHECK(after("\"head_dim\": 64", "\"layer_types\": [\"full_attention\"]") ==
          "c.json:7:18: layer_types: expected one entry for each of 4 layers, got 1");
    CHECK(after("\"head_dim\": 64", "\"layer_types\": [\"full_attention\", \"a\", \"b\", \"c\"]") ==
          "c.json:7:18: layer_types: unknown layer type 'a'; expected one of full_attention, "
          "sliding_attention");
    CHECK(after("\"head_dim\": 64", "\"num_local_experts\": 8") ==
          "c.json:7:24: num_local_experts: 8, but num_experts is 16; say which with --assume "
          "num_local_experts=VALUE");
    CHECK(after("\"head_dim\": 64", "\"text_config\": {\"vocab_size\": 5}") ==
          "c.json:11:17: vocab_size: 1000 here, 5 in text_config (line 7); say which with --assume "
          "vocab_size=VALUE");
  }

  TEST_CASE(
      "a key that may change the count and is not understood is an error, until it is answered") {
    const std::string_view from = "\"head_dim\": 64",
                           with = "\"head_dim\": 64, \"num_kv_shared_layers\": 10";
    CHECK(after(from, with) ==
          "c.json:7:19: 'num_kv_shared_layers' (10) may change the count and is not understood; "
          "to count without it, --assume num_kv_shared_layers=ignore");
    CHECK(after(from, with, {{"num_kv_shared_layers", "ignore"}}) == "no error");
    CHECK(after(from, with, {{"num_kv_shared_layers", "3"}}) ==
          "c.json:7:19: 'num_kv_shared_layers' is not understood, whatever its value; the only "
          "answer is "
          "--assume "
          "num_kv_shared_layers=ignore");
    CHECK(after("\"head_dim\"", "\"kv_head_dim\"") ==
          "c.json:7:3: 'kv_head_dim' (64) may change the count and is not understood; did you mean "
          "'head_dim'? To "
          "count without it, --assume kv_head_dim=ignore");
    // Off, or of a name that has nothing to do with shapes: listed, not refused.
    CHECK(after(from, "\"head_dim\": 64, \"use_attention_magic\": false, \"flavour\": 3") ==
          "no error");
    CHECK(after("  \"hidden_size\": 256,\n", "", {{"hidden_size", "256"}}) == "no error");
    CHECK(error_of(good, {{"num_heads", "1"}}) ==
          "--assume: nothing asks for 'num_heads' of this config");
  }

  TEST_CASE("families and formats") {
    CHECK(after("qwen3_moe", "qwen3_mo") ==
          "c.json:2:17: model_type: unknown value 'qwen3_mo'; did you mean 'qwen3_moe'?; a family "
          "that is "
          "built alike "
          "can be named with --assume model_type=NAME");
    CHECK(after("qwen3_moe", "qwen3_mo", {{"model_type", "qwen3_moe"}}) == "no error");
    CHECK(after("  \"model_type\": \"qwen3_moe\",\n", "") ==
          "c.json:1:1: model_type: missing; it says how the layers are built");
    CHECK(after("\"head_dim\": 64", "\"quantization_config\": {\"quant_method\": \"quip\"}") ==
          "c.json:7:43: quantization_config.quant_method: unknown value 'quip'; expected one of "
          "fp8, mxfp4, "
          "compressed-tensors, modelopt, gptq, awq (--assume quantization_config=ignore counts "
          "BF16)");
    CHECK(after("\"head_dim\": 64", "\"quantization_config\": {\"quant_method\": \"quip\"}",
                {{"quantization_config", "ignore"}}) == "no error");
  }
}
