#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "deploy/memory.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "search/explore.hpp"
#include "search/parts.hpp"
#include "search/prompt_forms.hpp"

using namespace afford;

namespace {

std::vector<Scored> brute_force(const std::vector<Scored>& points, Objective objective) {
  std::vector<Scored> kept;
  for (const Scored& a : points) {
    const bool beaten = std::any_of(points.begin(), points.end(), [&](const Scored& b) {
      return a.number != b.number && dominates(b, a, objective);
    });
    if (!beaten) kept.push_back(a);
  }
  std::sort(kept.begin(), kept.end(), [](const Scored& a, const Scored& b) {
    return a.goals.tpot_ms != b.goals.tpot_ms ? a.goals.tpot_ms < b.goals.tpot_ms
                                              : a.number < b.number;
  });
  return kept;
}

std::vector<std::uint64_t> numbers(const auto& points) {
  std::vector<std::uint64_t> list;
  for (const auto& point : points) list.push_back(point.number);
  return list;
}

/// A model, chips and a space small enough to try every candidate by evaluate() alone.
struct Small {
  ModelSpec model;
  std::vector<LayerShape> shapes;
  std::vector<HardwareSpec> chips = load_hardware({"h800", "h20"});
  Space space;
  Setting setting;

  Small(const std::string& name, double context)
      : model(load_models({name}).front()), shapes(layer_shapes(model)) {
    space.chips = &chips;
    space.max_gpus = 40;
    space.attention_splits = {AttentionSplit::shared_output, AttentionSplit::tensor};
    space.batch_steps = 2;
    setting.model = &model;
    setting.shapes = &shapes;
    setting.context = context;
  }
  Small(const Small&) = delete;
  Small& operator=(const Small&) = delete;
};

constexpr Objective objectives[] = {Objective::throughput, Objective::cost, Objective::both};

/// An H200 whose kernels read little at a sixth of the measured rate: where the fractions jump, a
/// larger batch is the faster one.
HardwareSpec dipping_chip() {
  constexpr size_t slow_knots = 10;  // of the first ones
  std::vector<HardwareSpec> chips = load_hardware({"h200"});
  std::vector<HardwareSpec*> pointers{chips.data()};
  attach_calibrations(pointers, "h200");
  const ChipTiming& own = *chips.front().measured;
  const auto timing = std::make_shared<ChipTiming>(own);
  for (ChipTiming::ByPrecision& both : timing->curves) {
    for (const OperationCurve** curve : {&both.bf16, &both.fp8}) {
      if (*curve != nullptr) *curve = timing->own_curves.data() + (*curve - own.own_curves.data());
    }
  }
  for (OperationCurve& curve : timing->own_curves) {
    std::vector<double>& fraction = curve.memory.fraction;
    for (size_t i = 0; i < std::min(slow_knots, fraction.size()); ++i) fraction[i] /= 6;
  }
  chips.front().measured = timing;
  return chips.front();
}

/// The TPOT limit in the middle of the deepest fall from one batch of a co-located pool to a larger
/// one, and how deep it is.
struct Dip {
  double depth = 1;  // TPOT after over TPOT before
  Seconds limit;
};
Dip deepest_dip(const Small& s) {
  Dip dip;
  Candidate before;
  Seconds slowest;
  ExploreOptions options;
  options.threads = 1;
  options.describe = [&](const Candidate& c, const Evaluation& e, std::string&) {
    const bool same = before.way == c.way && before.attention.size() == c.attention.size() &&
                      before.micro_batches == c.micro_batches && before.batch < c.batch;
    slowest = same ? std::max(slowest, e.tpot) : e.tpot;
    before = c;
    if (e.tpot / slowest < dip.depth) dip = {e.tpot / slowest, 0.5 * (e.tpot + slowest)};
  };
  (void)explore(s.space, s.setting, options);
  return dip;
}

/// Every candidate in the order of its number, with the verdict evaluate() gives it.
struct Tried {
  std::vector<Candidate> feasible;
  Tally tally;
};
Tried try_all(const Small& s) {
  Tried out;
  ExploreOptions options;
  options.threads = 1;
  options.describe = [&](const Candidate& c, const Evaluation& given, std::string&) {
    const Evaluation own = evaluate(c, s.space, s.setting);  // nothing shared, nothing kept
    REQUIRE(own.tpot == given.tpot);
    REQUIRE(own.cost == given.cost);
    REQUIRE(own.tokens_per_gpu == given.tokens_per_gpu);
    REQUIRE(own.verdict == given.verdict);
    ++out.tally.tried;
    if (own.verdict == Verdict::slow) ++out.tally.slow;
    if (own.verdict == Verdict::attention_memory) ++out.tally.attention_memory;
    if (own.verdict == Verdict::ffn_memory) ++out.tally.ffn_memory;
    if (own.verdict == Verdict::feasible) out.feasible.push_back(c);
  };
  (void)explore(s.space, s.setting, options);
  out.tally.feasible = out.feasible.size();
  return out;
}

}  // namespace

