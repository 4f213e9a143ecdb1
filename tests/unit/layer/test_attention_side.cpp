// The attention side of a layer, operation by operation.
#include <doctest/doctest.h>

#include "layer/attention_side.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;
using test::operation;

namespace {

struct SideFixture {
  explicit SideFixture(const char* name)
      : model(load_models({name}).front()), shapes(layer_shapes(model)) {}
  ModelSpec model;
  std::vector<LayerShape> shapes;
  HardwareSpec chip = load_hardware({"h200"}).front();
  Engine engine;
  [[nodiscard]] OpList ops(const AttentionWork& work) const {
    return attention_ops(model, shapes.back(), work, Machine(chip, engine));
  }
};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("kinds of layers one after another take what each takes by itself") {
    HardwareSpec chip = load_hardware({"h200"}).front();
    attach_calibrations({&chip}, "");
    for (const Engine& engine : load_engines({"ideal", "vllm"})) {
      const Machine machine(chip, engine);
      for (const ModelSpec& model : load_models({"all"})) {
        const std::vector<LayerShape> shapes = layer_shapes(model);
        for (const AttentionSplit split :
             {AttentionSplit::replicated, AttentionSplit::shared_output, AttentionSplit::tensor}) {
          const auto work_of = [&](const LayerShape& shape, double requests) {
            const bool routed = shape.ffn.router_outputs > 0;
            return AttentionWork{.requests = requests,
                                 .context = 5000,
                                 .instance = split == AttentionSplit::replicated ? 1 : 2,
                                 .split = split,
                                 .partial_results = routed ? 3.0 : 0.0,
                                 .router = routed};
          };
          AttentionPlan plan(model);
          for (const LayerShape& shape : shapes) plan.add(shape, work_of(shape, 0));
          for (const double requests : {1.0, 37.0, 38.0, 700.0, 64.0}) {
            KindTimes times(shapes.size());
            plan.times(requests, machine, times);
            for (size_t kind = 0; kind < shapes.size(); ++kind) {
              CAPTURE(model.name);
              CHECK(times[kind] ==
                    attention_ops(model, shapes[kind], work_of(shapes[kind], requests), machine)
                        .time());
            }
          }
        }
      }
    }
  }

  TEST_CASE("MLA's absorbed up-projection: both halves, in BF16, split by heads") {
    const SideFixture f("deepseek-v3");
    const double weights = 512.0 * 128 * (128 + 128);
    const Op whole = operation(f.ops({.requests = 64, .context = 4096}), "kv_up");
    CHECK(whole.kernels == 2);
    CHECK(whole.weights.base() == 2 * weights);
    CHECK(whole.flops.base() == 2 * weights * 64);
    const Op sharded = operation(
        f.ops({.requests = 64, .context = 4096, .instance = 8, .split = AttentionSplit::tensor}),
        "kv_up");
    CHECK(sharded.weights.base() == 2 * weights / 8);
    CHECK(sharded.flops.base() == 2 * weights * 64 / 8);
    // Of each head a query of 128 in, with rope's 64 and the latent's 512 to the core, the latent
    // back, 128 out.
    CHECK(whole.activations.base() == 2 * 64.0 * 128 * (128 + 576 + 512 + 128));
    CHECK(sharded.activations.base() == whole.activations.base() / 8);
  }

  TEST_CASE("the runtime of afford-calibrate launches what its attention side puts into a stream") {
    const auto kernels = [](const char* name) {
      SideFixture f(name);
      f.engine = load_engine("afford");
      const bool router = f.shapes.back().ffn.router_outputs > 0;
      const AttentionWork work{
          .requests = 64, .context = 4096, .partial_results = 1, .router = router};
      double count = 0;
      for (const Op& op : f.ops(work)) count += op.kernels;
      return count;
    };
    // calibrate/attention_side.cpp: norm, qkv, norm, q_up, rope, core, quantise, o, norm, router,
    // top-k; MLA two absorbed products more; without a compressed query two less.
    CHECK(kernels("step-3") == 11);
    CHECK(kernels("deepseek-v3") == 13);
    CHECK(kernels("qwen3-moe") == 9);
    CHECK(kernels("llama-3.1-70b") == 6);  // BF16: nothing is quantised; dense: nothing is routed
  }

  TEST_CASE("partial results: the combine reads one a FFN instance, the residual, and writes") {
    const SideFixture f("step-3");
    const auto bytes = [&](double partial) {
      const AttentionWork work{.requests = 10, .context = 1, .partial_results = partial};
      return operation(f.ops(work), "combine").activations.base();
    };
    CHECK(bytes(1) == 3 * 10.0 * 7168 * 2);
    CHECK(bytes(4) == 6 * 10.0 * 7168 * 2);
  }

  TEST_CASE("DeepSeek-V4: two output maps behind the core, both sharded over the instance") {
    const SideFixture f("deepseek-v4-flash");
    // 8 blocks of 8 heads x 512 onto 1024 each; from there to 4096. FP8.
    const double down = 4096.0 * 8 * 1024, up = 8 * 1024.0 * 4096, rows = 10;
    const AttentionWork work{
        .requests = rows, .context = 4096, .instance = 8, .split = AttentionSplit::shared_output};
    const OpList ops = f.ops(work);
    CHECK(operation(ops, "o_down").weights.base() == down / 8);
    CHECK(operation(ops, "o_up").weights.base() == up / 8);
    CHECK(operation(ops, "o_down").flops.base() == 2 * down / 8 * 8 * rows);
    // Quantised behind the core: 64 heads x 512 values, in BF16.
    CHECK(operation(ops, "quantise").activations.base() == 2 * rows * 64 * 512);
    // An accelerator's eighth of the first map reads one block, of the tokens of all eight.
    CHECK(operation(ops, "gather for o").moved.base() ==
          rows * 64 * 512 * 7 / 8 * bits_of(f.model.precision.linear_compute) / 8);
    CHECK(operation(ops, "return of o").moved.base() == rows * 4096 * 2 * 7 / 8);
  }

  TEST_CASE("tensor parallelism ends in an all-reduce of the hidden state") {
    const SideFixture f("qwen3-moe");
    const AttentionWork work{
        .requests = 40, .context = 4096, .instance = 8, .split = AttentionSplit::tensor};
    CHECK(operation(f.ops(work), "all-reduce of o").moved.base() == 2 * 7 / 8.0 * 40 * 4096 * 2);
  }
}
