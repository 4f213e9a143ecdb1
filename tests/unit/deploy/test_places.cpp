// What of a layer stands on which AFD pool: the flag, what moves with it, and that nothing is lost.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "deploy/evaluate.hpp"
#include "error.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;
using doctest::Approx;
using test::operation;

namespace {

constexpr size_t dense_kind = 0, moe_kind = 1;  // layers of DeepSeek-V3

/// DeepSeek-V3 on two servers of attention beside `ffn` servers that spread the experts.
struct TwoPools {
  ModelSpec model = load_models({"deepseek-v3"}).front();
  std::vector<LayerShape> shapes = layer_shapes(model);
  HardwareSpec chip = load_hardware({"h800"}).front();
  Setting setting{.model = &model, .shapes = &shapes, .context = 4096};
  Disaggregated deployment;
  explicit TwoPools(std::string_view places = "", std::int64_t ffn = 1) {
    deployment = {.attention = {&chip, 2, 8},
                  .ffn = {&chip, ffn, 8},
                  .batch = std::int64_t{3} * 16 * 128,
                  .micro_batches = 3,
                  .ffn_split = {1, 8 * ffn}};
    place(places);
  }
  TwoPools(const TwoPools&) = delete;
  TwoPools& operator=(const TwoPools&) = delete;
  void place(std::string_view places) {
    constexpr Boundary cut[] = {Boundary::attention};
    deployment.places = places_of(parse_places(places), cut, model);
  }
  [[nodiscard]] Evaluation evaluated() const { return evaluate(deployment, setting); }
  [[nodiscard]] StageOps ops(size_t kind) const { return stage_ops(deployment, setting, kind); }
};

/// FLOPs of both pools in one layer of one micro-batch.
double flops_of(const TwoPools& pools, size_t kind) {
  const StageOps ops = pools.ops(kind);
  double sum = 0;
  for (const Op& op : ops.attention) sum += 16 * op.flops.base();
  for (const Op& op : ops.ffn) sum += real(pools.deployment.ffn.size()) * op.flops.base();
  return sum;
}

/// Weights that all accelerators hold together.
double weights_of(const TwoPools& pools) {
  const Evaluation e = pools.evaluated();
  return 16 * e.attention_memory.weights.base() +
         real(pools.deployment.ffn.size()) * e.ffn_memory.weights.base();
}

bool runs(const OpList& ops, std::string_view name) {
  return std::any_of(ops.begin(), ops.end(), [&](const Op& op) { return op.name == name; });
}

std::string refusal(std::string_view text, const std::string& model = "deepseek-v3",
                    Boundary boundary = Boundary::attention) {
  try {
    (void)places_of(parse_places(text), std::span(&boundary, 1), load_models({model}).front());
  } catch (const ValueError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_SUITE("property") {
  TEST_CASE("wherever a part stands, a layer's FLOPs are the same") {
    const TwoPools usual;
    for (const char* places :
         {"shared=attention", "dense=attention", "router=ffn", "router=attention,shared=ffn",
          "router=ffn,shared=attention,dense=attention"}) {
      CAPTURE(places);
      const TwoPools placed(places);
      for (const size_t kind : {dense_kind, moe_kind})
        CHECK(flops_of(placed, kind) == Approx(flops_of(usual, kind)).epsilon(1e-9));
    }
  }

  TEST_CASE("and every accelerator of a pool has its own copy of what stands there") {
    // 58 layers with a shared expert of 3 x 7168 x 2048 FP8 weights, three dense ones of 18432; on
    // 16 accelerators instead of 8.
    const double usual = weights_of(TwoPools());
    const double shared = 58.0 * 3 * 7168 * 2048, dense = 3.0 * 3 * 7168 * 18432;
    CHECK(weights_of(TwoPools("shared=attention")) == Approx(usual + 8 * shared).epsilon(1e-9));
    CHECK(weights_of(TwoPools("dense=attention")) == Approx(usual + 8 * dense).epsilon(1e-9));
    const TwoPools both("shared=attention,dense=attention");
    CHECK(weights_of(both) == Approx(usual + 8 * (shared + dense)).epsilon(1e-9));
  }
}

TEST_SUITE("unit") {
  TEST_CASE("shared experts on the attention pool: each accelerator runs its own tokens") {
    const TwoPools usual, placed("shared=attention");
    const StageOps ops = placed.ops(moe_kind);
    CHECK_FALSE(runs(usual.ops(moe_kind).attention, "gate, up"));
    // 128 tokens of a micro-batch through gate and up of 2048.
    CHECK(operation(ops.attention, "gate, up").flops.base() == 2.0 * 128 * 7168 * 2 * 2048);
    CHECK(operation(ops.attention, "down").weights.base() == 7168.0 * 2048);
    CHECK(operation(ops.ffn, "gate, up").weights <
          operation(usual.ops(moe_kind).ffn, "gate, up").weights);
    // One more result to add up: its own, beside those of the FFN instance.
    CHECK(operation(ops.attention, "combine").activations.base() ==
          Approx(4.0 / 3 * operation(usual.ops(moe_kind).attention, "combine").activations.base()));
    const Evaluation a = placed.evaluated(), b = usual.evaluated();
    const Seconds expected =
        b.runs[moe_kind].stages.attention + operation(ops.attention, "gate, up").time +
        operation(ops.attention, "SwiGLU, quantise").time + operation(ops.attention, "down").time +
        (operation(ops.attention, "combine").time -
         operation(usual.ops(moe_kind).attention, "combine").time);
    CHECK(a.runs[moe_kind].stages.attention / expected == Approx(1).epsilon(1e-12));
    CHECK(a.runs[moe_kind].stages.ffn < b.runs[moe_kind].stages.ffn);
    CHECK(a.runs[dense_kind].stages.ffn == b.runs[dense_kind].stages.ffn);
  }

  TEST_CASE("under tensor parallelism an instance shares them and adds up") {
    TwoPools placed("shared=attention");
    placed.deployment.attention_split = AttentionSplit::tensor;
    const StageOps ops = placed.ops(moe_kind);
    CHECK(operation(ops.attention, "down").weights.base() == 7168.0 * 2048 / 8);
    CHECK(operation(ops.attention, "all-reduce").time ==
          operation(ops.attention, "all-reduce of o").time);
  }

  TEST_CASE("dense layers on the attention pool stay there: nothing travels") {
    const Evaluation e = TwoPools("dense=attention").evaluated(), usual = TwoPools().evaluated();
    const StageTimes& dense = e.runs[dense_kind].stages;
    CHECK(dense.a2f == Seconds(0));
    CHECK(dense.ffn == Seconds(0));
    CHECK(dense.f2a == Seconds(0));
    CHECK(dense.attention > usual.runs[dense_kind].stages.attention);
    CHECK(e.runs[moe_kind].stages.sum() == usual.runs[moe_kind].stages.sum());
    CHECK(e.ffn_memory.total() < usual.ffn_memory.total());
  }

  TEST_CASE("the router on the FFN pool: tokens travel without their experts") {
    const TwoPools usual, placed("router=ffn");
    const StageOps ops = placed.ops(moe_kind);
    CHECK_FALSE(runs(ops.attention, "router"));
    // 2048 tokens reach the server, an eighth each accelerator.
    CHECK(operation(ops.ffn, "router").flops.base() == 2.0 * 2048 / 8 * 7168 * 256);
    // 7168 FP8 values and 56 scales; else eight ids and weights of 4 bytes each, too.
    const Seconds latency = placed.setting.engine.time.transfers.latency;
    const Seconds sent = placed.evaluated().runs[moe_kind].stages.a2f - latency;
    const Seconds with_ids = usual.evaluated().runs[moe_kind].stages.a2f - latency;
    CHECK(sent / with_ids == Approx((7168.0 + 56 * 4) / (7168 + 56 * 4 + 8 * 8)));
    // Every instance that a token goes to routes it.
    const TwoPools two("router=ffn", 2);
    CHECK(operation(two.ops(moe_kind).ffn, "router").flops == operation(ops.ffn, "router").flops);
  }

  TEST_CASE("layers without an FFN send nothing") {
    const ModelSpec model = load_models({"nemotron-3-nano"}).front();
    const std::vector<LayerShape> shapes = layer_shapes(model);
    const auto none = std::find_if(shapes.begin(), shapes.end(),
                                   [](const LayerShape& shape) { return shape.ffn.mlps.empty(); });
    REQUIRE(none != shapes.end());
    CHECK_FALSE(visits_ffn({}, *none));
  }

  TEST_CASE("places are written as they are read") {
    const TwoPools placed("dense=attention,router=ffn,shared=ffn");
    CHECK(text_of(placed.deployment.places) == "router=ffn,dense=attention");
    CHECK(text_of(Places()).empty());
    CHECK(label_of(2, 1, Boundary::attention, placed.deployment.places) ==
          "2A1F,router=ffn,dense=attention");
  }

  TEST_CASE("what cannot be placed is refused") {
    CHECK(refusal("shared=attention,dense=ffn") == "no error");
    CHECK(refusal("sharde=attention") ==
          "place: expected router, shared or dense with =attention or =ffn, such as "
          "shared=attention,dense=attention, got 'sharde=attention'; did you mean 'shared'?");
    CHECK(refusal("shared") ==
          "place: expected router, shared or dense with =attention or =ffn, such as "
          "shared=attention,dense=attention, got 'shared'");
    CHECK(refusal("shared=a") ==
          "place: shared: unknown value 'a'; expected one of attention, ffn");
    CHECK(refusal("shared=ffn,shared=ffn") == "place: shared is given twice");
    CHECK(refusal("shared=ffn,") == "place: expected another place behind the last comma");
    CHECK(refusal("shared=attention", "qwen3-moe") == "place: qwen3-moe has no shared expert");
    CHECK(refusal("dense=attention", "qwen3-moe") == "place: qwen3-moe has no dense layer");
    CHECK(refusal("router=ffn", "qwen3-32b") == "place: qwen3-32b has no router");
    CHECK(refusal("dense=attention", "qwen3-32b") ==
          "place: dense=attention leaves the FFN pool nothing of qwen3-32b");
    CHECK(refusal("shared=ffn", "deepseek-v3", Boundary::core) ==
          "place: cut at the core, all but the core is on the FFN pool");
  }
}
