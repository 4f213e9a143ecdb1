// Engines on one pool: who holds what, what travels, and which requests set the pace.
#include <doctest/doctest.h>

#include <algorithm>

#include "deploy/colocated.hpp"
#include "deploy/memory.hpp"
#include "layer/ffn_side.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;
using doctest::Approx;
using test::operation;

namespace {

struct Served {
  ModelSpec model;
  std::vector<LayerShape> shapes = layer_shapes(model);
  HardwareSpec chip;
  Setting setting{.model = &model, .shapes = &shapes, .context = 1024};

  Served(const std::string& name, const std::string& hardware)
      : model(load_models({name}).front()), chip(load_hardware({hardware}).front()) {}

  [[nodiscard]] Colocated on(std::int64_t servers, std::string_view layout,
                             std::int64_t batch) const {
    Colocated c{.pool = {&chip, servers, 8}, .batch = batch, .layout = parse_layout(layout)};
    c.micro_batches = default_micro_batches(c, model);
    return c;
  }
  [[nodiscard]] Evaluation run(std::int64_t servers, std::string_view layout,
                               std::int64_t batch) const {
    return evaluate(on(servers, layout, batch), setting);
  }
  [[nodiscard]] size_t moe() const { return shapes.size() - 1; }
};

/// Weights of the whole model's routed experts, and of its dense layers.
double weights(const Served& s, MlpRole role) {
  double sum = 0;
  for (const LayerShape& shape : s.shapes) {
    for (const Mlp& mlp : shape.ffn.mlps) {
      if (mlp.role == role)
        sum += real(shape.layers) * real(mlp.copies) * weights_of(mlp, 1, s.model.hidden);
    }
  }
  return sum;
}

constexpr std::string_view sixteen[] = {
    "tp16",       "ep16",    "tp16+ep16", "tp8+ep16",    "tp2+ep16", "dp16+tp16", "dp16+tp8ep2",
    "tp8+tp8ep2", "tp8,pp2", "ep8,pp2",   "tp4dp4+tp16", "tp8",      "tp8+ep8"};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("the experts' weights over an engine's accelerators add up to the model's") {
    const Served s("deepseek-v3", "h200");
    for (const std::string_view text : sixteen) {
      const Layout layout = parse_layout(text);
      const FfnWays ways = ffn_ways(layout);
      const double held = ffn_weights(s.setting, ways).base();
      const double shared = weights(s, MlpRole::shared) / real(ways.shared),
                   dense = weights(s, MlpRole::dense) / real(ways.dense);
      CHECK_MESSAGE(
          (held - shared - dense) * real(layout.size()) == Approx(weights(s, MlpRole::routed)),
          text);
    }
  }

  TEST_CASE("a step is the sum of its parts, less what runs at the same time") {
    Served s("deepseek-v3", "h200");
    const auto apart = [&](std::string_view engine, std::string_view layout) {
      s.setting.engine = load_engine(std::string(engine));
      const Colocated c = s.on(1, layout, 256);
      return std::pair(step_parts(c, s.setting).sum(), evaluate(c, s.setting).step);
    };
    // One micro-batch, nothing sent to others: all is in line.
    const auto [sum, step] = apart("vllm", "tp8");
    CHECK(sum.base() == Approx(step.base()).epsilon(1e-12));
    // Shared experts run while tokens travel, in every layer with experts.
    const auto [exchanged, shorter] = apart("vllm", "ep8");
    const Colocated c = s.on(1, "ep8", 256);
    const LayerTimes t = layer_times(c, s.setting, s.moe(), micro_batches_of(c).large);
    REQUIRE(t.shared > Seconds(0));
    const double layers = real(s.shapes[s.moe()].layers);
    CHECK((exchanged - shorter).base() ==
          Approx(layers * std::min(t.shared, t.dispatch).base()).epsilon(1e-9));
    CHECK(stage_ops(c, s.setting, s.moe()).shared.time().base() == Approx(t.shared.base()));
    // A way through pipeline stages has hops, and waits where a stage is behind.
    const Colocated stages = s.on(2, "tp8,pp2", 64);
    const StepParts parts = step_parts(stages, s.setting);
    CHECK(parts.hops > Seconds(0));
    CHECK(evaluate(stages, s.setting).step >= parts.sum() * (1 - 1e-12));
  }

