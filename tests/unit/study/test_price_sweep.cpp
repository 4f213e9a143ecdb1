#include <doctest/doctest.h>
#include <fmt/format.h>

#include "study/frontier.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("study: prices from one search are those of a search at each") {
    study::FrontierRequest request;
    request.models = {"qwen3-30b-a3b"};
    request.contexts = {8192};
    request.chips = {"h800", "h20"};
    request.calibration = "none";
    request.max_gpus = 16;
    request.batch_steps = 1;
    request.objective = Objective::cost;
    const auto priced = [](double usd_per_hour) {
      return study::SweepPoint{{.parameter = study::Parameter::price,
                                .chip = "h20",
                                .text = fmt::format("{}", usd_per_hour),
                                .number = usd_per_hour,
                                .value = usd_per_hour / 3600}};
    };
    request.sweep = {priced(2), priced(0.5), priced(9)};
    const auto cases = study::frontier_cases(request);
    const study::Frontiers together = study::frontiers(request, cases, {});
    REQUIRE(together.results.size() == 3);
    for (size_t i = 0; i < 3; ++i) {
      CAPTURE(i);
      study::FrontierRequest alone = request;
      alone.sweep = {request.sweep[i]};
      const auto own_cases = study::frontier_cases(alone);
      const study::Frontiers own = study::frontiers(alone, own_cases, {});
      const auto &points = together.results[i].points, &expected = own.results[0].points;
      REQUIRE(points.size() == expected.size());
      CHECK(together.results[i].winner == own.results[0].winner);
      CHECK(together.results[i].worst_deviation == own.results[0].worst_deviation);
      for (size_t p = 0; p < points.size(); ++p) {
        CHECK(points[p].of == &cases[i]);
        CHECK(points[p].candidate.number == expected[p].candidate.number);
        CHECK(points[p].candidate.goals.usd_per_mtok == expected[p].candidate.goals.usd_per_mtok);
        CHECK(points[p].evaluation.cost == expected[p].evaluation.cost);
        CHECK(points[p].served.interval.known() == expected[p].served.interval.known());
        CHECK(points[p].served.chips.front().chip == &points[p].attention_chip());
      }
    }
    CHECK(together.results[0].points[0].candidate.goals.usd_per_mtok !=
          together.results[2].points[0].candidate.goals.usd_per_mtok);
  }
}
