#include <doctest/doctest.h>

#include "error.hpp"
#include "study/sweep.hpp"

using namespace afford;
using study::Parameter;

TEST_SUITE("unit") {
  TEST_CASE("sweep: every parameter stands at its own place in the table") {
    for (const study::ParameterInfo& info : study::parameters)
      CHECK(study::info_of(info.parameter).name == info.name);
  }

  TEST_CASE("sweep: a point is applied to what it is of") {
    study::DeploymentRequest request;
    request.afd.emplace();
    const study::SweepPoint point = {
        {Parameter::tpot, "", "40ms", 40, 0.040},
        {Parameter::price, "h20", "0.5", 0.5, (0.5 * usd_per_hour).base()},
        {Parameter::context, "", "32k", 32768, 32768},
        {Parameter::batch, "", "768", 768, 768}};
    study::apply_sweep(point, request);
    CHECK(request.tpot_limit == Seconds(0.040));
    REQUIRE(request.what_if.prices.size() == 1);
    CHECK(request.what_if.prices[0].chip == "h20");
    CHECK(request.what_if.prices[0].rate == 0.5 * usd_per_hour);
    CHECK(request.contexts == std::vector<std::int64_t>{32768});
    CHECK(request.afd->batch == 768);
    CHECK(text_of(point) == "tpot 40ms, price.h20 0.5, context 32k, batch 768");
  }

  TEST_CASE("sweep: a value that nothing takes is refused") {
    const study::SweepPoint point = {{Parameter::batch_per_gpu, "", "64", 64, 64}};
    study::DeploymentRequest request;
    request.afd.emplace();
    CHECK_THROWS_WITH_AS(study::apply_sweep(point, request),
                         "sweep: batch-per-gpu has no effect without a co-located pool",
                         ValueError);
    study::SearchRequest search;
    CHECK_THROWS_AS(study::apply_sweep(point, search), ValueError);
  }

  TEST_CASE("sweep: an inventory is of a search") {
    const study::SweepPoint point = {{Parameter::inventory, "h20", "16", 16, 16},
                                     {Parameter::inventory, "h800", "0", 0, 0}};
    study::SearchRequest search;
    search.inventory = {{.chip = "910b", .accelerators = 8}};
    study::apply_sweep(point, search);
    REQUIRE(search.inventory.size() == 3);
    CHECK(search.inventory[1].chip == "h20");
    CHECK(search.inventory[1].accelerators == 16);
    CHECK(search.inventory[2].chip == "h800");
    CHECK(search.inventory[2].accelerators == 0);
    CHECK(text_of(point) == "inventory.h20 16, inventory.h800 0");
    CHECK_THROWS_WITH_AS(
        study::apply_sweep({{Parameter::inventory, "h20", "4097", 4097, 4097}}, search),
        "sweep: inventory.h20 expects a number from 0 to 4096, got 4097", ValueError);
    study::DeploymentRequest request;
    request.colocated.emplace();
    CHECK_THROWS_WITH_AS(study::apply_sweep(point, request),
                         "sweep: inventory.h20 has no effect without a search: a deployment says "
                         "what it takes",
                         ValueError);
  }

  TEST_CASE("sweep: a workload's values have their ranges") {
    Workload workload;
    study::apply_sweep({{Parameter::percentile, "", "95", 95, 95}}, workload);
    CHECK(workload.target.percentile == doctest::Approx(0.95));
    CHECK_THROWS_WITH_AS(study::apply_sweep({{Parameter::headroom, "", "2", 2, 2}}, workload),
                         "sweep: headroom expects a number from 0 to 0.95, got 2", ValueError);
  }

  TEST_CASE("sweep: break-even points lie where two lines cross") {
    // a: 1 + x, b: 3; they cross at 2, between the values tried.
    const std::vector<study::SweptCost> costs = {
        {"m", "a", 1, 2}, {"m", "b", 1, 3}, {"m", "a", 3, 4}, {"m", "b", 3, 3}, {"m", "c", 3, 9}};
    const std::vector<study::BreakEvens> found = study::break_evens(costs, Parameter::price);
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].changes.size() == 1);
    CHECK(found[0].changes[0].until == "a");
    CHECK(found[0].changes[0].at == doctest::Approx(2));
    CHECK(found[0].last == "b");
    // Accelerators are whole, and what more of them allow comes at once.
    for (const Parameter along : {Parameter::inventory, Parameter::gpus}) {
      const std::vector<study::BreakEvens> steps = study::break_evens(costs, along);
      REQUIRE(steps[0].changes.size() == 1);
      CHECK(steps[0].changes[0].at == 1);
    }
    for (const study::SweptCost& cost : study::ever_cheapest(costs)) CHECK(cost.choice != "c");
  }
}
