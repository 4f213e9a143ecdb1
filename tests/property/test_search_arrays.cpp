// A search by arrays finds what evaluate() finds candidate by candidate, to the last bit: over all
// models, by data sheets and calibrated, in shapes and settings drawn at random.

#include <doctest/doctest.h>

#include <random>

#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "search/explore.hpp"
#include "search/family.hpp"
#include "search/family_row.hpp"

using namespace afford;

namespace {

/// A small space of one model, drawn at random.
struct Drawn {
  ModelSpec model;
  std::vector<LayerShape> shapes;
  std::vector<HardwareSpec> chips;
  Space space;
  Setting setting;
  ExploreOptions options;

  Drawn(const ModelSpec& of, unsigned seed) : model(of), shapes(layer_shapes(model)) {
    std::mt19937 random(seed);
    const auto one_of = [&](auto... choices) {
      const std::common_type_t<decltype(choices)...> list[] = {choices...};
      return list[random() % sizeof...(choices)];
    };
    const bool calibrated = one_of(true, false);
    chips = load_hardware(calibrated ? std::vector<std::string>{"h200", "h20"}
                                     : std::vector<std::string>{"h800", one_of("910b", "h20")});
    std::vector<HardwareSpec*> pointers{&chips[0], &chips[1]};
    if (calibrated) attach_calibrations(pointers, "h200");
    space.chips = &chips;
    space.ways = {Way::disaggregated, Way::expert_parallel};
    space.instance_sizes = one_of(false, true) ? std::vector<std::int64_t>{}
                                               : std::vector<std::int64_t>{one_of(2, 4), 8};
    space.max_gpus = space.instance_sizes.empty() ? 24 : 14;
    space.micro_batches = {one_of(1, 2), one_of(3, 5)};
    space.ffn_choice = one_of(FfnChoice::any, FfnChoice::tensor, FfnChoice::expert);
    space.attention_splits = {AttentionSplit::shared_output, AttentionSplit::tensor};
    if (one_of(0, 1, 2) == 0) space.boundaries = {Boundary::attention, Boundary::core};
    if (one_of(0, 1, 2) == 0) space.inventory = {16, one_of(8, 16)};
    space.batch_steps = one_of(1, 2);
    if (space.boundaries.size() == 1 && one_of(0, 1, 2) == 0) place();
    setting.model = &model, setting.shapes = &shapes;
    setting.context = one_of(1024, 8192, 32768);
    setting.engine = load_engine(one_of("ideal", "step", "sglang", "served"));
    if (one_of(0, 1, 2) == 0) setting.routing = zipf_routing(numbers_of_experts(model), 0.3);
    if (most_experts(model) > 0 && one_of(0, 1, 2, 3) == 0) setting.redundant_experts = 4;
    setting.tpot_limit = one_of(10.0, 20.0, 50.0, 1e4) * millisecond;
    if (one_of(0, 1, 2) == 0) setting.speculation = {.drafts = one_of(1, 2), .acceptance = 0.7};
    options.objective =
        one_of(Objective::throughput, Objective::cost, Objective::both, Objective::interactivity);
    options.shapes = one_of(true, false);
    options.watch = one_of("", "2A1F", "1A1F,core");
  }
  Drawn(const Drawn&) = delete;
  Drawn& operator=(const Drawn&) = delete;

  /// Shared experts or dense layers stand with attention where something is left behind.
  void place() {
    const bool routed = most_experts(model) > 0;
    if (routed) space.places = {AfdPool::ffn, AfdPool::attention, AfdPool::attention};
  }
};

/// The same by evaluate() alone, one candidate after another.
UnitFound one_by_one(const Drawn& s) {
  UnitFound found(s.options.objective, s.chips.size(), s.options.shapes);
  ExploreOptions all;
  all.threads = 1;
  all.describe = [&](const Candidate& given, const Evaluation&, std::string&) {
    Candidate c = given;
    const Evaluation own = evaluate(c, s.space, s.setting);
    c.goals = goals_of(own);
    found.file(c, own.verdict, label(c) == s.options.watch);
    found.close_pools();
  };
  (void)explore(s.space, s.setting, all);
  return found;
}

bool same(const Candidate& a, const Candidate& b) {
  return a.number == b.number && a.batch == b.batch && a.micro_batches == b.micro_batches &&
         a.goals.tpot_ms == b.goals.tpot_ms &&
         a.goals.tokens_per_gpu_s == b.goals.tokens_per_gpu_s &&
         a.goals.usd_per_mtok == b.goals.usd_per_mtok;
}

bool same(const std::optional<Candidate>& a, const std::optional<Candidate>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}

bool same(const Tally& a, const Tally& b) {
  // A batch behind one that does not fit counts as it does, whatever else it lacks.
  return a.tried == b.tried && a.feasible == b.feasible && a.slow == b.slow &&
         a.attention_memory + a.ffn_memory == b.attention_memory + b.ffn_memory;
}

bool same_shapes(const Found& a, const Found& b) {
  return std::equal(
      a.shapes.begin(), a.shapes.end(), b.shapes.begin(), b.shapes.end(),
      [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
}

void check_same(const Found& found, const Found& expected, size_t chips) {
  const auto &points = found.frontier.points(), &wanted = expected.frontier.points();
  CHECK(points.size() == wanted.size());
  CHECK(std::equal(points.begin(), points.end(), wanted.begin(), wanted.end(),
                   [](const Candidate& a, const Candidate& b) { return same(a, b); }));
  CHECK(same(found.tally, expected.tally));
  CHECK(same(found.watched.tally, expected.watched.tally));
  CHECK(same(found.watched.best, expected.watched.best));
  CHECK(same(found.watched.fastest, expected.watched.fastest));
  CHECK(same(found.fastest, expected.fastest));
  CHECK(same_shapes(found, expected));
  for (size_t a = 0; a < chips; ++a) {
    for (size_t f = 0; f < chips; ++f) CHECK(same(found.best.pair(a, f), expected.best.pair(a, f)));
    CHECK(same(found.best.colocated(a), expected.best.colocated(a)));
  }
}

}  // namespace

TEST_SUITE("property") {
  TEST_CASE("a search by arrays finds what evaluate() does, over all models and many settings") {
    unsigned seed = 20;
    std::uint64_t feasible = 0, points = 0;
    int by_formula = 0, by_times = 0;  // chips on which FFN times are known to rise, or looked at
    for (const ModelSpec& model : load_models({"all"})) {
      const Drawn s(model, ++seed);
      CAPTURE(model.name);
      CAPTURE(seed);
      REQUIRE(by_arrays(s.space, s.setting, s.options));
      const UnitFound expected = one_by_one(s);
      const Explored found = explore(s.space, s.setting, s.options);
      check_same(found, expected, s.chips.size());
      feasible += found.tally.feasible;
      for (const HardwareSpec& chip : s.chips)
        ++(rises_by_formula(chip, s.setting) ? by_formula : by_times);
      points += found.frontier.points().size();
    }
    CHECK(feasible > 10'000);
    CHECK(by_formula > 5);
    CHECK(by_times > 5);
    CHECK(points > 500);
  }
}