  TEST_CASE("what the explanation lists is what a layer takes, for every model") {
    for (const ModelSpec& model : load_models({"all"})) {
      Served s(model.name, "h200");
      s.setting.engine = load_engine("vllm");
      const Colocated c = s.on(8, has_experts(s.model) ? "ep64" : "tp8", 512);
      if (!has_experts(s.model) && !undivided_heads(s.shapes, 8).empty()) continue;
      for (size_t kind = 0; kind < s.shapes.size(); ++kind) {
        const StageOps ops = stage_ops(c, s.setting, kind);
        const LayerTimes t = layer_times(c, s.setting, kind, micro_batches_of(c).large);
        CHECK_MESSAGE((ops.attention.time() + ops.shared.time() + ops.ffn.time()).base() ==
                          Approx((t.attention + t.shared + t.experts).base()).epsilon(1e-12),
                      model.name);
      }
    }
  }

  TEST_CASE("the largest batch fits in its micro-batches, and one request more does not") {
    const Served s("deepseek-v3", "h200");
    for (const std::string_view text : {"ep16", "tp8+ep16", "tp8,pp2", "ep8,pp2"}) {
      for (const int micro_batches : {1, 2, 3, 5}) {
        Colocated c = s.on(2, text, 16);
        c.micro_batches = micro_batches;
        const auto fits = [&](std::int64_t batch) {
          c.batch = batch;
          const MemoryUse use = colocated_memory(c, s.setting).use;
          return use.total() <= use.capacity;
        };
        const std::int64_t most = colocated_memory(c, s.setting).largest_batch;
        CAPTURE(text);
        CAPTURE(micro_batches);
        CHECK(most > 0);
        CHECK(most % c.replicas() == 0);
        CHECK(fits(most));
        CHECK_FALSE(fits(most + c.replicas()));
      }
    }
  }

  TEST_CASE("what is only held stands whole on a pipeline's fullest stage") {
    Served s("kimi-k2.5", "b300");  // its tower for pictures
    const auto weights_on = [&](std::string_view text) {
      return colocated_memory(s.on(2, text, 16), s.setting).use.weights;
    };
    const Bytes with = weights_on("tp8,pp2");
    s.model.held.push_back({.name = "tower", .params = 8e9, .weights = Dtype::bf16, .source = ""});
    CHECK((weights_on("tp8,pp2") - with) / GB == Approx(16.0 / 8));
  }

  TEST_CASE("a pipeline stage holds whole the sets of weights that its layers share") {
    Served s("llama-3.1-70b", "h200");
    const auto weights_on = [&](std::string_view text, std::int64_t sets) {
      s.model.ffns.front().weight_sets = sets;
      s.shapes = layer_shapes(s.model);
      return colocated_memory(s.on(2, text, 16), s.setting).use.weights;
    };
    const Bytes one = weights_on("tp8", 2) - weights_on("tp8", 1);
    CHECK((weights_on("tp8,pp2", 2) - weights_on("tp8,pp2", 1)).base() == Approx(one.base()));
    // A stage of 40 of the 80 layers cannot use more sets than these.
    CHECK(weights_on("tp8,pp2", 60).base() == Approx(weights_on("tp8,pp2", 40).base()));
    CHECK(weights_on("tp8,pp2", 0).base() == Approx(weights_on("tp8,pp2", 40).base()));
  }

  TEST_CASE("layers are what they are however many kinds they make") {
    for (const std::string_view text : {"ep16", "tp8,pp2"}) {
      Served s("deepseek-v3", "h200");
      const Evaluation few = s.run(2, text, 256);
      std::vector<LayerKind> kinds;  // 3 dense layers and 58 with experts, each a kind
      for (const LayerKind& kind : s.model.layer_kinds)
        kinds.insert(kinds.end(), static_cast<size_t>(kind.layers),
                     {.attention = kind.attention, .ffn = kind.ffn, .layers = 1});
      REQUIRE(kinds.size() == 61);
      s.model.layer_kinds = kinds;
      s.shapes = layer_shapes(s.model);
      const Evaluation many = s.run(2, text, 256);
      CHECK(many.runs.size() == 61);
      CHECK(many.step.base() == Approx(few.step.base()).epsilon(1e-9));
      CHECK(many.attention_memory.total().base() == Approx(few.attention_memory.total().base()));
      CHECK(many.largest_batch == few.largest_batch);
    }
  }

