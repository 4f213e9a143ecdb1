#include <doctest/doctest.h>

#include <numeric>

#include "deploy/simulate.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"

using namespace afford;

namespace {

/// A model on 2A2F of H800 or, co-located, on one server, at 4096 tokens.
struct SimulateFixture {
  explicit SimulateFixture(const std::string& name, const std::string& calibration = "none")
      : model(load_models({name}).front()),
        shapes(layer_shapes(model)),
        chips(load_hardware({"h800"})) {
    attach_calibrations(pointers_to(chips), calibration);
    setting.model = &model;
    setting.shapes = &shapes;
    setting.tpot_limit = Seconds(10);
    const Pool pool{&chips[0], 2, 8};
    afd = {.attention = pool, .ffn = pool, .batch = 6144, .micro_batches = 3};
    afd.ffn_split = resolved({}, pool, model);
    colocated = {.pool = {&chips[0], 4, 8},
                 .batch = 2048,
                 .micro_batches = 2,
                 .layout = expert_parallel(32)};
  }
  ModelSpec model;
  std::vector<LayerShape> shapes;
  std::vector<HardwareSpec> chips;
  Setting setting;
  Disaggregated afd;
  Colocated colocated;
};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("simulate: events equal the closed form where layers are all alike") {
    const SimulateFixture f("qwen3-moe");
    REQUIRE(f.model.layer_kinds.size() == 1);
    const Simulated s = simulate(f.afd, f.setting);
    REQUIRE(s.events.has_value());
    CHECK(s.evaluation.step.base() == doctest::Approx(s.closed_form.base()).epsilon(1e-9));
    CHECK(events_over_closed_form(f.afd, evaluate(f.afd, f.setting), 20) ==
          doctest::Approx(1).epsilon(1e-9));
  }

  TEST_CASE("simulate: TPOT, cost and throughput follow the step of the events") {
    const SimulateFixture f("step-3");
    REQUIRE(f.model.layer_kinds.size() > 1);
    const Evaluation closed = evaluate(f.afd, f.setting);
    const Simulated s = simulate(f.afd, f.setting);
    const double ratio = s.evaluation.step / s.closed_form;
    CHECK(s.closed_form == closed.step);
    CHECK(ratio == doctest::Approx(events_over_closed_form(f.afd, closed, 50)));
    CHECK(s.evaluation.tpot / closed.tpot == doctest::Approx(ratio));
    CHECK(s.evaluation.cost / closed.cost == doctest::Approx(ratio));
    CHECK(closed.tokens_per_gpu / s.evaluation.tokens_per_gpu == doctest::Approx(ratio));
  }

  TEST_CASE("simulate: the verdict is that of the events") {
    SimulateFixture f("step-3");
    const Seconds tpot = simulate(f.afd, f.setting).evaluation.tpot;
    f.setting.tpot_limit = 1.001 * tpot;
    CHECK(simulate(f.afd, f.setting).evaluation.verdict == Verdict::feasible);
    f.setting.tpot_limit = 0.999 * tpot;
    CHECK(simulate(f.afd, f.setting).evaluation.verdict == Verdict::slow);
  }

  TEST_CASE("simulate: a co-located engine has no events") {
    const SimulateFixture f("step-3");
    const Simulated s = simulate(f.colocated, f.setting);
    CHECK_FALSE(s.events.has_value());
    CHECK(s.evaluation.step == s.closed_form);
    CHECK(s.p50() == s.evaluation.step);
    CHECK(s.p99() == s.evaluation.step);
  }

  TEST_CASE("simulate: micro-batches of one size given one by one are the even ones") {
    const SimulateFixture f("step-3");
    const Simulated even = simulate(f.afd, f.setting);
    const Simulated listed = simulate(f.afd, f.setting, {.micro_batch_sizes = {2048, 2048, 2048}});
    CHECK(listed.evaluation.step.base() ==
          doctest::Approx(even.evaluation.step.base()).epsilon(1e-12));
    // The largest micro-batch holds the others up: an uneven step is longer.
    const Simulated uneven = simulate(f.afd, f.setting, {.micro_batch_sizes = {4096, 1024, 1024}});
    CHECK(uneven.evaluation.step > even.evaluation.step);
  }

  TEST_CASE("simulate: jitter lengthens the step and spreads it; a seed repeats it") {
    const SimulateFixture f("step-3");
    const Simulated still = simulate(f.afd, f.setting);
    const EventOptions jitter{.sigma = 0.2, .seed = 7, .steps = 100};
    const Simulated shaken = simulate(f.afd, f.setting, jitter);
    CHECK(shaken.evaluation.step > still.evaluation.step);
    CHECK(shaken.p99() > shaken.p50());
    CHECK(simulate(f.afd, f.setting, jitter).evaluation.step == shaken.evaluation.step);
  }

  TEST_CASE("simulate: events are kept when asked for") {
    const SimulateFixture f("step-3");
    CHECK(simulate(f.afd, f.setting).events->events.empty());
    const Simulated s = simulate(f.afd, f.setting, {.keep_events = true});
    const auto layers =
        std::accumulate(f.model.layer_kinds.begin(), f.model.layer_kinds.end(), std::int64_t{0},
                        [](std::int64_t sum, const LayerKind& kind) { return sum + kind.layers; });
    std::int64_t attentions = 0;
    for (const PipelineEvent& event : s.events->events)
      attentions += event.stage == 0 && !event.head ? 1 : 0;
    CHECK(attentions == layers * f.afd.micro_batches);
  }

  TEST_CASE("interval: both ends bracket the prediction where a curve is measured, else are it") {
    const SimulateFixture measured("step-3", "h200");
    REQUIRE(measured.chips[0].measured != nullptr);
    const SimulateFixture stated("step-3");
    for (const AnyDeployment& way :
         {AnyDeployment(measured.afd), AnyDeployment(measured.colocated)}) {
      const Interval interval = interval_of(way, measured.setting);
      CHECK(interval.low < 1);
      CHECK(interval.high > 1);
    }
    const Interval none = interval_of(stated.afd, stated.setting);
    CHECK(none.low == 1);
    CHECK(none.high == 1);
  }
}