TEST_SUITE("property") {
  TEST_CASE("the frontier is what brute force keeps, in any order of adding, ties included") {
    std::mt19937_64 random(7);
    std::uniform_int_distribution<int> few(1, 12);  // few values: many ties
    for (int round = 0; round < 200; ++round) {
      std::vector<Scored> points;
      for (std::uint64_t i = 0; i < 60; ++i) {
        points.push_back({{static_cast<double>(few(random)), static_cast<double>(few(random)),
                           static_cast<double>(few(random))},
                          i});
      }
      for (const Objective objective : objectives) {
        const auto expected = numbers(brute_force(points, objective));
        Frontier<Scored> frontier(objective);
        for (const Scored& point : points) frontier.add(point);
        CHECK(numbers(frontier.points()) == expected);
        std::shuffle(points.begin(), points.end(), random);
        Frontier<Scored> first(objective), second(objective);
        for (size_t i = 0; i < points.size(); ++i) (i % 3 == 0 ? first : second).add(points[i]);
        first.add(second);
        CHECK(numbers(first.points()) == expected);
      }
    }
  }

  TEST_CASE(
      "a search finds the brute-force frontier; every number is that of simulate; no pruning "
      "shows") {
    for (const char* name : {"step-3", "qwen3-30b-a3b", "minimax-m1", "llama-3.1-70b"}) {
      CAPTURE(name);
      Small s(name, 8192);
      const Tried all = try_all(s);
      REQUIRE(all.tally.feasible > 50);
      for (const Objective objective : objectives) {
        const Explored found = explore(s.space, s.setting, {.objective = objective});
        CHECK(found.complete);
        CHECK(found.candidates == all.tally.tried);
        CHECK(found.tally.tried == all.tally.tried);
        CHECK(found.tally.feasible == all.tally.feasible);
        CHECK(found.tally.slow == all.tally.slow);
        CHECK(found.tally.attention_memory + found.tally.ffn_memory ==
              all.tally.attention_memory + all.tally.ffn_memory);
        Frontier<Scored> expected(objective);
        const std::vector<Scored> plain(all.feasible.begin(), all.feasible.end());
        CHECK(numbers(found.frontier.points()) == numbers(brute_force(plain, objective)));
      }
    }
  }

  TEST_CASE("so it does over every layout of one pool; what it finds, simulate takes") {
    for (const char* name : {"deepseek-v3", "qwen3-32b"}) {
      CAPTURE(name);
      Small s(name, 8192);
      s.chips = load_hardware({"h20"});
      s.space.max_gpus = 16;
      s.space.ways = {Way::mixed};
      s.space.batch_steps = 1;
      const Tried all = try_all(s);
      REQUIRE(all.tally.feasible > 50);
      std::set<std::string> labels;
      for (const Candidate& c : all.feasible) {
        const Colocated deployment = colocated(c, s.space);
        REQUIRE_FALSE(objection(deployment.layout, deployment.pool));
        REQUIRE_FALSE(objection(deployment.layout, s.model));
        REQUIRE(parse_layout(parallelism(c)) == deployment.layout);
        labels.insert(label(c));
      }
      CHECK(labels.contains("TP8"));
      CHECK(labels.contains("TP8,PP2"));
      CHECK(labels.contains("TP8DP2+EP16") == (s.model.name == "deepseek-v3"));
      CHECK(labels.contains("TP8,CP8") == (s.model.name == "deepseek-v3"));
      CHECK(labels.contains("TP16,CP2"));
      for (const Objective objective : objectives) {
        const Explored found = explore(s.space, s.setting, {.objective = objective});
        CHECK(found.candidates == all.tally.tried);
        CHECK(found.tally.feasible == all.tally.feasible);
        CHECK(found.tally.slow == all.tally.slow);
        CHECK(found.tally.attention_memory == all.tally.attention_memory);
        const std::vector<Scored> plain(all.feasible.begin(), all.feasible.end());
        CHECK(numbers(found.frontier.points()) == numbers(brute_force(plain, objective)));
      }
    }
  }

  TEST_CASE("so it does where a larger batch is the faster one, as curves have it here and there") {
    Small s("qwen3-moe", 8192);
    s.chips = {dipping_chip()};
    s.space.max_gpus = 16;
    s.space.batch_steps = 1;
    s.space.ways = {Way::expert_parallel};
    s.setting.tpot_limit = Seconds(10);
    const Dip dip = deepest_dip(s);
    REQUIRE(dip.depth < 0.9);
    s.setting.tpot_limit = dip.limit;
    const Tried all = try_all(s);
    const Explored found = explore(s.space, s.setting, {.objective = Objective::throughput});
    CHECK(found.tally.feasible == all.tally.feasible);
    CHECK(found.tally.slow == all.tally.slow);
    const std::vector<Scored> plain(all.feasible.begin(), all.feasible.end());
    CHECK(numbers(found.frontier.points()) == numbers(brute_force(plain, Objective::throughput)));
  }

  TEST_CASE("so it does with AFD cut behind the projections or at the core") {
    for (const char* name : {"step-3", "qwen3-30b-a3b"}) {
      CAPTURE(name);
      Small s(name, 32768);
      s.space.max_gpus = 24;
      s.space.ways = {Way::disaggregated};
      s.space.boundaries = {Boundary::attention, Boundary::core};
      const Tried all = try_all(s);
      const auto at_core = std::count_if(all.feasible.begin(), all.feasible.end(), [](auto& c) {
        return c.boundary == Boundary::core && label(c).ends_with(",core");
      });
      REQUIRE(at_core > 50);
      REQUIRE(std::ssize(all.feasible) - at_core > 50);
      for (const Objective objective : objectives) {
        const Explored found = explore(s.space, s.setting, {.objective = objective});
        CHECK(found.candidates == all.tally.tried);
        const std::vector<Scored> plain(all.feasible.begin(), all.feasible.end());
        CHECK(numbers(found.frontier.points()) == numbers(brute_force(plain, objective)));
      }
    }
  }

  TEST_CASE("so it does wherever router, shared experts and dense layers stand") {
    Small s("step-3", 8192);
    s.space.max_gpus = 24;
    s.space.ways = {Way::disaggregated};
    s.space.places = {AfdPool::ffn, AfdPool::attention, AfdPool::attention};
    const Tried all = try_all(s);
    REQUIRE(all.tally.feasible > 50);
    CHECK(label(all.feasible.front()).ends_with("F,router=ffn,shared=attention,dense=attention"));
    const Explored found = explore(s.space, s.setting, {.objective = Objective::both});
    CHECK(found.candidates == all.tally.tried);
    const std::vector<Scored> plain(all.feasible.begin(), all.feasible.end());
    CHECK(numbers(found.frontier.points()) == numbers(brute_force(plain, Objective::both)));
  }

  TEST_CASE("so it does under a direct runtime, which joins some pools alone") {
    Small s("qwen3-30b-a3b", 4096);
    s.chips = load_hardware({"h100", "h200"});
    attach_calibrations(pointers_to(s.chips), "");
    s.setting.engine = load_engine("afford");
    s.space.max_gpus = 6;
    s.space.instance_sizes = {1};
    s.space.ways = {Way::disaggregated};
    s.space.batch_steps = 1;
    const Tried all = try_all(s);
    REQUIRE(all.tally.feasible > 50);
    for (const Objective objective : objectives) {
      const Explored found = explore(s.space, s.setting, {.objective = objective});
      CHECK(found.candidates == all.tally.tried);
      CHECK(found.tally.feasible == all.tally.feasible);
      const std::vector<Scored> plain(all.feasible.begin(), all.feasible.end());
      CHECK(numbers(found.frontier.points()) == numbers(brute_force(plain, objective)));
    }
  }

  // Decoding by evaluate() alone, what prompts add by the formulas of a request's bill.
  TEST_CASE("so it does with prompts counted, apart or beside the tokens, within both limits") {
    for (const char* name : {"step-3", "llama-3.1-70b"}) {
      CAPTURE(name);
      Small s(name, 4500);
      s.space.max_gpus = 16;
      s.space.ways = {Way::disaggregated, Way::expert_parallel, Way::tensor_parallel, Way::mixed};
      s.space.batch_steps = 1;
      s.setting.engine = load_engine("vllm");
      WholeRequests requests{.prompt = 4000, .output = 1000, .hit_rate = 0.3, .pools = {}};
      requests.ttft_limit = Seconds(0.35);
      for (const HardwareSpec& chip : s.chips) {
        for (const Colocated& pool : prompt_pools(chip, 16, s.setting, 2))
          requests.pools.push_back(timed(pool, s.setting, requests));
      }
      REQUIRE(requests.pools.size() >= 2);
      s.space.requests = requests;
      std::vector<Scored> feasible;
      std::set<std::pair<bool, bool>> forms;  // of the feasible: AFD or not, apart or not
      Tally tally;
      std::uint64_t late = 0, expected = 0, wrong = 0;
      ExploreOptions options;
      options.threads = 1;
      options.describe = [&](const Candidate& c, const Evaluation& given, std::string&) {
        const Evaluation own = evaluate(c, s.space, s.setting);
        const WholeOutcome whole = whole_outcome(c, s.space, s.setting);
        const bool same = whole.tpot == given.tpot && whole.cost == given.cost &&
                          whole.verdict == given.verdict &&
                          whole.tokens_per_gpu.base() == c.goals.tokens_per_gpu_s;
        const bool dearer = whole.tokens_per_gpu < own.tokens_per_gpu && whole.cost > own.cost;
        wrong += c.number != expected++ || !same || !dearer;
        ++tally.tried;
        tally.slow += whole.verdict == Verdict::slow;
        late += fits(own.verdict) && whole.tpot <= s.setting.tpot_limit &&
                whole.ttft > *requests.ttft_limit;
        if (whole.verdict != Verdict::feasible) return;
        feasible.push_back(c);
        forms.emplace(c.way == Way::disaggregated, c.prompts == Prompts::apart);
      };
      (void)explore(s.space, s.setting, options);
      CHECK(wrong == 0);
      CHECK(late > 50);
      CHECK(forms.size() == 3);
      for (const Objective objective : objectives) {
        const Explored found = explore(s.space, s.setting, {.objective = objective});
        CHECK(found.candidates == tally.tried);
        CHECK(found.tally.tried == tally.tried);
        CHECK(found.tally.feasible == feasible.size());
        CHECK(found.tally.slow == tally.slow);
        CHECK(numbers(found.frontier.points()) == numbers(brute_force(feasible, objective)));
        Frontier<Candidate> joined(objective);
        for (std::uint64_t i : {2U, 0U, 1U})
          joined.add(
              explore(s.space, s.setting, {.objective = objective, .shard = {i, 3}}).frontier);
        CHECK(numbers(joined.points()) == numbers(found.frontier.points()));
        for (const std::optional<Candidate>& best : found.forms) {
          REQUIRE(best.has_value());
          const std::vector<Candidate>& points = found.frontier.points();
          const Goals& won = points[static_cast<size_t>(winner(points, objective))].goals;
          CHECK((counts_money(objective) ? best->goals.usd_per_mtok >= won.usd_per_mtok
                                         : best->goals.tokens_per_gpu_s <= won.tokens_per_gpu_s));
        }
      }
    }
  }

  TEST_CASE("numbers count the candidates one by one") {
    Small s("step-3", 8192);
    std::uint64_t expected = 0;
    ExploreOptions options;
    options.threads = 1;
    std::uint64_t wrong = 0;
    options.describe = [&](const Candidate& c, const Evaluation&, std::string&) {
      wrong += c.number != expected++;
    };
    const Explored found = explore(s.space, s.setting, options);
    CHECK(wrong == 0);
    CHECK(expected == found.candidates);
  }

  TEST_CASE("threads and shards do not change the frontier") {
    Small s("deepseek-v3", 4096);
    s.space.max_gpus = 96;
    const Explored one = explore(s.space, s.setting, {.objective = Objective::both, .threads = 1});
    const Explored many = explore(s.space, s.setting, {.objective = Objective::both, .threads = 4});
    CHECK(numbers(many.frontier.points()) == numbers(one.frontier.points()));
    Frontier<Candidate> joined(Objective::both);
    Tally tally;
    for (std::uint64_t i : {2U, 0U, 4U, 1U, 3U}) {
      const Explored part =
          explore(s.space, s.setting, {.objective = Objective::both, .shard = {i, 5}});
      joined.add(part.frontier);
      tally += part.tally;
    }
    CHECK(numbers(joined.points()) == numbers(one.frontier.points()));
    CHECK(tally.tried == one.tally.tried);
    CHECK(tally.slow == one.tally.slow);
  }

  TEST_CASE("small deployments first change nothing") {
    Small s("step-3", 8192);
    s.space.max_gpus = 128;
    s.space.inventory = {16, 128};
    s.space.batch_steps = 1;
    s.space.micro_batches = {3};
    const ExploreOptions ringed;
    REQUIRE(rings_of(s.space, s.setting, ringed).most == std::vector<std::int64_t>{16, 128});
    ExploreOptions each_by_itself;  // in the order of the numbers
    each_by_itself.describe = [](const Candidate&, const Evaluation&, std::string&) {};
    REQUIRE_FALSE(rings_of(s.space, s.setting, each_by_itself).several());
    const Explored found = explore(s.space, s.setting, ringed),
                   expected = explore(s.space, s.setting, each_by_itself);
    CHECK(numbers(found.frontier.points()) == numbers(expected.frontier.points()));
    CHECK(found.tally.tried == expected.tally.tried);
    CHECK(found.tally.feasible == expected.tally.feasible);
    CHECK(found.tally.slow == expected.tally.slow);
    CHECK(found.fastest->number == expected.fastest->number);
  }

  TEST_CASE("more to choose from never makes the best worse") {
    Small s("step-3", 8192);
    const auto best = [&] {
      const Explored found = explore(s.space, s.setting, {.objective = Objective::cost});
      const auto& points = found.frontier.points();
      return points[static_cast<size_t>(winner(points, Objective::cost))].goals.usd_per_mtok;
    };
    const double before = best();
    s.space.batch_steps = 8;
    const double finer = best();
    CHECK(finer <= before);
    s.space.max_gpus = 64;
    const double larger = best();
    CHECK(larger <= finer);
    s.setting.tpot_limit = 1.5 * s.setting.tpot_limit;
    CHECK(best() <= larger);
  }

  TEST_CASE("a stopped search says so and keeps what it has") {
    Small s("step-3", 8192);
    const std::atomic<bool> stop = true;
    const Explored found = explore(s.space, s.setting, {.stop = &stop});
    CHECK_FALSE(found.complete);
    CHECK(found.tally.tried == 0);
  }

  TEST_CASE("inventory bounds both pools of a chip together") {
    Small s("step-3", 8192);
    s.space.inventory = {16, 8};
    bool within_bounds = true, mixed = false;
    ExploreOptions options;
    options.threads = 1;
    options.describe = [&](const Candidate& c, const Evaluation&, std::string&) {
      std::array<std::int64_t, 2> used{};
      used[c.attention.chip] += std::int64_t{c.attention.instances} * c.attention.accelerators;
      if (c.way == Way::disaggregated)
        used[c.ffn.chip] += std::int64_t{c.ffn.instances} * c.ffn.accelerators;
      within_bounds = within_bounds && used[0] <= 16 && used[1] <= 8;
      mixed = mixed || (used[0] > 0 && used[1] > 0);
    };
    (void)explore(s.space, s.setting, options);
    CHECK(within_bounds);
    CHECK(mixed);
  }

  TEST_CASE("splits are those simulate accepts, each once") {
    Small s("step-3", 8192);
    for (const std::int64_t instances : {1, 2, 3, 6}) {
      const Pool pool{s.chips.data(), instances, 8};
      const auto splits = splits_of(instances, 8, most_experts(s.model));
      size_t accepted = 0;
      for (std::int64_t tensor = 1; tensor <= 8; ++tensor) {
        for (std::int64_t expert = 1; expert <= 8 * instances; ++expert) {
          try {
            (void)resolved({tensor, expert}, pool, s.model);
            ++accepted;
          } catch (const std::exception&) {
          }
        }
      }
      CHECK(splits.size() == accepted);
    }
  }
}
