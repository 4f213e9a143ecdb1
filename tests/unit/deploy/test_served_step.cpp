#include <doctest/doctest.h>

#include <cmath>

#include "deploy/colocated.hpp"
#include "layer/launches.hpp"
#include "load/library.hpp"

using namespace afford;

namespace {

/// A model on a chip, ready to be stepped by an engine.
struct Bench {
  ModelSpec model;
  std::vector<LayerShape> shapes;
  HardwareSpec chip;

  Bench(const std::string& name, const std::string& on)
      : model(load_models({name}).front()),
        shapes(layer_shapes(model)),
        chip(load_hardware({on}).front()) {}

  /// One layout on as many chips, `requests` on each replica.
  [[nodiscard]] Evaluation step(const Layout& layout, std::int64_t requests,
                                const Engine& engine) const {
    const Setting setting{.model = &model, .shapes = &shapes, .context = 1000, .engine = engine};
    return evaluate(Colocated{.pool = {&chip, 1, layout.size()},
                              .batch = requests * layout.replicas(),
                              .layout = layout},
                    setting);
  }
};

/// Dispatch, routed experts and combine of the last layer of `model` with FP8 experts, `tokens` on
/// each of 8 H200.
Seconds experts_of(const std::string& model, std::int64_t tokens, const Engine& engine) {
  Bench bench(model, "h200");
  bench.model.precision.ffn_weights = bench.model.precision.ffn_compute = Dtype::fp8;
  bench.shapes = layer_shapes(bench.model);
  const Setting setting{
      .model = &bench.model, .shapes = &bench.shapes, .context = 512, .engine = engine};
  const Colocated c{.pool = {&bench.chip, 1, 8}, .batch = 8 * tokens, .layout = expert_parallel(8)};
  const LayerTimes t = layer_times(c, setting, bench.shapes.size() - 1, micro_batches_of(c).large);
  return t.dispatch + t.experts + t.combine;
}

Engine engine_called(const std::string& name) { return load_engines({name}).front(); }

/// How much longer a step takes once the engine is `changed`.
template <class Change>
double added(const Bench& bench, const Layout& layout, const Change& change) {
  Engine engine = engine_called("vllm");
  const Seconds before = bench.step(layout, 8, engine).step;
  change(engine.time);
  return (bench.step(layout, 8, engine).step - before).base();
}

}  // namespace

