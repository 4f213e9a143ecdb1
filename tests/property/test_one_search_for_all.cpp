// One search over a range of prices finds what a search at each price in it finds, one under
// several TPOT limits what a search under each of them finds, one with so many accelerators what a
// search with each smaller number finds: to the last bit.

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <random>

#include "count/decode.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "search/other_bounds.hpp"
#include "search/other_limits.hpp"
#include "search/other_prices.hpp"

using namespace afford;

namespace {

bool same(const Candidate& a, const Candidate& b) {
  return a.number == b.number && a.batch == b.batch && a.goals.tpot_ms == b.goals.tpot_ms &&
         a.goals.tokens_per_gpu_s == b.goals.tokens_per_gpu_s &&
         a.goals.usd_per_mtok == b.goals.usd_per_mtok;
}

bool same(const std::optional<Candidate>& a, const std::optional<Candidate>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}

void check_same(const Explored& found, const Explored& expected, size_t chips) {
  const auto &points = found.frontier.points(), &wanted = expected.frontier.points();
  CHECK(std::equal(points.begin(), points.end(), wanted.begin(), wanted.end(),
                   [](const Candidate& a, const Candidate& b) { return same(a, b); }));
  const Tally &tally = found.tally, &counted = expected.tally;
  CHECK(tally.tried == counted.tried);
  CHECK(tally.feasible == counted.feasible);
  CHECK(tally.slow == counted.slow);
  CHECK(tally.attention_memory == counted.attention_memory);
  CHECK(tally.ffn_memory == counted.ffn_memory);
  CHECK(found.candidates == expected.candidates);
  CHECK(found.complete == expected.complete);
  CHECK(same(found.fastest, expected.fastest));
  for (size_t a = 0; a < chips; ++a) {
    for (size_t f = 0; f < chips; ++f) CHECK(same(found.best.pair(a, f), expected.best.pair(a, f)));
    CHECK(same(found.best.colocated(a), expected.best.colocated(a)));
  }
}

/// The space of one model, drawn at random, and chips whose second changes its price.
struct Drawn {
  ModelSpec model;
  std::vector<LayerShape> shapes;
  std::vector<HardwareSpec> chips;
  Space space;
  Setting setting;

  Drawn(const ModelSpec& of, std::mt19937& random) : model(of), shapes(layer_shapes(model)) {
    const auto one_of = [&](auto... choices) {
      const std::common_type_t<decltype(choices)...> list[] = {choices...};
      return list[random() % sizeof...(choices)];
    };
    chips = load_hardware({"h200", "h20"});
    std::vector<HardwareSpec*> pointers{&chips[0], &chips[1]};
    if (one_of(true, false)) attach_calibrations(pointers, "h200");
    space.chips = &chips;
    space.ways = {Way::disaggregated, Way::expert_parallel, Way::tensor_parallel};
    space.max_gpus = one_of(24, 40);
    space.batch_steps = one_of(1, 2, 4);
    space.attention_splits = {AttentionSplit::shared_output, AttentionSplit::tensor};
    setting.model = &model, setting.shapes = &shapes;
    setting.context = one_of(1024, 8192, 32768);
    setting.engine = load_engine(one_of("ideal", "step", "sglang"));
    setting.tpot_limit = one_of(20.0, 50.0, 1e4) * millisecond;
    if (one_of(0, 1, 2) == 0) setting.speculation = {.drafts = 1, .acceptance = 0.7};
  }
  Drawn(const Drawn&) = delete;
  Drawn& operator=(const Drawn&) = delete;

