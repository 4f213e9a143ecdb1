// The closed form and the event simulation describe the same pipeline.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "deploy/evaluate.hpp"
#include "deploy/step_sum.hpp"
#include "load/library.hpp"

using namespace afford;

namespace {

struct Random {
  std::mt19937_64 bits{42};
  double unit() { return std::uniform_real_distribution<>(0.01, 1)(bits); }
  int integer(int low, int high) { return std::uniform_int_distribution<>(low, high)(bits); }
};

StageTimes random_stages(Random& random) {
  return {Seconds(random.unit()), Seconds(random.unit()), Seconds(random.unit()),
          Seconds(random.unit())};
}

}  // namespace

TEST_SUITE("property") {
  TEST_CASE("layers all alike, no jitter: the closed form is the simulation, to rounding") {
    Random random;
    for (int i = 0; i < 400; ++i) {
      const LayerRun run{random_stages(random), random.integer(1, 40)};
      const Seconds head(random.integer(0, 2) * random.unit());
      const PipelineLoad load{{&run, 1}, head, random.integer(1, 6)};
      CHECK(simulate_pipeline(load, {}, 400).mean.base() ==
            doctest::Approx(step_time(load).base()).epsilon(1e-9));
    }
  }

  TEST_CASE(
      "layer kinds that differ: the closed form is an estimate, within 5 % for stacks of ten "
      "layers and "
      "more") {
    Random random;
    for (int i = 0; i < 300; ++i) {
      const std::array<LayerRun, 2> runs = {LayerRun{random_stages(random), random.integer(5, 30)},
                                            LayerRun{random_stages(random), random.integer(5, 30)}};
      const PipelineLoad load{runs, Seconds(0.1 * random.unit()), random.integer(2, 4)};
      CHECK(simulate_pipeline(load, {}, 200).mean.base() ==
            doctest::Approx(step_time(load).base()).epsilon(0.05));
    }
  }

  TEST_CASE(
      "jitter and stragglers only cost; more instances wait longer; uneven micro-batches do not "
      "help") {
    const LayerRun run{{Seconds(0.8), Seconds(0.3), Seconds(1.0), Seconds(0.4)}, 20};
    const PipelineLoad load{{&run, 1}, Seconds(0.1), 3};
    const double calm = simulate_pipeline(load, {}, 100).mean.base();
    const auto mean = [&](Jitter jitter) {
      return simulate_pipeline(load, jitter, 100).mean.base();
    };
    CHECK(mean({.sigma = 0.5}) > calm);
    CHECK(mean({.sigma = 0.1, .attention_instances = 16, .ffn_instances = 16}) >
          mean({.sigma = 0.1}));
    const auto scaled = [&](double f) {
      const StageTimes& t = run.stages;
      return LayerRun{{f * t.attention, f * t.a2f, f * t.ffn, f * t.f2a}, run.layers};
    };
    const std::array<LayerRun, 3> sizes = {scaled(0.8), scaled(1.0), scaled(1.2)};
    const std::array<MicroBatchLoad, 3> uneven = {
        MicroBatchLoad{{sizes.data(), 1}, 0.8 * load.head},
        MicroBatchLoad{{&sizes[1], 1}, load.head}, MicroBatchLoad{{&sizes[2], 1}, 1.2 * load.head}};
    CHECK(simulate_pipeline({load.runs, load.head, 3, uneven}, {}, 100).mean.base() >= calm);
    const std::array<MicroBatchLoad, 3> alike = {uneven[1], uneven[1], uneven[1]};
    CHECK(simulate_pipeline({load.runs, load.head, 3, alike}, {}, 100).mean.base() == calm);
    CHECK(mean({.sigma = 0.1, .seed = 5}) == mean({.sigma = 0.1, .seed = 5}));
    const PipelineResult result = simulate_pipeline(load, {.sigma = 0.2}, 200);
    CHECK(result.p50 <= result.p99);
    for (const double busy : result.busy) CHECK((busy > 0 && busy <= 1 + 1e-9));
  }

  TEST_CASE(
      "a stage never serves two micro-batches at once, and a micro-batch is never in two places") {
    const LayerRun run{{Seconds(0.8), Seconds(0.3), Seconds(1.0), Seconds(0.4)}, 5};
    const auto events =
        simulate_pipeline({{&run, 1}, Seconds(0.1), 3}, {.sigma = 0.3}, 5, true).events;
    REQUIRE(events.size() == 3 * (5 * 4 + 1));
    for (const PipelineEvent& a : events) {
      for (const PipelineEvent& b : events) {
        const bool same = &a == &b || (a.stage != b.stage && a.micro_batch != b.micro_batch);
        if (!same) CHECK((a.end <= b.start || b.end <= a.start));
      }
    }
  }

  TEST_CASE("more bandwidth, more NICs, a faster chip never raise TPOT") {
    Random random;
    const ModelSpec model = load_models({"step-3"}).front();
    const auto shapes = layer_shapes(model);
    const auto chips = load_hardware({"h800", "h20", "a800", "910b", "h100"});
    for (int i = 0; i < 200; ++i) {
      std::array<HardwareSpec, 2> pair = {chips[static_cast<size_t>(random.integer(0, 4))],
                                          chips[static_cast<size_t>(random.integer(0, 4))]};
      const Setting setting{
          .model = &model, .shapes = &shapes, .context = 1024.0 * random.integer(1, 64)};
      const auto tpot = [&](const std::array<HardwareSpec, 2>& c) {
        Disaggregated d{.attention = {c.data(), 2, 8},
                        .ffn = {&c[1], 2, 8},
                        .batch = 48 * 16,
                        .micro_batches = 3};
        d.ffn_split = resolved({}, d.ffn, model);
        return evaluate(d, setting).tpot.base() * (1 - 1e-12);
      };
      const double before = tpot(pair) * (1 + 1e-9);
      HardwareSpec& chip = pair[static_cast<size_t>(random.integer(0, 1))];
      const HardwareSpec kept = chip;
      chip.memory_bandwidth.value = 1.5 * kept.memory_bandwidth.value;
      CHECK(tpot(pair) <= before);
      chip = kept;
      chip.nic_bandwidth.value = 1.5 * kept.nic_bandwidth.value;
      CHECK(tpot(pair) <= before);
      chip = kept;
      chip.server_nics.value *= 2;
      CHECK(tpot(pair) <= before);
      chip = kept;
      chip.scale_up_bandwidth.value = 1.5 * kept.scale_up_bandwidth.value;
      CHECK(tpot(pair) <= before);
      chip = kept;
      for (Peak& peak : chip.peaks) peak.rate.value = 1.5 * peak.rate.value;
      CHECK(tpot(pair) <= before);
    }
  }

  TEST_CASE("a larger batch never lowers throughput of the ideal pipeline's pools, nor TPOT") {
    const ModelSpec model = load_models({"step-3"}).front();
    const auto shapes = layer_shapes(model);
    const auto chips = load_hardware({"h800"});
    const Setting setting{.model = &model, .shapes = &shapes};
    double last = 0;
    for (std::int64_t batch = 48; batch <= 12288; batch *= 2) {
      Disaggregated d{.attention = {chips.data(), 2, 8},
                      .ffn = {chips.data(), 2, 8},
                      .batch = batch,
                      .micro_batches = 3};
      d.ffn_split = resolved({}, d.ffn, model);
      const double tpot = evaluate(d, setting).tpot.base();
      CHECK(tpot >= last);
      last = tpot;
    }
  }

  TEST_CASE("heads delay a step by no less than nothing and no more than all of them") {
    std::mt19937_64 random(11);
    std::uniform_real_distribution<> time(0, 1);
    for (int round = 0; round < 2000; ++round) {
      const double m = 1 + round % 5, head = (round % 7) * time(random);
      StepSum sum(head, m);
      double expected = m * head;  // of the attention pool alone
      for (int kind = 0; kind <= round % 3; ++kind) {
        const double stages[] = {time(random), time(random), time(random), time(random)};
        const double longest = *std::max_element(stages, stages + 4);
        const double lap = stages[0] + stages[1] + stages[2] + stages[3];
        const double layers = 2 + kind;
        KindOfStep{layers, m}.add(sum, stages[0], longest, lap, head);
        expected += layers * m * stages[0];
      }
      CHECK(sum.alone == doctest::Approx(expected));
      CHECK(sum.least() == doctest::Approx(std::max(sum.alone, sum.laps)).epsilon(1e-8));
      CHECK(sum.step() >= sum.least());
      CHECK(sum.step() <= sum.most(head, m));
    }
  }
}
