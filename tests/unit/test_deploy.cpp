#include <doctest/doctest.h>

#include "deploy/evaluate.hpp"
#include "deploy/memory.hpp"
#include "deploy/weak_card.hpp"
#include "error.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;
using test::operation;

namespace {

struct DeployFixture {
  ModelSpec model = load_models({"step-3"}).front();
  std::vector<LayerShape> shapes = layer_shapes(model);
  std::vector<HardwareSpec> chips = load_hardware({"h800", "l20"});
  Setting setting{.model = &model, .shapes = &shapes, .context = 4096};
  Disaggregated deployment{
      .attention = {&chips[0], 2, 8}, .ffn = {&chips[0], 2, 8}, .batch = 6144, .micro_batches = 3};
  DeployFixture() { deployment.ffn_split = resolved({}, deployment.ffn, model); }
};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("2A2F: bytes and FLOPs of an accelerator by hand") {
    const DeployFixture f;
    const StageOps ops = stage_ops(f.deployment, f.setting, 1);
    // 128 requests of 4096 tokens, 512 FP8 elements each.
    CHECK(operation(ops.attention, "core attention").cache.base() == 128.0 * 4096 * 512);
    // The output projection over eight accelerators, for the tokens of all eight.
    const Op output = operation(ops.attention, "o");
    CHECK(output.weights.base() == 64.0 * 256 * 7168 / 8);
    CHECK(output.flops.base() == 2.0 * 64 * 256 * 7168 * 128);
    // 24 of 48 experts and the shared one, gate and up, an eighth of each; 3072 routed rows and
    // 1024 shared.
    const Op up = operation(ops.ffn, "gate, up");
    CHECK(up.weights.base() == doctest::Approx(25 * 2.0 * 7168 * 5120 / 8));
    CHECK(up.flops.base() == doctest::Approx(2 * 4096 * 2.0 * 7168 * 5120 / 8));
  }

  TEST_CASE("query heads fill a tile of the core; a GEMM computes a tile of rows at least") {
    const ModelSpec model =
        load_models({"qwen3-8b"}).front();  // 32 query heads on 8 KV heads: 4 rows
    const auto shapes = layer_shapes(model);
    const auto chips = load_hardware({"h20"});
    const auto flops = [&](std::string_view name, std::int64_t batch, const Engine& engine) {
      const Setting setting{.model = &model, .shapes = &shapes, .context = 1024, .engine = engine};
      const Colocated c{.pool = {chips.data(), 1, 1}, .batch = batch};
      return operation(stage_ops(c, setting, 0).attention, name).flops.base();
    };
    CHECK(flops("core attention", 5, {}) == 4 * 5 * 4.0 * 32 * 128 * 1024);
    CHECK(flops("core attention", 5, {.attention_tile = 64}) == 16 * 5 * 4.0 * 32 * 128 * 1024);
    CHECK(flops("core attention", 5, {.attention_tile = 3}) == 1.5 * 5 * 4.0 * 32 * 128 * 1024);
    const auto rows_of = [&](int drafts) {  // 4 rows a token
      const Setting setting{
          .model = &model, .shapes = &shapes, .context = 1024, .speculation = {.drafts = drafts}};
      const Colocated c{.pool = {chips.data(), 1, 1}, .batch = 1};
      return operation(stage_ops(c, setting, 0).attention, "core attention").flops.base() /
             (8 * 4.0 * 128 * 1024);
    };
    CHECK(rows_of(3) == 16);  // the smallest tile, full
    CHECK(rows_of(4) == 64);  // 20 rows in wgmma's
    CHECK(flops("o", 5, {}) == 16 * 2.0 * 4096 * 4096);
    CHECK(flops("o", 40, {}) == 40 * 2.0 * 4096 * 4096);
    CHECK(flops("o", 40, {.gemm_tile = 64}) == 64 * 2.0 * 4096 * 4096);
  }

