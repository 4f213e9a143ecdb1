#include <doctest/doctest.h>

#include <cmath>

#include "deploy/worker.hpp"
#include "load/library.hpp"

using namespace afford;

namespace {

/// A model on a chip, ready to be stepped.
struct Bench {
  ModelSpec model;
  std::vector<LayerShape> shapes;
  HardwareSpec chip;
  Routing routing;
  Placement placement;

  Bench(const std::string& name, const std::string& on)
      : model(load_models({name}).front()),
        shapes(layer_shapes(model)),
        chip(load_hardware({on}).front()) {}

  [[nodiscard]] WorkerSetting setting(double context) const {
    return {.model = &model,
            .shapes = &shapes,
            .chip = &chip,
            .context = context,
            .routing = &routing,
            .placement = &placement};
  }
};

Engine engine_called(const std::string& name) { return load_engines({name}).front(); }

}  // namespace

TEST_SUITE("unit") {
  // Llama 3.1 8B in BF16 on one H100: 32 layers of 4096 x 6144 + 4096 x 4096 + 3 x 4096 x 14336
  // weights; 8 KV heads of 128, keys and values.
  TEST_CASE(
      "a step of one GPU is its weights, its cache, its launches and the time between steps") {
    const Bench bench("llama-3.1-8b", "h100");
    const Engine vllm = engine_called("vllm");
    const WorkerStep step = worker_step({.requests = 4}, bench.setting(1000), vllm);
    const double read = 0.90 * 3.35e12;
    const double weights = 32 * (4096.0 * 6144 + 4096.0 * 4096 + 3 * 4096.0 * 14336);
    CHECK(step.products.base() == doctest::Approx(2 * weights / read));
    CHECK(step.core.base() ==
          doctest::Approx(1.2 * 32 * 4 * 1000 * 2 * 8 * 128 * 2 / (0.92 * 3.35e12)));
    CHECK(step.launches.base() == doctest::Approx(32 * (7 + 2) * 3.5e-6));
    CHECK(step.between.base() == doctest::Approx(450e-6 + 4 * 8e-6));
    CHECK(step.experts == Seconds(0));
    CHECK(step.collectives == Seconds(0));
    CHECK(step.total().base() ==
          doctest::Approx(
              (step.products + step.core + step.launches + step.head + step.between).base()));
  }

  TEST_CASE(
      "tensor parallelism reduces twice a layer, data parallelism exchanges once an MoE layer") {
    const Bench bench("qwen3-moe", "h200");
    Engine engine = engine_called("vllm");
    const double vectors = 8 * 4096 * 2.0;  // 8 requests of 4096 values in BF16
    const WorkerStep tensor = worker_step(
        {.gpus = 4, .tensor = 4, .expert_tensor = 4, .requests = 8}, bench.setting(1000), engine);
    CHECK(tensor.collectives.base() ==
          doctest::Approx(94 * 2 * (1.3 * 8e-6 + 1.2 * 1.5 * vectors / (0.65 * 450e9))));
    const WorkerStep spread = worker_step(
        {.gpus = 8, .tensor = 1, .expert_groups = 8, .requests = 8}, bench.setting(1000), engine);
    CHECK(spread.collectives.base() ==
          doctest::Approx(94 * (3 * 12e-6 + 1.5 * 8 * (7.0 / 8) * vectors / (0.49 * 450e9))));
  }

  TEST_CASE("an engine launches what a layer's blocks need") {
    const auto kernels = [](const std::string& name, const std::string& engine) {
      const ModelSpec model = load_models({name}).front();
      return launched_kernels(layer_shapes(model).back(), model.precision,
                              engine_called(engine).time);
    };
    // FP8 throughout: GQA 7 + 2, MoE 13 + 2.
    CHECK(kernels("qwen3-moe", "vllm") == 24);
    // BF16 attention and MXFP4 experts in BF16: nothing to quantise.
    CHECK(kernels("gpt-oss-120b", "vllm") == 20);
    // MLA 12 + 4, MoE 13 + 2, shared 2; TensorRT-LLM's FP8 MLA has 20 more.
    CHECK(kernels("deepseek-v3", "sglang") == 33);
    CHECK(kernels("deepseek-v3", "tensorrt-llm") == 53);
  }

  TEST_CASE("4-bit experts cost more where they are widened to BF16") {
    const Engine engine = engine_called("vllm");
    const auto experts = [&](const std::string& chip, double narrow) {
      const Bench bench("gpt-oss-120b", chip);
      Engine with = engine;
      with.time.narrow = {narrow, narrow};
      return worker_step({.requests = 8}, bench.setting(1000), with).experts;
    };
    CHECK(experts("h200", 2) == 2 * experts("h200", 1));
    CHECK(experts("b200", 2) == experts("b200", 1));  // takes MXFP4 as it is
  }

  TEST_CASE("a step of the ideal engine is its roofs and its wires") {
    const Bench bench("llama-3.1-8b", "h100");
    const WorkerStep ideal =
        worker_step({.requests = 4}, bench.setting(1000), engine_called("ideal"));
    CHECK(ideal.launches == Seconds(0));
    CHECK(ideal.between == Seconds(0));
    CHECK(ideal.total() <
          worker_step({.requests = 4}, bench.setting(1000), engine_called("vllm")).total());
  }
}
