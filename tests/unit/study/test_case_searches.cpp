#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ask.hpp"
#include "study/kept_frontiers.hpp"

using namespace afford;

namespace {

study::SweepPoint priced(double usd_per_hour) {
  return {{.parameter = study::Parameter::price,
           .chip = "h20",
           .text = fmt::format("{}", usd_per_hour),
           .number = usd_per_hour,
           .value = usd_per_hour / 3600}};
}

study::SweepPoint within(double milliseconds) {
  return {{.parameter = study::Parameter::tpot,
           .chip = {},
           .text = fmt::format("{}ms", milliseconds),
           .number = milliseconds,
           .value = milliseconds / 1000}};
}

study::SweptValue at_most(study::Parameter parameter, const std::string& chip, int accelerators) {
  return {.parameter = parameter,
          .chip = chip,
          .text = fmt::format("{}", accelerators),
          .number = static_cast<double>(accelerators),
          .value = static_cast<double>(accelerators)};
}

study::FrontierRequest small_request(Objective objective) {
  study::FrontierRequest request;
  request.models = {"qwen3-30b-a3b"};
  request.contexts = {8192};
  request.chips = {"h800", "h20"};
  request.calibration = "none";
  request.max_gpus = 16;
  request.batch_steps = 1;
  request.objective = objective;
  return request;
}

void check_same(const study::FrontierResult& result, const study::FrontierResult& own) {
  CHECK(result.winner == own.winner);
  CHECK(result.worst_deviation == own.worst_deviation);
  CHECK(result.found.tally.feasible == own.found.tally.feasible);
  CHECK(result.found.tally.slow == own.found.tally.slow);
  REQUIRE(result.points.size() == own.points.size());
  for (size_t p = 0; p < own.points.size(); ++p) {
    const study::FrontierPoint &point = result.points[p], &expected = own.points[p];
    CHECK(point.of == result.of);
    CHECK(point.candidate.number == expected.candidate.number);
    CHECK(point.candidate.goals.usd_per_mtok == expected.candidate.goals.usd_per_mtok);
    CHECK(point.evaluation.cost == expected.evaluation.cost);
    CHECK(point.evaluation.verdict == expected.evaluation.verdict);
    CHECK(point.served.interval.known() == expected.served.interval.known());
    CHECK(point.served.chips.front().chip == &point.attention_chip());
  }
}

/// Points of the sweep together, each of which must be what it is alone.
study::Frontiers check_together(const study::FrontierRequest& request,
                                const std::vector<study::FrontierCase>& cases) {
  study::Frontiers together = study::frontiers(request, cases, {});
  REQUIRE(together.results.size() == request.sweep.size());
  for (size_t i = 0; i < request.sweep.size(); ++i) {
    CAPTURE(i);
    study::FrontierRequest alone = request;
    alone.sweep = {request.sweep[i]};
    const auto own_cases = study::frontier_cases(alone);
    CHECK(together.results[i].of == &cases[i]);
    check_same(together.results[i], study::frontiers(alone, own_cases, {}).results[0]);
  }
  return together;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("contexts are searched with the FFN times that others left") {
    study::FrontierRequest request = small_request(Objective::throughput);
    request.contexts = {4096, 16384, 8192};
    const auto cases = study::frontier_cases(request);
    const study::Frontiers all = study::frontiers(request, cases, {});
    REQUIRE(all.results.size() == 3);
    for (size_t i = 0; i < cases.size(); ++i) {
      study::FrontierRequest single = request;
      single.contexts = {request.contexts[i]};
      const auto one = study::frontier_cases(single);
      check_same(all.results[i], study::frontiers(single, one, {}).results.front());
    }
  }

  TEST_CASE("study: prices from one search are those of a search at each") {
    study::FrontierRequest request = small_request(Objective::cost);
    request.sweep = {priced(2), priced(0.5), priced(9)};
    const auto cases = study::frontier_cases(request);
    const study::Frontiers together = check_together(request, cases);
    CHECK(together.results[0].points[0].candidate.goals.usd_per_mtok !=
          together.results[2].points[0].candidate.goals.usd_per_mtok);
  }

  TEST_CASE("study: TPOT limits from one search are those of a search under each") {
    for (const Objective objective : {Objective::throughput, Objective::cost}) {
      study::FrontierRequest request = small_request(objective);
      request.sweep = {within(20), within(100), within(0.5), within(12)};
      const auto cases = study::frontier_cases(request);
      const study::Frontiers together = check_together(request, cases);
      CHECK(together.results[0].points.size() < together.results[1].points.size());
      CHECK(together.results[2].points.empty());
    }
  }

  TEST_CASE("study: prices and TPOT limits together are those of a search at each") {
    for (const Objective objective : {Objective::throughput, Objective::cost}) {
      study::FrontierRequest request = small_request(objective);
      for (const double usd : {0.5, 2.0}) {
        for (const double ms : {12.0, 50.0}) {
          study::SweepPoint& point = request.sweep.emplace_back(priced(usd));
          point.push_back(within(ms).front());
        }
      }
      request.sweep.erase(request.sweep.begin());  // the one without a value
      const auto cases = study::frontier_cases(request);
      (void)check_together(request, cases);
    }
  }

  TEST_CASE("study: inventories from one search are those of a search with each") {
    for (const Objective objective : {Objective::throughput, Objective::both}) {
      for (const char* chip : {"h20", "h800"}) {
        study::FrontierRequest request = small_request(objective);
        request.sweep.clear();
        for (const int most : {8, 0, 3, 16, 100})
          request.sweep.push_back({at_most(study::Parameter::inventory, chip, most)});
        const auto cases = study::frontier_cases(request);
        const study::Frontiers together = check_together(request, cases);
        CHECK(together.results[0].found.candidates < together.results[3].found.candidates);
        CHECK(together.results[3].found.candidates == together.results[4].found.candidates);
      }
    }
  }

  TEST_CASE("study: accelerators of a deployment from one search, at prices and limits too") {
    for (const Objective objective : {Objective::throughput, Objective::cost}) {
      study::FrontierRequest request = small_request(objective);
      request.sweep.clear();
      for (const double usd : {0.5, 2.0}) {
        for (const double ms : {12.0, 50.0}) {
          for (const int most : {16, 4, 12}) {
            study::SweepPoint& point = request.sweep.emplace_back(priced(usd));
            point.push_back(at_most(study::Parameter::inventory, "h20", 8));
            point.push_back(at_most(study::Parameter::gpus, "", most));
            point.push_back(within(ms).front());
          }
        }
      }
      (void)check_together(request, study::frontier_cases(request));
      request.ways = {Way::mixed, Way::disaggregated};  // batches of their own
      (void)check_together(request, study::frontier_cases(request));
      request.ways.clear();
      request.shard = {.index = 1, .of = 3};
      (void)check_together(request, study::frontier_cases(request));
    }
  }

  TEST_CASE("study: one search for all inventories, and for each of another") {
    study::FrontierRequest request = small_request(Objective::throughput);
    request.sweep.clear();
    for (const int other : {8, 16}) {
      for (const int most : {0, 8, 16}) {
        request.sweep.push_back({at_most(study::Parameter::inventory, "h800", other),
                                 at_most(study::Parameter::inventory, "h20", most)});
      }
    }
    const auto cases = study::frontier_cases(request);
    size_t searched = 0;
    bool fresh = true;
    study::FrontierHooks hooks{.tried = [&](const Found&) {
      searched += fresh ? 1U : 0U;
      fresh = false;
    }};
    hooks.finished = [&](std::uint64_t) { fresh = true; };
    (void)study::frontiers(request, cases, hooks);
    CHECK(searched == 2);
    (void)check_together(request, cases);
  }

  TEST_CASE("study: what is kept of a frontier answers for other TPOT limits") {
    for (const Objective objective : {Objective::both, Objective::throughput}) {
      study::KeptFrontiers kept;
      study::FrontierRequest request = small_request(objective);
      for (const double ms : {50.0, 20.0, 21.0, 12.5, 1.0, 300.0, 50.0, 20.0}) {
        CAPTURE(ms);
        request.tpot_limit = ms * millisecond;
        const auto cases = study::frontier_cases(request);
        const study::Frontiers found = study::frontiers(request, cases, {.kept = &kept});
        const study::Frontiers own = study::frontiers(request, cases, {});
        REQUIRE(found.results.size() == own.results.size());
        for (size_t i = 0; i < own.results.size(); ++i)
          check_same(found.results[i], own.results[i]);
      }
    }
  }

  TEST_CASE("study: a limit that is kept takes no search") {
    study::KeptFrontiers kept;
    study::FrontierRequest request = small_request(Objective::throughput);
    int searched = 0;
    study::FrontierHooks hooks{.tried = [&](const Found&) { ++searched; }};
    hooks.kept = &kept;
    const auto searches = [&](double ms) {
      searched = 0;
      request.tpot_limit = ms * millisecond;
      const auto cases = study::frontier_cases(request);
      (void)study::frontiers(request, cases, hooks);
      return searched > 0;
    };
    CHECK(searches(50));
    CHECK(searches(40));
    for (const int ms : {39, 77, 50, 20, 200}) {
      CAPTURE(ms);
      CHECK_FALSE(searches(ms));
    }
    CHECK(searches(40.5));
    CHECK_FALSE(searches(40.5));
    CHECK_FALSE(searches(40));
  }

  TEST_CASE("ask: what is kept of questions is of those that differ in --tpot alone") {
    const Values values = {{"model", "qwen3-30b-a3b"},
                           {"on", std::vector<std::string>{"h800", "h20"}},
                           {"context", "8k"},
                           {"max-gpus", std::int64_t{16}},
                           {"batch-steps", std::int64_t{1}}};
    Kept kept;
    for (const char* context : {"8k", "16k", "8k"}) {
      for (const char* tpot : {"50ms", "20ms", "21ms", "0.02s"}) {
        CAPTURE(context);
        CAPTURE(tpot);
        Values asked = values;
        asked["tpot"] = tpot;
        asked["context"] = context;
        const Answer answer = ask("pareto", asked, {.kept = &kept}), own = ask("pareto", asked);
        REQUIRE(own.table);
        REQUIRE(answer.table);
        CHECK(answer.said == own.said);
        CHECK(render(*answer.table, Format::csv) == render(*own.table, Format::csv));
        CHECK(answer.table->notes == own.table->notes);
      }
    }
  }
}