  TEST_CASE("memory: the cache of a request, and the batch that fits") {
    const DeployFixture f;
    CHECK(cache_of_request(f.setting).base() == 512.0 * 4096 * 61);
    Disaggregated too_large = f.deployment;
    too_large.batch = 3 * 4096;
    const Evaluation e = evaluate(too_large, f.setting);
    CHECK(e.verdict == Verdict::attention_memory);
    too_large.batch = e.largest_batch;
    CHECK(evaluate(too_large, f.setting).verdict != Verdict::attention_memory);
    too_large.batch = e.largest_batch + 16 * 3;
    CHECK(evaluate(too_large, f.setting).verdict == Verdict::attention_memory);
  }

  TEST_CASE(
      "memory: the batch that fits does not depend on the batch asked for, and fills whole "
      "micro-batches") {
    const DeployFixture f;
    for (const AttentionSplit split : {AttentionSplit::shared_output, AttentionSplit::tensor}) {
      Disaggregated d = f.deployment;
      d.attention_split = split;
      const std::int64_t most = evaluate(d, f.setting).largest_batch;
      CHECK(most % 3 == 0);
      d.batch = 48;
      CHECK(evaluate(d, f.setting).largest_batch == most);
    }
    Colocated c{.pool = {&f.chips[0], 4, 8},
                .batch = 64,
                .micro_batches = 2,
                .layout = expert_parallel(32)};
    const std::int64_t most = evaluate(c, f.setting).largest_batch;
    REQUIRE(most % (2 * 32) == 0);
    c.batch = most;
    CHECK(evaluate(c, f.setting).verdict != Verdict::attention_memory);
    c.batch += 64;
    CHECK(evaluate(c, f.setting).verdict == Verdict::attention_memory);
  }

  TEST_CASE(
      "memory: wide EP holds DeepEP's two sets of send and receive slots, BF16, one an expert and "
      "token") {
    const DeployFixture f;
    const Colocated wide{.pool = {&f.chips[0], 4, 8},
                         .batch = 2048,
                         .micro_batches = 2,
                         .layout = expert_parallel(32)};
    Setting copies = f.setting;
    copies.redundant_experts = 16;
    const double slots =
        2 * 2 * 16.0 * 2 * 7168 * 32;  // 16 more experts, 32 requests a micro-batch
    CHECK(evaluate(wide, copies).attention_memory.buffers.base() -
              evaluate(wide, f.setting).attention_memory.buffers.base() ==
          doctest::Approx(slots));
  }

  TEST_CASE("memory: a draft adds one layer of weights and of cache") {
    const DeployFixture f;
    Setting drafts = f.setting;
    drafts.speculation = {.drafts = 1, .acceptance = 0.7};
    CHECK((ffn_weights(drafts, 1, 1) - ffn_weights(f.setting, 1, 1)).base() ==
          49.0 * 3 * 7168 * 5120);
    CHECK((cache_of_request(drafts) - cache_of_request(f.setting)).base() == 512.0 * 4096);
    CHECK((attention_weights(drafts, {}) - attention_weights(f.setting, {})).base() ==
          7168.0 * 2048 + 2048 * 64 * 256 + 2 * 7168 * 256 + 64 * 256 * 7168 + 48 * 7168);
  }

  TEST_CASE("memory: under tensor parallelism each layer's cache splits by its own KV heads") {
    const ModelSpec model =
        load_models({"qwen3-next-80b-a3b"}).front();  // states of 32 heads, caches of 2
    const auto shapes = layer_shapes(model);
    const Setting setting{.model = &model, .shapes = &shapes, .context = 1e6};
    CHECK(cache_of_request(setting) / cache_of_request(setting, 8) ==
          doctest::Approx(2).epsilon(0.01));
    const Setting short_one{.model = &model, .shapes = &shapes, .context = 1};
    CHECK(cache_of_request(short_one) / cache_of_request(short_one, 8) ==
          doctest::Approx(8).epsilon(0.05));
  }