TEST_SUITE("unit") {
  // DeepGEMM's pull request 383 and issue 352, us on 8 H200.
  TEST_CASE("experts as one kernel take what MegaMoE is published to take") {
    struct Published {
      std::string model;
      std::int64_t tokens;
      double us;
    };
    const Engine fused = engine_called("megamoe");
    for (const Published& p : {Published{"deepseek-v4-flash", 8, 225.0},
                               {"deepseek-v4-flash", 128, 265.1},
                               {"deepseek-v4-flash", 512, 413.4},
                               {"deepseek-v4-flash", 1024, 637.3},
                               {"deepseek-v4-flash", 8192, 3269},
                               {"deepseek-v3", 128, 490},
                               {"deepseek-v3", 1024, 1222},
                               {"deepseek-v3", 8192, 7492}}) {
      CAPTURE(p.model);
      CAPTURE(p.tokens);
      const Seconds time = experts_of(p.model, p.tokens, fused);
      CHECK(time / microsecond == doctest::Approx(p.us).epsilon(0.18));
    }
  }

  // Llama 3.1 8B in BF16 on one H100: 32 layers of 4096 x 6144 + 4096 x 4096 + 3 x 4096 x 14336
  // weights; 8 KV heads of 128, keys and values.
  TEST_CASE(
      "a step of one GPU is its weights, its cache, its launches and the time between steps") {
    const Bench bench("llama-3.1-8b", "h100");
    const Evaluation step = bench.step({}, 4, engine_called("vllm"));
    const double read = 0.90 * 3.35e12;
    const double weights = 2 * 32 * (4096.0 * 6144 + 4096.0 * 4096 + 3 * 4096.0 * 14336) / read;
    const double core = 1.2 * 32 * 4 * 1000 * 2 * 8 * 128 * 2 / (0.92 * 3.35e12);
    const double launches = 32 * (7 + 2) * 3.5e-6, between = 450e-6 + 4 * 8e-6;
    const double parts = weights + core + launches + between + step.head.base();
    // What norms and activations move through L2 is small.
    CHECK(step.step.base() > parts);
    CHECK(step.step.base() < 1.01 * parts);
  }

  TEST_CASE("tensor parallelism reduces twice a layer, at the engine's latency and rate") {
    const Bench bench("qwen3-moe", "h200");
    const double vectors = 8 * 4096 * 2.0;  // 8 requests of 4096 values in BF16
    CHECK(added(bench, tensor_parallel(4), [](EngineTime& t) { t.all_reduce_latency += 1; }) ==
          doctest::Approx(94 * 2 * 8e-6));
    CHECK(added(bench, tensor_parallel(4), [](EngineTime& t) { t.all_reduce_rate += 1; }) ==
          doctest::Approx(94 * 2 * 1.5 * vectors / (0.65 * 450e9)));
    CHECK(added(bench, expert_parallel(4), [](EngineTime& t) { t.all_reduce_rate += 1; }) == 0);
  }

  TEST_CASE("data parallelism exchanges with the experts: a latency a doubling, two ways") {
    const Bench bench("qwen3-moe", "h200");
    const auto later = [](EngineTime& t) { t.exchange_latency += Seconds(1e-6); };
    CHECK(added(bench, expert_parallel(8), later) == doctest::Approx(94 * 3e-6));
    CHECK(added(bench, tensor_parallel(8), later) == 0);
    CHECK(added(bench, {.attention_tp = 8, .expert_ep = 8}, later) == 0);  // all-reduces do it
  }

  TEST_CASE("an engine launches what a layer's blocks need") {
    const auto kernels = [](const std::string& name, const std::string& engine_name,
                            const std::string& chip_name = "h100") {
      const ModelSpec model = load_models({name}).front();
      const LayerShape shape = layer_shapes(model).back();
      const Engine engine = engine_called(engine_name);
      const LaunchedKernels& counts = engine.time.kernels;
      const HardwareSpec chip = load_hardware({chip_name}).front();
      const Machine machine(chip, engine);
      return attention_launches(shape, shape.ffn.router_outputs > 0, counts) +
             ffn_launches(shape, machine) + shared_launches(shape, counts);
    };
    // FP8 throughout: GQA 7 + 2, MoE 13 + 2.
    CHECK(kernels("qwen3-moe", "vllm") == 24);
    // BF16 attention and MXFP4 experts in BF16: nothing to quantise. vLLM's Triton kernels on
    // Hopper sort, gather and activate themselves.
    CHECK(kernels("gpt-oss-120b", "sglang") == 20);
    CHECK(kernels("gpt-oss-120b", "vllm") == 15);
    CHECK(kernels("gpt-oss-120b", "vllm", "b200") == 20);
    // MLA 12 + 4, MoE 13 + 2, shared 2; TensorRT-LLM's FP8 MLA has 20 more.
    CHECK(kernels("deepseek-v3", "sglang") == 33);
    CHECK(kernels("deepseek-v3", "tensorrt-llm") == 53);
  }

  TEST_CASE("4-bit experts cost more where they are widened to BF16") {
    const auto widen = [](EngineTime& t) {
      t.narrow = {2 * t.narrow.hopper, 2 * t.narrow.blackwell};
    };
    CHECK(added(Bench("gpt-oss-120b", "h200"), {}, widen) > 0);
    CHECK(added(Bench("gpt-oss-120b", "b200"), {}, widen) == 0);  // takes MXFP4 as it is
  }

  TEST_CASE("an engine's launches come on top of measured kernels, whose starts they replace") {
    const Bench bench("llama-3.1-8b", "h200");
    CHECK(bench.step({}, 4, engine_called("ideal")).step <
          bench.step({}, 4, engine_called("vllm")).step);
  }
}