  [[nodiscard]] std::vector<HardwareSpec> chips_at(double factor) const {
    std::vector<HardwareSpec> priced = chips;
    priced[1].price.value = factor * chips[1].price.value;
    return priced;
  }
};

/// The points at each price that are not those of the price before: prices must count.
size_t check_prices(const Drawn& s, Objective objective) {
  constexpr double low = 0.3, high = 6;
  const auto searched = [&](const std::vector<HardwareSpec>& chips, ExploreOptions options) {
    Space space = s.space;
    space.chips = &chips;
    options.objective = objective;
    return explore(space, s.setting, options);
  };
  const std::vector<HardwareSpec> cheap = s.chips_at(low), dear = s.chips_at(high);
  const Explored once =
      searched(cheap, {.other_prices = counts_money(objective) ? &dear : nullptr});
  size_t moved = 0;
  std::vector<Candidate> before;
  for (const double factor : {low, 0.7, 1.0, 1.9, 3.3, high}) {
    CAPTURE(factor);
    const std::vector<HardwareSpec> chips = s.chips_at(factor);
    const Explored expected = searched(chips, {});
    Space space = s.space;
    space.chips = &chips;
    check_same(at_prices(once, space, s.setting), expected, chips.size());
    const std::vector<Candidate>& points = expected.frontier.points();
    moved += std::equal(points.begin(), points.end(), before.begin(), before.end(),
                        [](const Candidate& a, const Candidate& b) { return a.number == b.number; })
                 ? 0
                 : 1;
    before = points;
  }
  return moved;
}

/// Limits that lie apart, and some that a candidate's TPOT just meets or misses.
std::vector<Seconds> limits_around(const Explored& found, const Setting& setting) {
  std::vector<Seconds> limits{5 * millisecond, 12.5 * millisecond, 20 * millisecond,
                              21 * millisecond, setting.tpot_limit};
  const std::vector<Candidate>& points = found.frontier.points();
  for (size_t i = 0; i < points.size(); i += 7) {
    const Seconds tpot = points[i].step / tokens_per_step(setting.speculation);
    limits.push_back(tpot);
    limits.emplace_back(std::nextafter(tpot.base(), 0));
  }
  std::erase_if(limits, [&](Seconds limit) { return limit > setting.tpot_limit; });
  return limits;
}

/// The frontiers that are neither empty nor whole: limits must count.
size_t check_limits(const Drawn& s, Objective objective) {
  ExploreOptions options{.objective = objective};
  const Explored loosest = explore(s.space, s.setting, options);
  options.limits = limits_around(loosest, s.setting);
  const Explored once = explore(s.space, s.setting, options);
  check_same(once, loosest, s.chips.size());
  size_t cut = 0;
  for (const Seconds limit : options.limits) {
    CAPTURE(limit.base());
    Setting setting = s.setting;
    setting.tpot_limit = limit;
    CHECK(once.limits.answers(limit));
    const Explored expected = explore(s.space, setting, {.objective = objective});
    check_same(at_limit(once, s.space, setting), expected, s.chips.size());
    const size_t points = expected.frontier.points().size();
    cut += points > 0 && points < loosest.frontier.points().size() ? 1 : 0;
  }
  CHECK_FALSE(once.limits.answers(2 * s.setting.tpot_limit));
  return cut;
}

/// The space with no more accelerators than that of the chip, or of all of them.
Space with_most(Space space, std::optional<std::uint32_t> chip, std::int64_t most) {
  if (chip) {
    space.inventory.resize(space.chips->size(), space.max_gpus);
    space.inventory[*chip] = most;
  } else {
    space.max_gpus = most;
  }
  return space;
}

/// What the search of the largest space has of a smaller one, numbered as that is.
Explored check_within(const Explored& once, size_t bound, const Space& space,
                      const Setting& setting) {
  const Numbering numbering(enumerate(space, setting), space);
  const Explored within = at_bound(once, bound, numbering.enumeration().candidates);
  const Explored expected = explore(space, setting, {.objective = once.objective});
  check_same(renumbered(within, numbering, space.chips->size()), expected, space.chips->size());
  return within;
}

/// Under limits and at prices too, as the objective has it. The frontiers that are neither empty
/// nor that of the largest space: bounds must count.
size_t check_bounds(const Drawn& s, Objective objective, std::optional<std::uint32_t> chip) {
  const std::vector<std::int64_t> most = {0, 3, 8, 15, 16, 24};
  const std::vector<HardwareSpec> cheap = s.chips_at(0.3), dear = s.chips_at(6), at = s.chips_at(2);
  const Seconds tighter = s.setting.tpot_limit / 2;
  ExploreOptions options{.objective = objective};
  options.bounds = {.chip = chip, .most = {most.begin() + (chip ? 0 : 1), most.end()}};
  const Space largest = with_most(s.space, chip, most.back());
  const Explored once = explore(largest, s.setting, options);
  options.limits = {tighter, s.setting.tpot_limit};
  const Explored under_limits = explore(largest, s.setting, options);
  options.limits.clear();
  options.other_prices = &dear;
  Space priced = largest;
  priced.chips = &cheap;
  const Explored at_all_prices =
      counts_money(objective) ? explore(priced, s.setting, options) : once;
  REQUIRE(once.within.size() == options.bounds.most.size());
  size_t cut = 0;
  for (size_t i = 0; i < options.bounds.most.size(); ++i) {
    CAPTURE(options.bounds.most[i]);
    Space space = with_most(s.space, chip, options.bounds.most[i]);
    const Explored within = check_within(once, i, space, s.setting);
    const size_t points = within.frontier.points().size();
    cut += points > 0 && points != once.frontier.points().size() ? 1 : 0;
    const Numbering numbering(enumerate(space, s.setting), space);
    const auto numbered = [&](const Explored& found) {
      return renumbered(found, numbering, space.chips->size());
    };
    const std::uint64_t candidates = numbering.enumeration().candidates;
    Setting tight = s.setting;
    tight.tpot_limit = tighter;
    check_same(numbered(at_limit(at_bound(under_limits, i, candidates), space, tight)),
               explore(space, tight, {.objective = objective}), space.chips->size());
    space.chips = &at;
    check_same(numbered(at_prices(at_bound(at_all_prices, i, candidates), space, s.setting)),
               explore(space, s.setting, {.objective = objective}), space.chips->size());
  }
  return cut;
}

}  // namespace