  TEST_CASE(
      "tensor parallelism: what compresses is whole everywhere, keys and values split by KV "
      "heads") {
    const ModelSpec deepseek = load_models({"deepseek-v3"}).front(),
                    qwen = load_models({"qwen3-moe"}).front();
    const auto ways = [](const ModelSpec& model, std::string_view name, std::int64_t group) {
      const AttentionCount attention = layer_shapes(model).back().attention;
      for (const Matrix& matrix : attention.projections) {
        if (matrix.name == name) return tensor_ways(matrix, attention, group);
      }
      return 0.0;
    };
    CHECK(ways(deepseek, "q_down", 8) == 1);
    CHECK(ways(deepseek, "kv_down", 8) == 1);
    CHECK(ways(deepseek, "q_up", 8) == 8);
    CHECK(ways(deepseek, "kv_up", 8) == 8);
    CHECK(ways(qwen, "k", 8) == 4);  // 4 KV heads
    CHECK(ways(qwen, "v", 2) == 2);
    CHECK(ways(qwen, "k", 1) == 1);
    CHECK(ways(qwen, "o", 8) == 8);
  }

  TEST_CASE("the fullest accelerator sets the pace of attention") {
    const DeployFixture f;
    Disaggregated d = f.deployment;
    d.batch = 3 * 17;  // 17 requests of a micro-batch on 16 accelerators: one has two
    CHECK(operation(stage_ops(d, f.setting, 1).attention, "core attention").cache.base() ==
          2.0 * 4096 * 512);
  }

  TEST_CASE(
      "an FFN server of several replicas takes in the tokens of all, and gathers inside each") {
    const DeployFixture f;
    Disaggregated whole = f.deployment, halves = f.deployment;
    whole.ffn = {&f.chips[0], 1, 8}, whole.ffn_split = {8, 1};
    halves.ffn = whole.ffn, halves.ffn_split = {4, 1};  // two replicas on one server
    const Evaluation a = evaluate(whole, f.setting), b = evaluate(halves, f.setting);
    CHECK(b.runs[1].stages.a2f == a.runs[1].stages.a2f);
    CHECK(b.runs[1].stages.f2a == a.runs[1].stages.f2a);
    CHECK(operation(stage_ops(halves, f.setting, 1).ffn, "reduce-scatter").moved.base() ==
          1024.0 * 7168 * 2 * 3 / 4);
  }

  TEST_CASE("splits that cannot be are refused") {
    const DeployFixture f;
    const Pool pool{&f.chips[0], 2, 8};
    CHECK_THROWS_WITH_AS(
        (void)resolved({3, 5}, pool, f.model),
        "ffn parallelism: tp3ep5 does not divide the 16 accelerators of the FFN pool", ValueError);
    CHECK_THROWS_WITH_AS((void)resolved({16, 1}, pool, f.model),
                         "ffn parallelism: tp16 does not divide an instance of 8", ValueError);
    const Pool wide{&f.chips[0], 16, 8};
    CHECK_THROWS_WITH_AS((void)resolved({1, 128}, wide, f.model),
                         "ffn parallelism: ep128 exceeds the 48 experts of step-3", ValueError);
    CHECK(resolved({}, pool, f.model).tensor == 8);
    CHECK(resolved({}, pool, f.model).expert == 2);
  }

  // Step-3 report, Section 6, at 16.6 ms a stage.
  TEST_CASE("the L20's budget of a layer") {
    const DeployFixture f;
    const WeakCard card = weak_card(f.model, f.chips[1], 16.6 * millisecond, 8000);
    CHECK(card.layer / MB == doctest::Approx(235).epsilon(0.002));
    CHECK(card.projections / MB == doctest::Approx(67).epsilon(0.01));
    CHECK(card.kv / MB == doctest::Approx(168).epsilon(0.004));
    CHECK(card.batch == 41);
    CHECK(card.ffn_servers * 8 == 48);
  }

  TEST_CASE("experts over instances: sharded, split, or both hold the same weights in all") {
    const DeployFixture f;
    const double whole = ffn_weights(f.setting, 1, 1).base();
    const double shared_and_dense = 7168.0 * 3 * (56 * 5120 + 5 * 18432);
    CHECK(ffn_weights(f.setting, 8, 1).base() == doctest::Approx(whole / 8));
    CHECK(2 * ffn_weights(f.setting, 1, 2).base() == doctest::Approx(whole + shared_and_dense));
  }
}