  TEST_CASE("a cache split by tokens: each accelerator holds and reads its share") {
    Served s("deepseek-v3", "h200");
    const auto memory = [&](std::string_view text) {
      return colocated_memory(s.on(1, text, 16), s.setting);
    };
    CHECK(memory("tp8,cp8").use.cache == memory("tp8").use.cache / 8);
    CHECK(memory("tp8,cp8").use.weights == memory("tp8").use.weights);
    CHECK(memory("tp8,cp8").largest_batch > 4 * memory("tp8").largest_batch);
    const auto core = [&](std::string_view text) {
      return operation(stage_ops(s.on(1, text, 16), s.setting, s.moe()).attention,
                       "core attention");
    };
    CHECK(core("tp8,cp8").cache.base() == Approx(core("tp8").cache.base() / 8));
    CHECK(core("tp8,cp8").flops.base() == Approx(core("tp8").flops.base()));
    s.setting.context = 131072;  // where reading outweighs the exchange of queries and results
    CHECK(s.run(1, "tp8,cp8", 16).tpot < s.run(1, "tp8", 16).tpot);
    s.setting.context = 1024;
    CHECK(s.run(1, "tp8,cp8", 1).tpot > s.run(1, "tp8", 1).tpot);
  }

  TEST_CASE("the KV of a request is on every accelerator of its replica, split by KV heads") {
    const Served s("qwen3-moe", "h200");  // 4 KV heads
    const auto cache = [&](std::string_view text, std::int64_t batch) {
      return s.run(1, text, batch).attention_memory.cache.base();
    };
    const double one = cache_of_request(s.setting).base();
    CHECK(cache("ep8", 8) == Approx(one));
    CHECK(cache("tp2+ep8", 8) == Approx(2 * one / 2));
    CHECK(cache("tp4+ep8", 8) == Approx(4 * one / 4));
    CHECK(cache("tp8+ep8", 8) == Approx(8 * one / 4));
    CHECK(cache("tp8", 1) == Approx(one / 4));
  }

  TEST_CASE(
      "TP attention beside EP experts: all tokens everywhere, one all-reduce of the results") {
    const Served s("deepseek-v3", "h200");
    const StageOps ops = stage_ops(s.on(1, "tp8+ep8", 64), s.setting, s.moe());
    const double vector = 64.0 * 7168 * 2;
    CHECK(operation(ops.attention, "all-reduce of o").moved.base() == Approx(2 * 7.0 / 8 * vector));
    CHECK(operation(ops.ffn, "all-reduce").moved.base() == Approx(2 * 7.0 / 8 * vector));
    // An eighth of the rows that the experts have in all, and whole experts.
    const StageOps wide = stage_ops(s.on(1, "ep8", 64), s.setting, s.moe());
    CHECK(operation(ops.ffn, "gate, up").flops.base() ==
          Approx(operation(wide.ffn, "gate, up").flops.base()));
    const StageTimes times = s.run(1, "tp8+ep8", 64).runs[s.moe()].stages;
    CHECK(times.a2f == Seconds(0));
    CHECK(times.f2a == Seconds(0));
  }

  TEST_CASE("DP attention with TP experts: tokens gathered, results scattered") {
    const Served s("deepseek-v3", "h200");
    const Engine e;
    const double fabric = e.scale_up * s.chip.scale_up_bandwidth.value.base();
    const auto time = [&](double bytes) {
      return 7.0 / 8 * bytes / fabric + e.collective / second;
    };
    const Evaluation done = s.run(1, "dp8+tp8", 64);
    for (size_t kind = 0; kind < done.runs.size(); ++kind) {  // dense layers gather too
      const StageTimes times = done.runs[kind].stages;
      const double out = dispatch_bytes(s.model, s.shapes[kind]).base();
      CHECK(times.a2f / second == Approx(time(64 * out)));
      CHECK(times.f2a / second == Approx(time(64 * 2.0 * 7168)));
    }
  }

