// Single evaluations, on one core: ideal costs, deployments in closed form, a step by events.
#include <fmt/format.h>

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "bench/figures.hpp"
#include "bench/measure.hpp"
#include "deploy/colocated.hpp"
#include "deploy/pair_batches.hpp"
#include "deploy/simulate.hpp"
#include "ideal/ideal.hpp"
#include "load/calibrations.hpp"

namespace afford::bench {
namespace {

constexpr int repeats = 5;

/// Keeps the compiler from leaving out what nobody reads.
void use(double value) {
  volatile double seen = value;
  (void)seen;
}

void measure_ideal(Figures& figures) {
  const auto models = load_models({"all"});
  const auto chips = load_hardware({"h800", "h20", "a800", "910b"});
  std::vector<DecodeTerms> terms;
  std::vector<std::vector<Roofs>> roof;
  for (const ModelSpec& model : models) {
    terms.push_back(decode_terms(model, Convention::paper, {}));
    roof.emplace_back();
    for (const HardwareSpec& chip : chips) roof.back().push_back(roofs(chip, model.precision));
  }
  constexpr std::int64_t rounds = 100'000;
  const Usage usage = quickest(repeats, [&] {
    double sum = 0;
    for (std::int64_t i = 0; i < rounds; ++i) {
      const double context = static_cast<double>(1024 + i % 100'000);
      const size_t c = static_cast<size_t>(i) % chips.size();
      for (size_t m = 0; m < models.size(); ++m)
        sum += ideal_cost(terms[m], context, roof[m][c], chips[c].price.value).cost.total().base();
    }
    use(sum);
  });
  figures.add({.name = "ideal_cost_ns",
               .value = 1e9 * usage.cpu_s / static_cast<double>(rounds) / real(std::ssize(models)),
               .of = "one core; counting and pricing with compiled terms"});
}

/// A model, its chips calibrated as the program does by itself, and what evaluates them.
struct Bench {
  ModelSpec model;
  std::vector<LayerShape> shapes;
  std::vector<HardwareSpec> chips;
  Setting setting;

  Bench(const std::string& name, const std::vector<std::string>& on)
      : model(load_model(name)), shapes(layer_shapes(model)), chips(load_hardware(on)) {
    attach_calibrations(pointers_to(chips), "");
    setting.model = &model;
    setting.shapes = &shapes;
  }
};

/// Of evaluating at one batch after another, all multiples of `grain`.
template <class At>
double seconds_each(std::int64_t grain, const At& at) {
  constexpr int rounds = 20'000, batches = 400;
  const Usage usage = quickest(repeats, [&] {
    double sum = 0;
    for (int i = 0; i < rounds; ++i) sum += at(grain * (1 + i % batches)).tpot.base();
    use(sum);
  });
  return usage.cpu_s / rounds;
}

/// Of a deployment that is described anew each time.
template <class Deployment>
double seconds_each(std::int64_t grain, Deployment d, const Setting& setting) {
  return seconds_each(grain, [&](std::int64_t batch) {
    d.batch = batch;
    return evaluate(d, setting);
  });
}
/// Of pools that are prepared once for all batches.
template <class Pools>
Figure prepared(const std::string& name, std::int64_t grain, Pools pools) {
  const double each = seconds_each(grain, [&](std::int64_t batch) { return pools.at(batch); });
  return {.name = name, .value = 1e6 * each, .of = "the same of pools that are prepared once"};
}

void measure_afd(Figures& figures) {
  const Bench b("step-3", {"h800", "h20"});
  Disaggregated d{.attention = {&b.chips[0], 2, 8}, .ffn = {&b.chips[1], 2, 8}};
  d.ffn_split = resolved({}, d.ffn, b.model);
  figures.add({.name = "evaluate_afd_us",
               .value = 1e6 * seconds_each(48, d, b.setting),
               .of = "one core; step-3 on h800:2x8 + h20:2x8, calibrated"});
  figures.add(prepared("evaluate_afd_at_us", 48, PoolPair(d, b.setting, held_part(d, b.setting))));
  d.batch = 6144;
  const Evaluation e = evaluate(d, b.setting);
  constexpr int steps = 500;
  const Usage usage = quickest(repeats, [&] {
    use(simulate_pipeline({std::span(e.runs.data(), e.runs.size()), e.head, 3}, {}, steps)
            .mean.base());
  });
  figures.add({.name = "step_by_events_us",
               .value = 1e6 * usage.cpu_s / steps,
               .of = "one core; 61 layers, 3 micro-batches"});
}

/// All batches of two pools whose stage times are known, as a search evaluates them where it looks
/// at each.
void measure_dense_batches(Figures& figures) {
  constexpr std::int64_t most = 400, rounds = 1000;
  constexpr int micro_batches = 3;
  const Bench b("step-3", {"h800", "h20"});
  Disaggregated d{.attention = {&b.chips[0], 2, 8}, .ffn = {&b.chips[1], 2, 8}};
  d.ffn_split = resolved({}, d.ffn, b.model);
  d.micro_batches = 1;
  std::vector<std::int64_t> each(most);
  std::iota(each.begin(), each.end(), 1);
  StageArrays attention(b.shapes.size(), each.size()), ffn(b.shapes.size(), each.size());
  for (size_t i = 0; i < each.size(); ++i) {
    d.batch = each[i] * d.attention_units();
    attention.set(i, attention_part(d, b.setting));
    ffn.set(i, ffn_part(d, b.setting));
  }
  const PoolPair pair(d, b.setting, held_part(d, b.setting));
  PairBatches batches(each, b.setting);
  const Usage usage = quickest(repeats, [&] {
    for (std::int64_t round = 0; round < rounds; ++round) {
      batches.face(pair, attention, ffn);
      for (size_t i = 0; i < each.size(); ++i) batches.go_round(i);
      batches.take_steps(micro_batches, 0, each.size());
      batches.price(micro_batches, 0, each.size());
      use(batches.outcomes().usd_per_mtok.back());
    }
  });
  figures.add({.name = "full_evaluation_ns",
               .value = 1e9 * usage.cpu_s / real(rounds * most),
               .of = "one core; every batch of two pools, stage times at hand"});
}

void measure_colocated(Figures& figures) {
  const Bench b("deepseek-v3", {"h800"});
  Colocated wide{.pool = {&b.chips[0], 4, 8}, .layout = expert_parallel(32)};
  wide.micro_batches = 2;
  figures.add({.name = "evaluate_ep_us",
               .value = 1e6 * seconds_each(64, wide, b.setting),
               .of = "one core; deepseek-v3 as EP32 on h800:4x8, two micro-batches, calibrated"});
  figures.add(prepared("evaluate_ep_at_us", 64, ColocatedPool(wide, b.setting)));
}

}  // namespace

void measure_evaluations(Figures& figures) {
  measure_ideal(figures);
  measure_afd(figures);
  measure_dense_batches(figures);
  measure_colocated(figures);
}

}  // namespace afford::bench
