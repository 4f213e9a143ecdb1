// The FFN side of a layer, and what travels to it and back.
#include <doctest/doctest.h>

#include "layer/ffn_side.hpp"
#include "layer/head.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;
using doctest::Approx;
using test::operation;

namespace {

OpList ops(const ModelSpec& model, FfnWork work) {
  const HardwareSpec chip = load_hardware({"h200"}).front();
  const Engine engine;
  const Routing routing;
  work.routing = &routing;
  return ffn_ops(model, layer_shapes(model).back(), work, Machine(chip, engine));
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE(
      "plans of FFN, MLPs and head at one number of tokens after another: the operations' times") {
    std::vector<HardwareSpec> chips = load_hardware({"h200", "a800"});
    attach_calibrations(pointers_to(chips), "");
    const Routing routing = zipf_routing(std::int64_t{256}, 0.4), even;
    for (const Engine& engine : load_engines({"ideal", "vllm"})) {
      for (const HardwareSpec& chip : chips) {
        const Machine machine(chip, engine);
        for (const ModelSpec& model : load_models({"all"})) {
          CAPTURE(model.name);
          HeadPlan head(model, 8);
          for (const double tokens : {1.0, 100.0, 101.0, 5000.0})
            CHECK(head.time(tokens, machine) == head_ops(model, tokens, 8, machine).time());
          for (const LayerShape& shape : layer_shapes(model)) {
            FfnWork work{.instance = 8,
                         .tensor = 8,
                         .routing = shape.ffn.router_outputs == 256 ? &routing : &even,
                         .router = shape.ffn.router_outputs > 0};
            FfnPlan plan(model, shape, work);
            MlpsWork alone{.tensor = 2};
            MlpsPlan shared(model, shape, alone);
            for (const double tokens : {1.0, 100.0, 101.5, 5000.0}) {
              work.tokens = alone.tokens = tokens;
              CHECK(plan.time(tokens, machine) == ffn_ops(model, shape, work, machine).time());
              CHECK(shared.time(tokens, machine) == mlp_ops(model, shape, alone, machine).time());
            }
          }
        }
      }
    }
  }

  TEST_CASE("latent experts: two matrices between the hidden state and the latent, sharded") {
    const ModelSpec k3 = load_models({"kimi-k3"}).front();
    const double weights = 2 * 7168.0 * 3584;
    const Op latent =
        operation(ops(k3, {.tokens = 100, .instance = 8, .tensor = 8}), "latent in, out");
    CHECK(latent.kernels == 2);
    CHECK(latent.weights == size_of(layer_shapes(k3).back().ffn_weights, weights / 8));
    CHECK(latent.flops.base() == Approx(2 * 100 * weights / 8));
    // The experts between them work on the latent.
    const Op up = operation(ops(k3, {.tokens = 1e6}), "gate, up");
    const double routed = 896 * 2 * 3584.0 * 3072, shared = 2 * 2 * 7168.0 * 3072;
    CHECK(up.weights.base() ==
          Approx(size_of(layer_shapes(k3).back().ffn_weights, routed).base() +
                 size_of(layer_shapes(k3).back().shared_weights, shared).base()));
  }

  TEST_CASE("gather and scatter: tokens with work in the group, from the other accelerators") {
    const ModelSpec step = load_models({"step-3"}).front();
    const FfnWork one{.tokens = 1000, .instance = 8, .tensor = 8};
    CHECK(operation(ops(step, one), "all-gather").moved.base() ==
          Approx(1000 * 7 / 8.0 * (7168 + 7168 / 128 * 4 + 3 * 8)));
    CHECK(operation(ops(step, one), "reduce-scatter").moved.base() ==
          Approx(1000 * 7 / 8.0 * 7168 * 2));
    // Two groups: a token has nothing here if all 3 of its experts and its shared turn are there.
    FfnWork two = one;
    two.groups = 2;
    const double missed = 24 / 48.0 * 23 / 47 * 22 / 46 / 2;
    CHECK(operation(ops(step, two), "reduce-scatter").moved.base() ==
          Approx((1 - missed) * 1000 * 7 / 8.0 * 7168 * 2));
  }

  TEST_CASE("on the wire: FP8 with a scale for 128, ids and weights of experts; BF16 back") {
    const ModelSpec v3 = load_models({"deepseek-v3"}).front();
    CHECK(dispatch_bytes(v3, layer_shapes(v3).back()).base() == 7168 + 56 * 4 + 8 * 8);
    CHECK(dispatch_bytes(v3, layer_shapes(v3).front()).base() == 7168 + 56 * 4);  // dense
    CHECK(combine_bytes(v3).base() == 2 * 7168);
  }
}
