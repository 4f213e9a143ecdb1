#include <doctest/doctest.h>

#include <cmath>

#include "calibration/chip_timing.hpp"
#include "calibration_support.hpp"
#include "deploy/prompts.hpp"
#include "kernels/prefill_core.hpp"
#include "load/library.hpp"

using namespace afford;

namespace {

const PromptRates rates{.dense = 0.5, .experts = 0.25, .outside_graphs = 80 * microsecond};

/// A model under an engine of those rates.
struct Asked {
  ModelSpec model;
  std::vector<LayerShape> shapes;
  Setting setting;

  explicit Asked(ModelSpec of, const PromptRates& with = rates)
      : model(std::move(of)), shapes(layer_shapes(model)) {
    setting.model = &model;
    setting.shapes = &shapes;
    setting.engine.time.prompts = with;
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
};

Seconds prompt_time(const ModelSpec& model, const HardwareSpec& chip, const PromptLoad& load,
                    const PromptRates& with) {
  const Asked asked(model, with);
  return prompt_time(asked.setting, chip, load);
}
PromptTime prompt_parts(const ModelSpec& model, const HardwareSpec& chip, const PromptLoad& load,
                        const PromptRates& with) {
  const Asked asked(model, with);
  return prompt_parts(asked.setting, chip, load);
}

ModelSpec model_called(const std::string& name) { return load_models({name}).front(); }
HardwareSpec chip_called(const std::string& name) { return load_hardware({name}).front(); }

}  // namespace

TEST_SUITE("unit") {
  // Llama 3.1 70B in BF16: 80 layers of 2 x 8192 x (8192 + 1024) + 3 x 8192 x 28672 weights, 64 x
  // 128 query dimensions; worked out by hand.
  TEST_CASE("a prompt takes its GEMMs, its triangle of attention, its all-reduces and its passes") {
    const PromptLoad load{.requests = 2, .prompt = 4096, .output = 100, .gpus = 4, .tensor = 4};
    const HardwareSpec h200 = chip_called("h200");
    const double weights = 80 * (2 * 8192.0 * 9216 + 3 * 8192.0 * 28672);
    const double products = 2 * weights * 4096 / (4 * 0.5 * 989e12);
    const double core = 80 * (4 * 64 * 128.0) * (4096.0 * 4096 / 2) / (4 * 0.5 * 989e12);
    const double reduced = 2 * 80 * (2 * 3.0 / 4) * 4096 * 8192 * 2 / (0.75 * 450e9);
    const double passed = 80 * 4096.0 * 20 * 8192 * 2 / 4.8e12;
    CHECK(prompt_time(model_called("llama-3.1-70b"), h200, load, rates).base() ==
          doctest::Approx(products + core + reduced + passed));
  }

  // On average half of a step is under way when a request comes, and its prompt joins the next one.
  TEST_CASE("around a prompt pass one and a half steps, the launches, and what the engine takes") {
    const ModelSpec model = model_called("llama-3.1-70b");
    Setting setting;
    setting.model = &model;
    setting.engine.time.prompts.outside_graphs = 80 * microsecond;
    CHECK(around_prompt(setting, 10 * millisecond) / millisecond ==
          doctest::Approx(15 + 80 * 0.08));
    setting.engine.time.prompts.first_token = 6;
    CHECK(around_prompt(setting, 10 * millisecond) / millisecond == doctest::Approx(75 + 6.4));
  }

  TEST_CASE("prompts come in as fast as the other requests end") {
    const ModelSpec model = model_called("llama-3.1-70b");
    const HardwareSpec h200 = chip_called("h200");
    PromptLoad load{.requests = 51, .prompt = 1024, .output = 100, .gpus = 8, .tensor = 8};
    const Seconds prompt = prompt_time(model, h200, load, rates);
    const double joined = 1 - std::exp(-0.5);
    CHECK(joining(load) == doctest::Approx(0.5));
    CHECK(interruption(joining(load), prompt, Seconds(80 * 80e-6)).base() ==
          doctest::Approx(0.5 * prompt.base() + joined * 80 * 80e-6));
    load.requests = 1;  // nobody else
    CHECK(interruption(joining(load), prompt, Seconds(1)) == Seconds(0));
  }

  TEST_CASE("a prompt expands latent attention, and experts have a share of their own") {
    const HardwareSpec h200 = chip_called("h200");
    const ModelSpec model = model_called("deepseek-v3");
    const PromptLoad shorter{
        .requests = 2, .prompt = 1e4, .output = 1, .gpus = 8, .tensor = 1, .expert_groups = 8};
    PromptLoad longer = shorter;
    longer.prompt = 2e4;
    // What grows with the square of a prompt: 128 heads of 192 + 128 dimensions, 61 layers.
    const double square =
        (prompt_time(model, h200, longer, rates) - 2 * prompt_time(model, h200, shorter, rates))
            .base();
    CHECK(square == doctest::Approx(61 * 2 * 128 * 320.0 * 1e8 / (8 * 0.5 * 989e12)));
    PromptRates faster = rates;
    faster.experts = 0.5;
    faster.dense = 0.01;
    CHECK(prompt_time(model, h200, shorter, faster) < prompt_time(model, h200, shorter, rates));
  }

  TEST_CASE("attention of a prompt takes its kernel's curve where that was measured") {
    const HardwareSpec bare = chip_called("h200");
    HardwareSpec h200 = bare;
    const Calibration known = test::known_calibration();
    h200.measured = chip_timing(test::measured_on(bare, known), h200);
    const OperationCurve& curve =
        test::curve_of(known, OperationClass::gqa_prefill, OperandPrecision::bf16);
    const ModelSpec model = model_called("llama-3.1-70b");
    const PromptLoad load{
        .requests = 2, .prompt = 3000, .output = 1, .cached = 1000, .gpus = 8, .tensor = 4};
    // 64 / 4 heads of 128 + 128 on each accelerator, 8 / 4 KV heads.
    const PrefillCore core{.heads = 16,
                           .tokens = 3000,
                           .prefix = 1000,
                           .flops_a_pair = 2 * 256,
                           .bytes = 2 * 256 * (16 * 3000.0 + 2 * 4000.0)};
    const OperationRoofs roofs{known.read.rate.base(), known.bf16.rate.base()};
    const double one = operation_seconds(curve, work_of(core, 132), roofs);
    const PromptTime time = prompt_parts(model, h200, load, rates);
    const double start = curve.start.base();  // its launches are counted apart
    CHECK(time.core.base() == doctest::Approx(80 / 2.0 * (one - start)));
    CHECK(time.core_measured.margin.base() == doctest::Approx(curve.error.p90 * time.core.base()));
    CHECK(time.core_measured.time == time.core);
    CHECK_FALSE(time.core_measured.beyond);
    PromptRates alone = rates;
    alone.outside_graphs = Seconds(0);
    CHECK(prompt_parts(model, h200, load, alone).core.base() == doctest::Approx(80 / 2.0 * one));
    const PromptTime without = prompt_parts(model, bare, load, rates);
    CHECK(without.core_measured.time == Seconds(0));
    CHECK(without.core_measured.margin == Seconds(0));
  }

  TEST_CASE("kinds of attention take the prefill kernel that comes nearest, others a share") {
    CHECK(prefill_class(Mfa{.query_heads = 64, .head_dim = 256}) == OperationClass::mfa_prefill);
    CHECK(prefill_class(Gqa{.query_heads = 64, .kv_heads = 4, .head_dim = 128}) ==
          OperationClass::gqa_prefill);
    CHECK(prefill_class(Gqa{.query_heads = 16, .kv_heads = 8, .head_dim = 256}) ==
          OperationClass::mfa_prefill);
    CHECK(prefill_class(Mla{.query_heads = 128}) == OperationClass::mla_prefill);
    CHECK(prefill_class(Dsa{}) == OperationClass::none);
    CHECK(prefill_class(CompressedMqa{}) == OperationClass::none);
  }

  TEST_CASE("a window lets a measured prompt grow with its length alone") {
    HardwareSpec h200 = chip_called("h200");
    h200.measured = chip_timing(test::measured_on(h200, test::known_calibration()), h200);
    const Gqa window{
        .query_heads = 64, .kv_heads = 8, .head_dim = 128, .reach = {Reach::Kind::sliding, 1024}};
    const AttentionCount count = count_attention(window, 8192, Convention::exact);
    const auto time = [&](double tokens) {
      return measured_prefill(window, count, {.tokens = tokens, .cached = 4096, .launched = true},
                              h200)
          .time.base();
    };
    CHECK(time(32768) == doctest::Approx(2 * time(16384)).epsilon(0.01));
    const Gqa full{.query_heads = 64, .kv_heads = 8, .head_dim = 128};
    CHECK(measured_prefill(full, count_attention(full, 8192, Convention::exact),
                           {.tokens = 16384, .cached = 4096, .launched = true}, h200)
              .time.base() > 5 * time(16384));
  }

  TEST_CASE("a chip with less compute an SM lets a prompt reach more of its peak") {
    const ModelSpec model = model_called("llama-3.1-70b");
    const PromptLoad load{.requests = 2, .prompt = 1000, .output = 1, .gpus = 1, .tensor = 1};
    const HardwareSpec h20 = chip_called("h20"), h200 = chip_called("h200");
    const auto reached = [&](const HardwareSpec& chip, double peak) {
      return 2 * 80 * (2 * 8192.0 * 9216 + 3 * 8192.0 * 28672) * 1000 / peak /
             prompt_parts(model, chip, load, rates).products.base();
    };
    CHECK(reached(h200, 989e12) == doctest::Approx(0.5));
    const double an_sm = (148e12 / 78) / (989e12 / 132);  // H20 over H800
    CHECK(reached(h20, 148e12) == doctest::Approx(1 / (1 + an_sm)));
  }

  TEST_CASE("replicas of the attention pass and reduce their own prompts alone") {
    const ModelSpec model = model_called("llama-3.1-70b");
    const HardwareSpec h200 = chip_called("h200");
    PromptLoad load{.requests = 2, .prompt = 1000, .output = 1, .gpus = 2, .tensor = 2};
    const PromptTime one = prompt_parts(model, h200, load, rates);
    load.gpus = 8;
    const PromptTime four = prompt_parts(model, h200, load, rates);
    CHECK(four.passes.base() == doctest::Approx(one.passes.base() / 4));
    CHECK(four.all_reduce.base() == doctest::Approx(one.all_reduce.base() / 4));
    CHECK(four.products.base() == doctest::Approx(one.products.base() / 4));
  }

  TEST_CASE("FP4 prompts run one and a half times as fast as FP8 ones, not twice") {
    ModelSpec model = model_called("deepseek-v3");
    const HardwareSpec b200 = chip_called("b200");
    const PromptLoad load{.requests = 2, .prompt = 1, .output = 1, .gpus = 1, .tensor = 1};
    const auto products = [&](Dtype compute) {
      model.precision.ffn_compute = compute;
      const PromptRates all{.dense = 1, .experts = 1e-6};  // so slow that only they count
      return prompt_time(model, b200, load, all).base();
    };
    CHECK(products(Dtype::fp8) / products(Dtype::fp4) == doctest::Approx(1.5).epsilon(1e-4));
    CHECK(products(Dtype::bf16) / products(Dtype::fp8) == doctest::Approx(2).epsilon(1e-4));
  }
}
