// Weights that many layers share, and Zamba's blocks of attention beside the embedding, by hand.
#include <doctest/doctest.h>

#include "count/core.hpp"
#include "count/ffn.hpp"
#include "count/params.hpp"
#include "deploy/memory.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;
using test::operation;
using test::replaced;

namespace {

/// Zamba2-7B: 3584 hidden, 32 heads of 2 x 3584 / 32.
constexpr Concat block{.query_heads = 32, .kv_heads = 32, .head_dim = 224};

constexpr std::string_view concat_entry =
    "shared: {source: card, kind: concat, query_heads: 8, kv_heads: 2, head_dim: 64, "
    "adapter_rank: 16, weight_sets: 2}";
constexpr std::string_view dense_entry =
    "ffn:\n  dense: {source: card, kind: dense, intermediate: 512, adapter_rank: 32, weight_sets: "
    "2}\n";

std::string shared_yaml() {
  const std::string attention = replaced(
      test::model_yaml, "gqa: {source: card, kind: gqa, query_heads: 8, kv_heads: 2, head_dim: 64}",
      concat_entry);
  const size_t from = attention.find("ffn:\n"), to = attention.find("layers:\n");
  return replaced(attention.substr(0, from) + std::string(dense_entry) + attention.substr(to),
                  "[gqa/moe]", "[shared/dense]");
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("attention beside the embedding: inputs of twice the hidden state, a map behind it") {
    const AttentionCount count = count_attention(block, 3584, Convention::exact);
    const double wide = 2.0 * 3584;
    CHECK(weights_of(count.projections) == 3 * wide * wide + wide * 3584 + 3584.0 * 3584);
    CHECK(core_flops(count.core, 1000) == 4 * 7168 * 1000.0);
    CHECK(core_kept(count.core, Dtype::bf16, 1000).total().base() == 2 * 7168 * 1000 * 2.0);
    Concat adapted = block;
    adapted.adapter_rank = 128;
    CHECK(weights_of(count_attention(adapted, 3584, Convention::exact).projections) -
              weights_of(count.projections) ==
          3 * 128 * (wide + wide));
    CHECK(describe(AttentionShape(adapted)) == "Concat GQA 32/32 x 224 + rank 128");
  }

  TEST_CASE("shared weights: held once a set, adapters and maps once a layer, all read each time") {
    const ModelSpec shared = test::parse_model(shared_yaml());
    const ModelSpec apart = test::parse_model(
        replaced(replaced(shared_yaml(), ", weight_sets: 2}", "}"), ", weight_sets: 2}", "}"));
    // q, k, v of 512 inputs and o; norms of the block; the MLP. Adapters and the map are apart.
    const double attention = 512.0 * (512 + 2 * 128) + 512 * 256, mlp = 3.0 * 256 * 512;
    const double norms = 2.0 * 256 + 256;
    const double once = attention + norms + mlp;
    CHECK(total_params(apart) - total_params(shared) == 2 * once);
    const double adapters =
        16.0 * (512 + 512 + 2 * (512 + 128)) + 256.0 * 256 + 32.0 * (256 + 2 * 512);
    CHECK(total_params(shared) == 2 * 1000.0 * 256 + 256 + 2 * once + 4 * adapters);
    CHECK(active_params(shared) == total_params(shared));
    CHECK(stored_weights(apart).base() - stored_weights(shared).base() ==
          2 * (attention + mlp) + 2 * 2 * norms);
    const auto held = [](const ModelSpec& model) {
      const auto shapes = layer_shapes(model);
      const Setting setting{.model = &model, .shapes = &shapes, .context = 4096};
      return attention_weights(setting, {}).base() + ffn_weights(setting, 1, 1).base();
    };
    CHECK(held(apart) - held(shared) == 2 * (attention + mlp));
    const auto read = [](const ModelSpec& model) {
      const auto shapes = layer_shapes(model);
      const auto chips = load_hardware({"h800"});
      const Setting setting{.model = &model, .shapes = &shapes, .context = 4096};
      const Colocated c{.pool = {chips.data(), 1, 8}, .batch = 32, .layout = tensor_parallel(8)};
      const auto ops = stage_ops(c, setting, 0);
      return operation(ops.attention, "q k v").weights.base() +
             operation(ops.ffn, "adapter out").weights.base() +
             operation(ops.attention, "block map").weights.base();
    };
    CHECK(read(apart) == read(shared));
    // Eight accelerators: queries by heads, keys and values by two, the adapters' ranks whole.
    CHECK(read(shared) ==
          512.0 * (512 / 8 + 2 * 128 / 2 + 3 * 16) + 32.0 * 2 * 512 / 8 + 256.0 * 256 / 8);
  }

  TEST_CASE("shared weights: in every verb, with attention and FFN on their own pools") {
    const test::TempFolder folder;
    const std::string path = folder.file("m.yaml", shared_yaml());
    for (const std::string& command :
         {"cost -m " + path + " --on h800 -c 8k",
          "simulate -m " + path + " --colocated h800:1x8 --batch-per-gpu 8 -c 8k",
          "simulate -m " + path + " --attention h800:1x8 --ffn h800:1x8 --batch 384 -c 8k",
          "pareto -m " + path + " --on h800 -c 8k --max-gpus 8"}) {
      CAPTURE(command);
      const test::Outcome outcome = test::run_afford(command + " --format csv");
      CHECK(outcome.code == 0);
      CHECK(outcome.out.find("nan") == std::string::npos);
      CHECK(outcome.out.find("inf") == std::string::npos);
    }
  }

  TEST_CASE("shared weights: what a model file may get wrong") {
    CHECK(test::model_error(replaced(shared_yaml(), "16, weight_sets: 2", "16, weight_sets: 4")) ==
          "m.yaml:8:114: attention.shared.weight_sets: expected fewer than its 4 layers, which "
          "share the sets, got 4");
    const std::string two =
        replaced(replaced(shared_yaml(), "ffn:\n", "ffn:\n  other: {source: card, kind: none}\n"),
                 "[shared/dense]", "[shared/dense, shared/other]");
    CHECK(test::model_error(two) ==
          "m.yaml:8:114: attention.shared.weight_sets: only for what stands in one kind of layer");
    CHECK(test::model_error(replaced(shared_yaml(), "kv_heads: 2", "kv_heads: 3")) ==
          "m.yaml:8:66: attention.shared.kv_heads: query_heads (8) must be a multiple of kv_heads, "
          "got 3");
  }
}