  TEST_CASE("wide EP behind TP attention: each accelerator dispatches its share of the tokens") {
    const Served s("deepseek-v3", "h200");
    const auto out = [&](std::string_view text) {
      const Engine e;
      return (s.run(2, text, 512).runs[s.moe()].stages.a2f - e.network) / microsecond;
    };
    CHECK(out("tp8+ep16") == Approx(out("ep16")));
  }

  TEST_CASE("TP over two servers answers, and its collectives cost more than inside one") {
    const Served s("deepseek-v3", "h200");
    const auto of = [&](std::int64_t servers, std::string_view text) {
      return operation(stage_ops(s.on(servers, text, 8), s.setting, s.moe()).attention,
                       "all-reduce of o")
          .time;
    };
    CHECK(of(2, "tp16") > of(1, "tp8"));
    CHECK(s.run(2, "tp16", 8).attention_memory.weights <
          s.run(1, "tp8", 8).attention_memory.weights);
  }

  TEST_CASE("the busiest replica sets the pace, and uneven micro-batches count once") {
    const Served s("qwen3-8b", "a100");
    Colocated c{
        .pool = {&s.chip, 1, 4}, .batch = 28, .micro_batches = 2, .layout = expert_parallel(4)};
    const MicroBatches seven = micro_batches_of(c);
    CHECK(seven.requests == 7);
    CHECK(seven.count == 2);
    CHECK(seven.larger == 1);
    CHECK(seven.large.requests == 4);
    CHECK(seven.small.requests == 3);
    CHECK(seven.large.engine_requests == 16);
    // 4 + 3 lies halfway between 3 + 3 and 4 + 4.
    const auto step = [&](std::int64_t batch) {
      c.batch = batch;
      return evaluate(c, s.setting).step / microsecond;
    };
    CHECK(step(28) == Approx((step(24) + step(32)) / 2));
    const auto memory = [&](std::int64_t batch) {
      c.batch = batch;
      return evaluate(c, s.setting).attention_memory;
    };
    CHECK(memory(28).cache.base() == Approx(7 * cache_of_request(s.setting).base()));
    CHECK(memory(25).cache == memory(28).cache);  // one of four has seven
    CHECK(memory(28).total() < memory(32).total());
    c.batch = 1;  // fewer requests than micro-batches
    CHECK(micro_batches_of(c).count == 1);
    CHECK(micro_batches_of(c).large.engine_requests == 1);
  }

  TEST_CASE("two micro-batches where tokens cross the network, one elsewhere") {
    const Served s("deepseek-v3", "h200"), dense("qwen3-8b", "h200");
    CHECK(s.on(2, "ep16", 512).micro_batches == 2);
    CHECK(s.on(2, "tp8+ep16", 512).micro_batches == 2);
    CHECK(s.on(1, "ep8", 512).micro_batches == 1);
    CHECK(s.on(2, "tp16", 512).micro_batches == 1);
    CHECK(s.on(2, "dp16+tp16", 512).micro_batches == 1);
    CHECK(dense.on(2, "ep16", 512).micro_batches == 1);
  }

  // C01, C02: 16.4 GB of weights at the A100's 2.04 TB/s are 8 ms; read once.
  TEST_CASE("one GPU reads its weights once, and serves one request") {
    const Served s("qwen3-8b", "a100");
    Colocated c{.pool = {&s.chip, 1, 1}, .batch = 8};
    CHECK(default_micro_batches(c, s.model) == 1);
    const double eight = evaluate(c, s.setting).tpot / millisecond;
    CHECK(eight == Approx(10.4).epsilon(0.03));
    c.batch = 1;
    const double one = evaluate(c, s.setting).tpot / millisecond;
    CHECK(one > 8);
    CHECK(one < eight);
  }

