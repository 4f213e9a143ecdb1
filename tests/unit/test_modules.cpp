#include <doctest/doctest.h>

#include "count/core.hpp"
#include "count/decode.hpp"
#include "count/modules.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("the modules of every model sum to its totals, in both conventions") {
    for (const ModelSpec& model : load_models({"all"})) {
      for (const Convention convention : {Convention::paper, Convention::exact}) {
        CAPTURE(model.name);
        const DecodeCount total = count_at(decode_terms(model, convention, {}), 8192);
        double core = 0, linear = 0, ffn = 0, vocabulary = 0;
        for (const ModuleCount& m : count_modules(model, convention, 8192)) {
          const double flops = static_cast<double>(m.layers) * m.flops.base();
          if (m.module == "core") core += flops;
          if (m.module == "projections") linear += flops;
          if (m.module == "router" && convention == Convention::exact) linear += flops;
          if (m.module == "ffn") ffn += flops;
          if (m.module == "lm_head") vocabulary += flops;
        }
        if (convention == Convention::exact) linear += vocabulary;
        CHECK(core == doctest::Approx(total.attention.base()));
        CHECK(linear == doctest::Approx(total.linear.base()));
        CHECK(ffn == doctest::Approx(total.ffn.base()));
      }
    }
  }

  TEST_CASE("one GQA and MoE layer by hand") {
    const auto modules =
        count_modules(test::parse_model(test::model_yaml), Convention::exact, 1000);
    REQUIRE(modules.size() == 6);
    CHECK(modules[0].module == "projections");
    CHECK(modules[0].flops.base() == 2 * 327680);
    CHECK(modules[0].weights.base() == 327680);
    // q, k, v read 256 FP8 elements each, o reads 512; outputs 512 + 128 + 128 + 256 in BF16.
    CHECK(modules[0].activations.base() == 3 * 256 + 512 + 2 * (512 + 128 + 128 + 256));
    CHECK(modules[1].module == "core");
    CHECK(modules[1].flops.base() == 4 * 8 * 64 * 1000);
    CHECK(modules[1].cache_read.base() == 2 * 2 * 64 * 1000);
    CHECK(modules[1].cache_written.base() == 2 * 2 * 64);
    CHECK(modules[2].module == "router");
    CHECK(modules[3].module == "ffn");
    CHECK(modules[3].flops.base() == 2 * 3 * 393216);
    CHECK(modules[4].module == "embedding");
    CHECK(modules[5].flops.base() == 2 * 256 * 1000);
  }

  TEST_CASE("MLA counts its values at 576 in the paper's convention and at 512 in the exact one") {
    const Mla mla{.query_heads = 128,
                  .query_rank = 1536,
                  .kv_rank = 512,
                  .nope_dim = 128,
                  .rope_dim = 64,
                  .value_dim = 128};
    const double paper = core_flops(count_attention(mla, 7168, Convention::paper).core, 1);
    const double exact = core_flops(count_attention(mla, 7168, Convention::exact).core, 1);
    CHECK(paper == 4 * 128 * 576);
    CHECK(exact == 2 * 128 * (576 + 512));
    CHECK(paper / exact == doctest::Approx(1.0588).epsilon(1e-4));
  }

  TEST_CASE(
      "chunked and sliding-window layers stop at their reach, a lightning state ignores the "
      "context") {
    CHECK(entries_read({.reach = {Reach::Kind::full, 0}}, 32768) == 32768);
    CHECK(entries_read({.reach = {Reach::Kind::chunked, 8192}}, 32768) == 8192);
    CHECK(entries_read({.reach = {Reach::Kind::sliding, 512}}, 100) == 100);
    const AttentionCount lightning =
        count_attention(Lightning{.heads = 64, .head_dim = 128}, 6144, Convention::paper);
    CHECK(lightning.core.walks().empty());
    CHECK(lightning.core.state.elements == 64 * 128 * 128);
    CHECK(lightning.core.state.flops == 10 * 64 * 128 * 128);
  }

  TEST_CASE("MHA and MQA are GQA with all and one KV heads") {
    const std::string mha = test::replaced(
        test::model_yaml, "kind: gqa, query_heads: 8, kv_heads: 2", "kind: mha, query_heads: 8");
    const std::string mqa = test::replaced(
        test::model_yaml, "kind: gqa, query_heads: 8, kv_heads: 2", "kind: mqa, query_heads: 8");
    CHECK(std::get<Gqa>(test::parse_model(mha).attentions[0].shape).kv_heads == 8);
    CHECK(std::get<Gqa>(test::parse_model(mqa).attentions[0].shape).kv_heads == 1);
    CHECK(describe(test::parse_model(mqa).attentions[0].shape) == "MQA 8/1 x 64");
  }
}
