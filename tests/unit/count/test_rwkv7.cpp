// RWKV-7's time mixing by hand.
#include <doctest/doctest.h>

#include "count/cache.hpp"
#include "count/core.hpp"
#include "count/params.hpp"
#include "deploy/evaluate.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;
using test::operation;

namespace {

/// RWKV7-World-2.9B: 2560 hidden, heads of 64; ranks as its checkpoint has them.
constexpr Rwkv7 rwkv{.heads = 40,
                     .head_dim = 64,
                     .decay_rank = 96,
                     .rate_rank = 96,
                     .value_rank = 64,
                     .gate_rank = 320};

std::string rwkv_yaml() {
  return test::replaced(
      test::replaced(test::model_yaml,
                     "gqa: {source: card, kind: gqa, query_heads: 8, kv_heads: 2, head_dim: 64}",
                     "mix: {source: card, kind: rwkv7, heads: 8, head_dim: 64, decay_rank: 16, "
                     "rate_rank: 16, value_rank: 8, gate_rank: 32, state: fp32}"),
      "[gqa/moe]", "[mix/moe]");
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("RWKV-7: a state of 40 x 64 x 64, nine FLOPs an element, whatever the context") {
    const AttentionCount count = count_attention(rwkv, 2560, Convention::exact);
    CHECK(weights_of(count.projections) == 4.0 * 2560 * 2560 + 2 * 2560.0 * (96 + 96 + 64 + 320));
    const double state = 40 * 64 * 64;
    for (const double context : {1.0, 1e6}) {
      CHECK(core_flops(count.core, context) == 9 * state);
      const CoreTraffic traffic = core_traffic(count.core, Dtype::fp32, context);
      CHECK(traffic.read.base() == 4 * state + 2 * 2 * 2560);  // and the last token's two inputs
      CHECK(traffic.updated.base() == 4 * state + 2 * 2 * 2560);
      CHECK(core_kept(count.core, Dtype::fp32, context).total().base() == 4 * state + 2 * 2 * 2560);
    }
    CHECK(describe(AttentionShape(rwkv)) == "RWKV-7 40 x 64^2");
  }

  TEST_CASE("RWKV-7: the 2.95 billion parameters of RWKV7-World3 (arXiv 2503.14456, Table 1)") {
    const AttentionCount count = count_attention(rwkv, 2560, Convention::exact);
    const double layer =
        weights_of(count.projections) + count.norm_weights + 2 * 2560 + 2 * 2560.0 * 10240;
    CHECK(32 * layer + 2 * 65536.0 * 2560 == doctest::Approx(2.95e9).epsilon(0.002));
  }

  TEST_CASE("RWKV-7 in a model file: its heads split, its ranks stand whole, in every verb") {
    const ModelSpec model = test::parse_model(rwkv_yaml());
    CHECK(is_recurrent(model.attentions[0].shape));
    CHECK(cache_size(model, 1e5).context.base() == 0);
    const auto shapes = layer_shapes(model);
    const auto chips = load_hardware({"h800"});
    const Setting setting{.model = &model, .shapes = &shapes, .context = 4096};
    const Colocated c{.pool = {chips.data(), 1, 8}, .batch = 32, .layout = tensor_parallel(8)};
    const OpList ops = stage_ops(c, setting, 0).attention;
    CHECK(operation(ops, "core attention").cache.base() ==
          32 * (2 * 4 * 8 * 64 * 64 + 2 * 4 * 256) / 8.0);
    CHECK(operation(ops, "q k v").weights.base() == 256.0 * (3 * 512 / 8 + 16 + 16 + 8 + 32));
    CHECK(operation(ops, "gate").weights.base() == 32.0 * 512 / 8);
    const test::TempFolder folder;
    const std::string path = folder.file("m.yaml", rwkv_yaml());
    for (const std::string& command :
         {"cost -m " + path + " --on h800 -c 8k",
          "simulate -m " + path + " --colocated h800:1x8 --batch-per-gpu 8 -c 8k",
          "pareto -m " + path + " --on h800 -c 8k --max-gpus 16"}) {
      CAPTURE(command);
      const test::Outcome outcome = test::run_afford(command + " --format csv");
      CHECK(outcome.code == 0);
      CHECK(outcome.out.find("nan") == std::string::npos);
    }
  }
}
