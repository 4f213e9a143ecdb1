// AFD cut at the core: what travels, what each pool holds and does, against FastAFD's runs.
#include <doctest/doctest.h>

#include <string>

#include "deploy/evaluate.hpp"
#include "load/library.hpp"
#include "spec/overrides.hpp"
#include "support.hpp"

using namespace afford;
using doctest::Approx;
using test::operation;

namespace {

/// Qwen3-235B on trays of one GB200 NVL72, as FastAFD ran it: FP8 products, BF16 cache, two
/// micro-batches.
struct Trays {
  ModelSpec model = load_models({"qwen3-moe"}).front();
  std::vector<LayerShape> shapes;
  HardwareSpec chip = load_hardware({"gb200"}).front();
  Setting setting;
  explicit Trays(double context, std::optional<Dtype> weights = {}) {
    model =
        with_formats(std::move(model), {.attention = Dtype::bf16, .kv = {}, .weights = weights});
    shapes = layer_shapes(model);
    setting = {.model = &model,
               .shapes = &shapes,
               .context = context,
               .engine = load_engines({"fastafd"}).front()};
    // Kernels alone, as the spans are.
    setting.engine.time.step = setting.engine.time.request = Seconds(0);
  }
  [[nodiscard]] Disaggregated of(std::int64_t attention_trays, std::int64_t requests_per_gpu,
                                 Boundary boundary = Boundary::core) const {
    return {.attention = {&chip, attention_trays, 4},
            .ffn = {&chip, 1, 4},
            .batch = attention_trays * 4 * requests_per_gpu,
            .micro_batches = 2,
            .ffn_split = {1, 4},
            .boundary = boundary};
  }
};

}  // namespace

TEST_SUITE("paper") {
  // FastAFD (hao-ai-lab/FastAFD, 2026), Qwen3-235B at 128K with 6 requests an attention GPU, only
  // the core on the attention trays: ms a step, strict CUDA spans.
  TEST_CASE("FastAFD cut at the core: steps at 128K within 5 %") {
    const Trays fp8(131072), fp4(131072, Dtype::fp4);
    const auto step = [](const Trays& trays, std::int64_t attention) {
      return evaluate(trays.of(attention, 6), trays.setting).step / millisecond;
    };
    CHECK(step(fp8, 1) == Approx(25.68).epsilon(0.05));
    CHECK(step(fp8, 2) == Approx(27.62).epsilon(0.05));
    CHECK(step(fp8, 8) == Approx(31.24).epsilon(0.05));
    CHECK(step(fp4, 1) == Approx(22.75).epsilon(0.05));
    CHECK(step(fp4, 2) == Approx(22.94).epsilon(0.05));
    CHECK(step(fp4, 3) == Approx(23.19).epsilon(0.05));
    CHECK(step(fp4, 7) == Approx(24.59).epsilon(0.05));
  }

  // The same: cut behind the projections, one tray each took 30.45 ms; the cut at the core won up
  // to eight attention trays to one.
  TEST_CASE("FastAFD: one tray beside one is faster cut at the core") {
    const Trays trays(131072);
    CHECK(evaluate(trays.of(1, 6), trays.setting).step <
          evaluate(trays.of(1, 6, Boundary::attention), trays.setting).step);
  }
}

TEST_SUITE("unit") {
  TEST_CASE("queries, keys and values go to the core, its outputs come back, all BF16") {
    const AttentionCount gqa = layer_shapes(load_models({"qwen3-moe"}).front()).front().attention;
    CHECK(to_core_bytes(gqa).base() == 2 * (64 + 2 * 4) * 128);
    CHECK(from_core_bytes(gqa).base() == 2 * 64 * 128);
    const AttentionCount mla = layer_shapes(load_models({"deepseek-v3"}).front()).front().attention;
    // Queries of 576 and results of 512 a head, counted as halves of both.
    CHECK(to_core_bytes(mla).base() == 2 * (128 * 544 + 576));
    CHECK(from_core_bytes(mla).base() == 2 * 128 * 544);
  }

  TEST_CASE("cut at the core, both sides together do what a layer does") {
    const Trays trays(8192);
    const Disaggregated d = trays.of(1, 8);
    const StageOps ops = stage_ops(d, trays.setting, 0);
    CHECK(operation(ops.attention, "core attention").cache.base() ==
          4 * 8192 * 2.0 * 4 * 128 * 2);  // 4 requests of a micro-batch on each accelerator
    for (const Op& op : ops.attention) CHECK(op.weights == Bytes(0));
    const Op qkv = operation(ops.ffn, "q k v");
    CHECK(qkv.weights.base() == 4096.0 * (64 + 2 * 4) * 128);
    CHECK(operation(ops.ffn, "router").flops > Flops(0));
    CHECK(ops.ffn.time() / evaluate(d, trays.setting).runs[0].stages.ffn == Approx(1));
  }

  TEST_CASE("cut at the core, the attention pool holds caches alone, the other all weights") {
    const Trays trays(8192);
    const Disaggregated core = trays.of(2, 8), whole = trays.of(2, 8, Boundary::attention);
    const Evaluation a = evaluate(core, trays.setting), b = evaluate(whole, trays.setting);
    CHECK(a.attention_memory.weights == Bytes(0));
    CHECK(a.attention_memory.cache == b.attention_memory.cache);
    CHECK(a.ffn_memory.weights > b.ffn_memory.weights);
    CHECK(a.largest_batch > b.largest_batch);
    CHECK(evaluate(core, trays.setting).gpus == 12);
  }

  TEST_CASE("cut at the core, sharded experts share their projections") {
    const Trays trays(8192);
    Disaggregated d = trays.of(1, 8);
    d.ffn_split = {4, 1};
    const StageOps ops = stage_ops(d, trays.setting, 0);
    CHECK(operation(ops.ffn, "all-reduce of o").time > Seconds(0));
    CHECK(operation(ops.ffn, "all-reduce").time > Seconds(0));
    CHECK(operation(ops.ffn, "q k v").weights.base() == 4096.0 * (64 + 2 * 4) * 128 / 4);
  }

  TEST_CASE("a label says where the cut is") {
    CHECK(label_of(2, 1, Boundary::attention, {}) == "2A1F");
    CHECK(label_of(2, 1, Boundary::core, {}) == "2A1F,core");
  }
}