TEST_SUITE("property") {
  TEST_CASE("one search over a range of prices finds what a search at each of them does") {
    std::mt19937 random(7);
    size_t moved = 0;
    for (const ModelSpec& model : load_models({"step-3", "qwen3-moe", "qwen3-32b", "minimax-m1"})) {
      CAPTURE(model.name);
      for (int round = 0; round < 2; ++round) {
        const Drawn s(model, random);
        (void)check_prices(s, Objective::throughput);
        (void)check_prices(s, Objective::interactivity);
        moved += check_prices(s, Objective::cost);
        moved += check_prices(s, Objective::both);
      }
    }
    CHECK(moved > 20);
  }

  TEST_CASE("one search under several TPOT limits finds what a search under each of them does") {
    std::mt19937 random(11);
    size_t cut = 0;
    for (const ModelSpec& model : load_models({"step-3", "qwen3-moe", "qwen3-32b", "minimax-m1"})) {
      CAPTURE(model.name);
      for (int round = 0; round < 2; ++round) {
        const Drawn s(model, random);
        for (const Objective objective :
             {Objective::throughput, Objective::interactivity, Objective::cost, Objective::both})
          cut += check_limits(s, objective);
      }
    }
    CHECK(cut > 100);
  }

  TEST_CASE("one search with so many accelerators finds what one with each smaller number does") {
    std::mt19937 random(13);
    size_t cut = 0;
    for (const ModelSpec& model : load_models({"step-3", "qwen3-moe", "qwen3-32b", "minimax-m1"})) {
      CAPTURE(model.name);
      Drawn s(model, random);
      s.space.batch_steps = 1;
      cut += check_bounds(s, Objective::throughput, 0);
      cut += check_bounds(s, Objective::cost, 1);
      cut += check_bounds(s, Objective::both, std::nullopt);
      if (model.name != "qwen3-moe") continue;
      s.setting.engine = load_engine("afford");  // whose pools are looked at one by one
      cut += check_bounds(s, Objective::cost, 1);
    }
    CHECK(cut > 20);
  }

  TEST_CASE("the number of a candidate follows from what it is") {
    std::mt19937 random(17);
    for (const ModelSpec& model : load_models({"step-3", "qwen3-32b"})) {
      CAPTURE(model.name);
      Drawn s(model, random);
      s.space.ways.push_back(Way::mixed);
      s.space.max_gpus = 24;
      s.space.inventory = {16, 24};
      s.space.batch_steps = 1;
      const Numbering numbering(enumerate(s.space, s.setting), s.space);
      std::atomic<std::uint64_t> right = 0;
      ExploreOptions options;
      options.describe = [&](const Candidate& c, const Evaluation&, std::string&) {
        right += numbering.number_of(c) == c.number ? 1U : 0U;
      };
      options.write = [](const std::string&) {};
      const Explored found = explore(s.space, s.setting, options);
      CHECK(right == found.tally.tried);
      CHECK(found.tally.tried == numbering.enumeration().candidates);
    }
  }
}
