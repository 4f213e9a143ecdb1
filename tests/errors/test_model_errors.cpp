// Every way a model file can be wrong that a user is likely to meet: the whole message.
#include <doctest/doctest.h>

#include "support.hpp"

using namespace afford;
using test::model_error;
using test::model_yaml;
using test::replaced;

namespace {

std::string model_after(std::string_view from, std::string_view to) {
  return model_error(replaced(model_yaml, from, to));
}

}  // namespace

TEST_SUITE("errors") {
  TEST_CASE("the fixture itself is sound") { CHECK(model_error(model_yaml) == "no error"); }

  TEST_CASE("keys: unknown, duplicate, missing") {
    CHECK(model_after("hidden: 256", "hiden: 256") ==
          "m.yaml:6:23: unknown key 'hiden' in 'shape'; did you mean 'hidden'?");
    CHECK(model_after("title: Tiny", "titel: Tiny") ==
          "m.yaml:3:1: unknown key 'titel' in 'model'; did you mean 'title'?");
    CHECK(model_after("    active: 2\n", "    active: 2\n    active: 3\n") ==
          "m.yaml:15:5: duplicate key 'active' in 'ffn.moe' (first at line 14)");
    CHECK(model_after("    experts: 16\n", "") ==
          "m.yaml:11:5: missing key 'experts' in 'ffn.moe'");
    CHECK(model_after("vocab: 1000, ", "") == "m.yaml:6:8: missing key 'vocab' in 'shape'");
    CHECK(model_after("kv_heads: 2", "kv_rank: 2") ==
          "m.yaml:8:50: unknown key 'kv_rank' in 'attention.gqa'; expected one of kind, source, "
          "query_heads, kv_heads, head_dim, value_dim, per_layer_width, window, chunk, kv, "
          "output_gate, reuses_kv, keys_are_values, weights, linear_compute, weight_sets");
    CHECK(model_after("  kv: fp8\n", "") == "m.yaml:22:3: missing key 'kv' in 'precision'");
  }

  TEST_CASE("formats and weights of one kind alone") {
    CHECK(model_after("head_dim: 64", "head_dim: 64, weights: fp9") ==
          "m.yaml:8:86: attention.gqa.weights: unknown value 'fp9'; did you mean 'fp8'?");
    CHECK(model_after("head_dim: 64", "head_dim: 64, linear_compute: mxfp4") ==
          "m.yaml:8:93: attention.gqa.linear_compute: unknown value 'mxfp4'; did you mean 'fp4'?");
    CHECK(model_after("head_dim: 64", "head_dim: 64, ffn_compute: fp8")
              .starts_with("m.yaml:8:77: unknown key 'ffn_compute' in 'attention.gqa'"));
    CHECK(model_after("head_dim: 64", "head_dim: 64, weight_sets: 0") ==
          "m.yaml:8:90: attention.gqa.weight_sets: expected an integer from 1 to 4096, got '0'");
    CHECK(model_error(
              replaced(replaced(model_yaml, "tied_embeddings: false", "tied_embeddings: true"),
                       "  ffn_compute", "  lm_head: fp8\n  ffn_compute")) ==
          "m.yaml:28:12: precision.lm_head: the embedding is tied to it, and 'vocabulary' is the "
          "format of both");
  }

  TEST_CASE("values: mistyped and out of range") {
    CHECK(model_after("hidden: 256", "hidden: big") ==
          "m.yaml:6:31: shape.hidden: expected an integer from 1 to 1048576, got 'big'");
    CHECK(model_after("hidden: 256", "hidden: 0") ==
          "m.yaml:6:31: shape.hidden: expected an integer from 1 to 1048576, got '0'");
    CHECK(model_after("hidden: 256", "hidden: 1e3") ==
          "m.yaml:6:31: shape.hidden: expected an integer from 1 to 1048576, got '1e3'");
    CHECK(model_after("hidden: 256", "hidden: 99999999999999999999") ==
          "m.yaml:6:31: shape.hidden: expected an integer from 1 to 1048576, got "
          "'99999999999999999999'");
    CHECK(model_after("hidden: 256", "hidden: [256]") ==
          "m.yaml:6:31: shape.hidden: expected a single value, got a list");
    CHECK(model_after("hidden: 256", "hidden: ") ==
          "m.yaml:6:23: shape.hidden: expected a single value, got nothing");
    CHECK(model_after("hidden: 256", "hidden:") ==
          "m.yaml:6:29: not valid YAML: expected a space and a value behind ':'");
    CHECK(model_after("tied_embeddings: false", "tied_embeddings: no") ==
          "m.yaml:6:66: shape.tied_embeddings: expected true or false, got 'no'");
    CHECK(model_after("name: tiny", "name: Tiny Model") ==
          "m.yaml:2:7: name: expected a name of lower-case letters, digits, '.', '-' and '_', got "
          "'Tiny "
          "Model'");
    CHECK(model_after("kv: fp8", "kv: fp88") ==
          "m.yaml:25:7: precision.kv: unknown value 'fp88'; did you mean 'fp8'?");
    CHECK(model_after("ffn_compute: fp8", "ffn_compute: fp32") ==
          "m.yaml:28:16: precision.ffn_compute: unknown value 'fp32'; expected one of bf16, fp8, "
          "int8, fp4");
    CHECK(model_after("schema: 1", "schema: 2") ==
          "m.yaml:1:9: schema: expected an integer from 1 to 1, got '2'");
  }

  TEST_CASE("shapes that cannot be") {
    CHECK(model_after("kv_heads: 2", "kv_heads: 3") ==
          "m.yaml:8:60: attention.gqa.kv_heads: query_heads (8) must be a multiple of kv_heads, "
          "got 3");
    CHECK(model_after("    active: 2", "    active: 17") ==
          "m.yaml:14:13: ffn.moe.active: active experts (17) exceed experts (16)");
    CHECK(model_after("head_dim: 64}", "head_dim: 64, window: 10, chunk: 10}") ==
          "m.yaml:8:96: attention.gqa.chunk: a layer has a 'window' or a 'chunk', not both");
    CHECK(
        model_after("    shared_experts: 1", "    shared_intermediate: 512") ==
        "m.yaml:16:26: ffn.moe.shared_intermediate: goes with 'shared_experts', which is missing");
  }

  TEST_CASE("attention kinds and layers") {
    CHECK(model_after("kind: gqa", "kind: gqaa") ==
          "m.yaml:8:29: attention.gqa.kind: unknown value 'gqaa'; did you mean 'gqa'?");
    CHECK(model_after("kind: moe", "kind: mixture") ==
          "m.yaml:12:11: ffn.moe.kind: unknown value 'mixture'; expected one of dense, moe, none");
    CHECK(model_after("[gqa/moe]", "[gqa/mo]") ==
          "m.yaml:20:29: no ffn named 'mo'; did you mean 'moe'?");
    CHECK(model_after("[gqa/moe]", "[mha/moe]") ==
          "m.yaml:20:29: no attention named 'mha'; expected gqa");
    CHECK(model_after("[gqa/moe]", "[gqa]") ==
          "m.yaml:20:29: expected a layer as attention/ffn, such as 'gqa/moe', got 'gqa'");
    CHECK(model_after("[gqa/moe]", "[]") ==
          "m.yaml:20:5: layers.stack: expected at least one layer, got none");
    CHECK(model_after("repeat: 4", "repeat: 4097") ==
          "m.yaml:20:16: layers.stack.repeat: expected an integer from 1 to 4096, got '4097'");
    CHECK(model_after("[gqa/moe]", "gqa/moe") ==
          "m.yaml:20:28: layers.stack.pattern: expected a list, got 'gqa/moe'");
    CHECK(model_after("ffn:\n", "ffn:\n  dense: {source: card, kind: dense, intermediate: 8}\n") ==
          "m.yaml:10:3: ffn: no layer of the stack uses 'dense'");
  }

  TEST_CASE("sources: every part names one that is listed, with a date") {
    CHECK(model_after("shape: {source: card, ", "shape: {") ==
          "m.yaml:6:8: missing key 'source' in 'shape'");
    CHECK(model_after("shape: {source: card", "shape: {source: cart") ==
          "m.yaml:6:17: shape.source: no source 'cart' in 'sources'; did you mean 'card'?");
    CHECK(model_after("date: 2025-07", "date: July") ==
          "m.yaml:5:32: sources.card.date: expected a date such as 2025, 2025-07 or 2025-07-25, "
          "got 'July'");
  }
}
