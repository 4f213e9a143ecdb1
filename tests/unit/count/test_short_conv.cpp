// Short convolutions, layers without an FFN, and what grouped-query and sparse attention may leave
// out, by hand.
#include <doctest/doctest.h>

#include <algorithm>

#include "count/cache.hpp"
#include "count/core.hpp"
#include "count/ffn.hpp"
#include "count/modules.hpp"
#include "count/params.hpp"
#include "load/library.hpp"
#include "spec/overrides.hpp"
#include "support.hpp"

using namespace afford;

namespace {

std::string with_attention(std::string_view entry, std::string_view layer) {
  return test::replaced(
      test::replaced(test::model_yaml,
                     "gqa: {source: card, kind: gqa, query_heads: 8, kv_heads: 2, head_dim: 64}",
                     entry),
      "[gqa/moe]", layer);
}

constexpr Gqa plain{.query_heads = 8, .kv_heads = 2, .head_dim = 64};

double weights(const AttentionShape& shape) {
  return weights_of(count_attention(shape, 512, Convention::exact).projections);
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("short convolution: LFM2's 2048 channels keep two inputs each, whatever the context") {
    const ShortConv conv{.channels = 2048, .conv_kernel = 3};
    const AttentionCount count = count_attention(conv, 2048, Convention::exact);
    CHECK(weights_of(count.projections) == 4.0 * 2048 * 2048);
    for (const double context : {1.0, 1e6}) {
      CHECK(core_flops(count.core, context) == (2 * 3 + 2) * 2048.0);
      const CoreTraffic traffic = core_traffic(count.core, Dtype::fp32, context);
      CHECK(traffic.read.base() == 2 * 2 * 2048.0);
      CHECK(traffic.updated.base() == 2 * 2048.0);
      CHECK(core_kept(count.core, Dtype::fp32, context).total().base() == 2 * 2 * 2048.0);
    }
    CHECK(describe(AttentionShape(conv)) == "short convolution 3 x 2048");
    const ModelSpec model = test::parse_model(with_attention(
        "conv: {source: card, kind: short_conv, channels: 512, conv_kernel: 3}", "[conv/moe]"));
    CHECK(cache_size(model, 1e5).context.base() == 0);
    CHECK(is_recurrent(model.attentions.front().shape));
  }

  TEST_CASE("MSA: selected blocks of the cache, every key of the indexer") {
    // MiniMax-M3: 16 blocks of 128 tokens.
    const Msa msa{.gqa = {.query_heads = 64, .kv_heads = 4, .head_dim = 128},
                  .index_heads = 4,
                  .index_dim = 128,
                  .top_k = 16 * 128};
    const AttentionCount count = count_attention(msa, 6144, Convention::exact);
    CHECK(weights_of(count.projections) == 6144.0 * (2 * 64 * 128 + 2 * 4 * 128 + 4 * 128 + 128));
    for (const double context : {1000.0, 65536.0}) {
      const double read = std::min(context, 2048.0);
      CHECK(core_flops(count.core, context) == 4 * 64 * 128 * read + 2 * 4 * 128 * context);
      CHECK(core_traffic(count.core, Dtype::bf16, context).read.base() ==
            2 * (2 * 4 * 128 * read + 128 * context));
      CHECK(core_kept(count.core, Dtype::bf16, context).total().base() ==
            2 * (2 * 4 * 128 + 128) * context);
    }
    CHECK(describe(AttentionShape(msa)) == "MSA top 2048 of GQA 64/4 x 128");
    const std::string entry =
        "msa: {source: card, kind: msa, query_heads: 8, kv_heads: 2, head_dim: 64, index_heads: "
        "2, index_dim: 64, top_k: 256}";
    CHECK(cache_size(test::parse_model(with_attention(entry, "[msa/moe]")), 1000).context.base() ==
          4 * 1000.0 * (2 * 2 * 64 + 64));
    CHECK(test::model_error(
              with_attention(test::replaced(entry, "kv_heads: 2", "kv_heads: 3"), "[msa/moe]"))
              .find("query_heads (8) must be a multiple of kv_heads, got 3") != std::string::npos);
  }

  TEST_CASE("a layer without an FFN: no weights, no router, in every verb") {
    CHECK(total_weights(count_ffn(NoFfn{}), 512) == 0);
    CHECK(count_ffn(NoFfn{}).router_outputs == 0);
    const test::TempFolder folder;
    const std::string yaml =
        test::replaced(test::replaced(test::model_yaml, "[gqa/moe]", "[gqa/moe, gqa/last]"),
                       "ffn:\n", "ffn:\n  last: {source: card, kind: none}\n");
    const std::string path = folder.file("m.yaml", yaml);
    CHECK(layer_count(test::parse_model(yaml)) ==
          2 * layer_count(test::parse_model(test::model_yaml)));
    for (const std::string& command : {"cost -m " + path + " --on h800 -c 8k",
                                       "simulate -m " + path +
                                           " --colocated h800:1x8 "
                                           "--batch-per-gpu 8 -c 8k",
                                       "simulate -m " + path +
                                           " --attention h800:1x8 --ffn h800:1x8 "
                                           "--batch 384 -c 8k",
                                       "pareto -m " + path + " --on h800 -c 8k --max-gpus 16"}) {
      CAPTURE(command);
      const test::Outcome outcome = test::run_afford(command + " --format csv");
      CHECK(outcome.code == 0);
      CHECK(outcome.out.find("nan") == std::string::npos);
      CHECK(outcome.out.find("inf") == std::string::npos);
    }
  }

  TEST_CASE(
      "grouped-query attention: values of another width, one projection for both, an input "
      "of the layer's own") {
    Gqa narrow = plain;
    narrow.value_dim = 32;
    const AttentionCount count = count_attention(narrow, 512, Convention::exact);
    CHECK(core_flops(count.core, 100) == 2 * 8 * (64 + 32) * 100.0);
    CHECK(core_kept(count.core, Dtype::bf16, 100).total().base() == 2 * (64 + 32) * 100 * 2.0);
    CHECK(weights(narrow) == 512.0 * (8 * 64 + 2 * 64 + 2 * 32 + 8 * 32));
    Gqa joined = plain;
    joined.keys_are_values = true;
    CHECK(weights(plain) - weights(joined) == 512.0 * 2 * 64);
    Gqa layered = plain;
    layered.per_layer_width = 16;
    CHECK(weights(layered) - weights(plain) == 3 * 512.0 * 16);
    Gqa same = plain;
    same.value_dim = 64;
    CHECK(core_flops(count_attention(same, 512, Convention::exact).core, 77) ==
          core_flops(count_attention(plain, 512, Convention::exact).core, 77));
  }

  TEST_CASE("sparse attention: a layer that reuses a selection has no indexer") {
    const Dsa full{.mla = {.query_heads = 4,
                           .query_rank = 64,
                           .kv_rank = 512,
                           .nope_dim = 128,
                           .rope_dim = 64,
                           .value_dim = 128},
                   .indexer = {.heads = 8, .head_dim = 128, .top_k = 2048}};
    Dsa reusing = full;
    reusing.reuses_selection = true;
    CHECK(weights(full) - weights(reusing) == 64.0 * 8 * 128 + 512.0 * 8 + 512.0 * 128);
    const auto kept = [](const Dsa& shape, Dtype cache) {
      return core_kept(count_attention(shape, 512, Convention::exact).core, cache, 1e4)
          .total()
          .base();
    };
    CHECK(kept(full, Dtype::bf16) == 1e4 * (576 * 2 + 132));
    CHECK(kept(reusing, Dtype::bf16) == 1e4 * 576 * 2);
    // FlashMLA's FP8 layout: 512 FP8, four FP32 scales, 64 BF16.
    CHECK(kept(full, Dtype::fp8) == 1e4 * (656 + 132));
    CHECK(kept(reusing, Dtype::fp8) == 1e4 * 656);
  }

  TEST_CASE("FP8 caches as engines store them: 48,068 B a token of DeepSeek-V3.2") {
    const ModelSpec v32 = with_formats(load_models({"deepseek-v3.2"}).front(),
                                       {.attention = {}, .kv = Dtype::fp8, .weights = {}});
    // sgl-project/sglang#11309: 61 x (656 + 132).
    CHECK(cache_size(v32, 4096).context.base() / 4096 == 48068);
    // A plain MLA cache in FP8 has no scales: one byte a number.
    const ModelSpec v3 = with_formats(load_models({"deepseek-v3"}).front(),
                                      {.attention = {}, .kv = Dtype::fp8, .weights = {}});
    CHECK(cache_size(v3, 4096).context.base() / 4096 == 61 * 576);
    // DeepSeek-V4: 584 B for each vector of 512.
    const ModelSpec v4 = load_models({"deepseek-v4-flash"}).front();
    const AttentionCount window =
        count_attention(v4.attentions.front().shape, v4.hidden, Convention::exact);
    CHECK(core_kept(window.core, Dtype::fp8, 1e6).total().base() == 128 * 584);
  }

  TEST_CASE("towers and tables are held: in memory and in all parameters, in none of a token's") {
    const std::string yaml = test::replaced(
        test::model_yaml, "precision:",
        "held:\n  vision: {source: card, params: 0.5e9}\n  table: {source: card, params: 1e6, "
        "weights: fp8}\nprecision:");
    const ModelSpec bare = test::parse_model(test::model_yaml), model = test::parse_model(yaml);
    CHECK(total_params(model) - total_params(bare) == doctest::Approx(0.501e9));
    CHECK(active_params(model) == active_params(bare));
  }

  TEST_CASE("the vocabulary's matrices have a format of their own") {
    const std::string yaml =
        test::replaced(test::model_yaml, "ffn_compute: ", "vocabulary: 4.5bit\n  ffn_compute: ");
    const ModelSpec model = test::parse_model(yaml);
    for (const ModuleCount& module : count_modules(model, Convention::exact, 1024)) {
      if (module.module == "lm_head")
        CHECK(module.weights.base() == static_cast<double>(model.hidden * model.vocab) * 4.5 / 8);
    }
  }
}