  // C06: deepseek-ai/DeepSeek-R1#346 runs BF16 on 24 A800, with 49 to 57 GB of weights a card.
  TEST_CASE("pipeline stages share the layers: DeepSeek-V3 in BF16 on three servers of A800") {
    Served s("deepseek-v3", "a800");
    for (LayerShape& shape : s.shapes)
      shape.attention_weights = shape.ffn_weights = shape.shared_weights = Dtype::bf16;
    const Evaluation done = s.run(3, "tp8,pp3", 48);
    CHECK(done.attention_memory.weights > 49 * GB);
    CHECK(done.attention_memory.weights < 61 * GB);
    CHECK(done.attention_memory.total() < done.attention_memory.capacity);
    CHECK(evaluate(Colocated{.pool = {&s.chip, 3, 8}, .batch = 48, .layout = expert_parallel(24)},
                   s.setting)
              .verdict == Verdict::attention_memory);
    // 21 of the 61 layers, for the requests of all micro-batches; a TP8 engine has them all.
    const Evaluation whole = s.run(1, "tp8", 16);
    CHECK(done.attention_memory.cache / whole.attention_memory.cache == Approx(3 * 21.0 / 61));
  }

  TEST_CASE("a pipeline's first micro-batch has a request of every replica that has one") {
    const Served s("deepseek-v3", "h200");
    const auto first = [&](std::int64_t batch) {
      return micro_batches_of(s.on(2, "ep8,pp2", batch)).large.engine_requests;
    };
    CHECK(first(8) == 8);
    CHECK(first(9) == 8);  // 2 of one replica and 1 of seven, in two micro-batches
    CHECK(first(16) == 8);
    CHECK(first(17) == 9);
    CHECK(first(24) == 16);
    CHECK(first(32) == 16);
  }

  TEST_CASE("a pipelined step is a lap of one micro-batch, or all of them at the fullest stage") {
    const Served s("deepseek-v3", "h200");
    const auto step = [&](std::string_view layout, std::int64_t batch, int micro_batches) {
      Colocated c = s.on(2, layout, batch);
      c.micro_batches = micro_batches;
      return evaluate(c, s.setting);
    };
    const Evaluation alone = s.run(1, "tp8", 16);
    const Colocated two = s.on(2, "tp8,pp2", 32);
    CHECK(two.micro_batches == 2);
    const Seconds hop = hop_time(two, s.setting, micro_batches_of(two).large);
    CHECK(step("tp8,pp2", 16, 1).step / (alone.step + 2 * hop) == Approx(1));
    // The last stage has 30 of 61 layers and the head, the first 31.
    const double work = (alone.step - alone.head) / second, head = alone.head / second;
    const double fullest = std::max(work * 31 / 61, work * 30 / 61 + head);
    CHECK(step("tp8,pp2", 128, 8).step / second == Approx(8 * fullest));
  }

  TEST_CASE("time never falls when the batch grows, from one request on, in every shape") {
    const Served s("deepseek-v3", "h200");
    for (const std::string_view text : sixteen) {
      Seconds before;
      for (std::int64_t batch = 1; batch <= 600; batch += batch < 40 ? 1 : 37) {
        const Seconds step = s.run(2, text, batch).step;
        CHECK_MESSAGE(step.base() >= before.base() * (1 - 1e-12), text << " " << batch);
        before = step;
      }
    }
  }

  TEST_CASE("a pool at one batch after another says what it says at each alone") {
    for (const std::string_view layout : sixteen) {
      CAPTURE(layout);
      const Served s("deepseek-v3", "h800");
      Colocated c = s.on(2, layout, 1);
      ColocatedPool pool(c, s.setting);
      for (const int micro_batches : {2, 1, 3}) {
        pool.take_micro_batches(micro_batches);
        c.micro_batches = micro_batches;
        for (const std::int64_t batch : {4096, 1, 17, 300}) {
          c.batch = batch;
          const Evaluation kept = pool.at(batch), anew = evaluate(c, s.setting);
          CHECK(kept.step == anew.step);
          CHECK(kept.attention_memory.total() == anew.attention_memory.total());
          CHECK(kept.attention_memory.capacity == anew.attention_memory.capacity);
          CHECK(kept.largest_batch == anew.largest_batch);
          CHECK(kept.verdict == anew.verdict);
          CHECK(kept.batch == anew.batch);
        }
      }
    }
  }
}
