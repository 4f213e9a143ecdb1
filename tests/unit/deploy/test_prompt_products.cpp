#include <doctest/doctest.h>

#include "calibration/chip_timing.hpp"
#include "calibration_support.hpp"
#include "deploy/prompt_products.hpp"
#include "kernels/mlp.hpp"
#include "load/library.hpp"

using namespace afford;

namespace {

struct Case {
  ModelSpec model;
  std::vector<LayerShape> shapes;
  HardwareSpec bare = load_hardware({"h200"}).front(), chip = bare;
  Setting setting;

  explicit Case(const char* name, const char* engine = "ideal")
      : model(load_models({name}).front()), shapes(layer_shapes(model)) {
    chip.measured = chip_timing(test::measured_on(bare, test::known_calibration()), bare);
    setting.model = &model;
    setting.shapes = &shapes;
    setting.engine = load_engines({engine}).front();
  }
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;
};

DenseProduct product(double rows, double inputs, double outputs, Dtype format) {
  return {.name = "product",
          .rows = rows,
          .inputs = inputs,
          .outputs = outputs,
          .weights = format,
          .compute = format,
          .activations = size_of(format, rows * inputs) + size_of(between_kernels, rows * outputs)};
}

}  // namespace

TEST_SUITE("unit") {
  // Llama 3.1 70B in BF16, TP4: q k v of 64 and twice 8 heads of 128, o, gate and up, down.
  TEST_CASE("a dense model's prompt takes its four products on the dense curve") {
    const Case c("llama-3.1-70b");
    const Machine machine(c.chip, c.setting.engine);
    const double rows = 4096;
    const Dtype bf16 = Dtype::bf16;
    Seconds layer;
    for (const DenseProduct& each :
         {product(rows, 8192, 10240 / 4.0, bf16), product(rows, 8192, 8192 / 4.0, bf16),
          product(rows, 8192, 2 * 28672 / 4.0, bf16), product(rows, 28672 / 4.0, 8192, bf16)})
      layer += dense(each, machine).time;
    const PromptTime time = prompt_parts(
        c.setting, c.chip, {.prompt = rows, .gpus = 4, .tensor = 4, .expert_tensor = 4});
    CHECK(time.products.base() == doctest::Approx(80 * layer.base()).epsilon(1e-3));
    CHECK(time.products_measured.time == time.products);
    const double p90 =
        test::curve_of(test::known_calibration(), OperationClass::dense, OperandPrecision::bf16)
            .error.p90;
    CHECK(time.products_measured.margin.base() == doctest::Approx(p90 * time.products.base()));
  }

  TEST_CASE("experts take the grouped curve at the tokens that all replicas bring each of them") {
    const Case c("deepseek-v3");
    const Machine machine(c.chip, c.setting.engine);
    const double prompt = 2048;
    PromptLoad load{.prompt = prompt, .gpus = 8, .tensor = 1, .expert_groups = 8};
    // 32 experts an accelerator, each with the share of eight prompts that visits it.
    const MlpWork experts{.groups = {MlpGroup{.rows = prompt * 8 * 8 / 8,
                                              .mlps = 32,
                                              .intermediate = 2048,
                                              .inputs = 7168,
                                              .format = Dtype::fp8}},
                          .grouped = true,
                          .compute = Dtype::fp8};
    const Seconds layer = mlp_up(experts, machine).time + mlp_down(experts, machine).time;
    const PromptProducts all = measured_products(c.setting, c.chip, load);
    ModelSpec fewer = c.model;
    std::vector<LayerShape> shapes = c.shapes;
    for (LayerShape& shape : shapes) {
      for (Mlp& mlp : shape.ffn.mlps) {
        if (mlp.role == MlpRole::routed) mlp.intermediate *= 2;
      }
    }
    Setting wider = c.setting;
    wider.shapes = &shapes;
    MlpWork twice = experts;
    twice.groups[0].intermediate *= 2;
    const Seconds more = mlp_up(twice, machine).time + mlp_down(twice, machine).time - layer;
    CHECK((measured_products(wider, c.chip, load).time - all.time).base() ==
          doctest::Approx(58 / 8.0 * more.base()).epsilon(0.01));
    CHECK(all.measured.time == all.time);
  }

  TEST_CASE("an engine that was fitted to served points keeps its own share of the peak") {
    const PromptLoad load{.prompt = 4096, .gpus = 8, .tensor = 8, .expert_tensor = 8};
    const Case vllm("llama-3.1-70b", "vllm"), own("llama-3.1-70b", "afford");
    CHECK_FALSE(products_on_curves(vllm.setting, vllm.chip));
    CHECK(products_on_curves(own.setting, own.chip));
    CHECK_FALSE(products_on_curves(own.setting, own.bare));
    const PromptTime served = prompt_parts(vllm.setting, vllm.chip, load);
    CHECK(served.products == prompt_parts(vllm.setting, vllm.bare, load).products);
    CHECK(served.products_measured.time == Seconds(0));
    CHECK(prompt_parts(own.setting, own.chip, load).products <
          prompt_parts(own.setting, own.bare, load).products);
  }

  TEST_CASE("beyond the sizes measured the last fraction holds, and it is said") {
    const Case c("llama-3.1-70b");
    const auto at = [&](double rows) {
      return measured_product(product(rows, 8192, 8192, Dtype::bf16), c.setting, c.chip);
    };
    const PromptProducts within = at(1024), far = at(1 << 20), farther = at(1 << 21);
    CHECK_FALSE(within.measured.beyond);
    CHECK(far.measured.beyond);
    CHECK(farther.time / far.time == doctest::Approx(2).epsilon(0.01));
  }

  TEST_CASE("beyond its own sizes a chip takes the curve of its lender, where that was measured") {
    Case c("llama-3.1-70b");
    Calibration larger = test::known_calibration();
    for (OperationCurve& curve : larger.curves) {
      if (curve.operation != OperationClass::dense) continue;
      curve.compute.most = 1e7;
      for (double& fraction : curve.compute.fraction) fraction *= 0.5;
    }
    const auto lender = chip_timing(test::measured_on(c.bare, larger), c.bare);
    c.chip.measured =
        chip_timing(test::measured_on(c.bare, test::known_calibration()), c.bare, true, lender);
    Case alone("llama-3.1-70b");
    const auto at = [](const Case& with, double rows) {
      return measured_product(product(rows, 8192, 8192, Dtype::bf16), with.setting, with.chip);
    };
    CHECK(at(c, 1024).time == at(alone, 1024).time);
    CHECK(at(c, 1 << 20).time / at(alone, 1 << 20).time == doctest::Approx(2).epsilon(0.02));
    CHECK_FALSE(at(c, 1 << 20).measured.beyond);
  }

  TEST_CASE("latents of the cached tokens are expanded for each head once more") {
    const Case c("deepseek-v3");
    PromptLoad load{.prompt = 1024, .gpus = 8, .tensor = 8, .expert_tensor = 8};
    load.cached = 8192;
    const Seconds with = prompt_parts(c.setting, c.bare, load).core;
    // Pairs of 128 heads of 192 + 128, then 61 matrices of 512 x 128 x 256.
    const double pairs = 61 * 2 * 128 * 320.0 * (1024 * 8192 + 1024 * 512.0);
    const double expanded = 61 * 2 * 512.0 * 128 * 256 * 8192;
    const double core =
        pairs / (8 * 0.5 * 989e12) + expanded / (8 * reached_by_products(c.setting, c.bare).base());
    CHECK(with.base() == doctest::Approx(core).epsilon(1e-3));
    CHECK(prompt_parts(c.setting, c.chip, load).core_measured.time ==
          prompt_parts(c.setting, c.chip, load).core);
  }

  TEST_CASE("a prompt's interval: curves by their errors, the rest by first tokens or a factor") {
    PromptTime time{.products = Seconds(0.4), .core = Seconds(0.2), .passes = Seconds(0.1)};
    time.core_measured = {Seconds(0.2), Seconds(0.02)};
    PromptRates rates;
    const TimeInterval guessed = prompt_interval(time, Seconds(0.1), rates);
    CHECK(guessed.low.base() == doctest::Approx(0.18 + 0.6 / 1.7));
    CHECK(guessed.high.base() == doctest::Approx(0.22 + 0.6 * 1.7));
    rates.spread = {.between = 0.1, .within = 0.1};
    const TimeInterval served = prompt_interval(time, Seconds(0.1), rates);
    const TimeInterval rest = *first_token_interval(Seconds(0.6), rates);
    CHECK(served.low.base() == doctest::Approx(0.18 + rest.low.base()));
    CHECK(served.high.base() == doctest::Approx(0.22 + rest.high.base()));
  }
}
