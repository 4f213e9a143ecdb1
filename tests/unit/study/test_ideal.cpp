#include <doctest/doctest.h>

#include "error.hpp"
#include "study/explanation.hpp"
#include "study/ideal.hpp"

using namespace afford;

namespace {

study::IdealRequest small_comparison() {
  study::IdealRequest request;
  request.models = {"step-3", "deepseek-v3"};
  request.chips = {"h800", "h20"};
  request.contexts = {8192};
  return request;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("study: costs come for every model, chip and context, in the order asked for") {
    const study::IdealInputs inputs = load(small_comparison());
    const std::vector<study::Cost> costs = study::costs(inputs);
    REQUIRE(costs.size() == 4);
    CHECK(costs[0].of.model->name == "step-3");
    CHECK(costs[1].of.chip->name == "h20");
    CHECK(costs[2].of.model->name == "deepseek-v3");
  }

  TEST_CASE("study: a given price scales the cost and says where it is from") {
    study::IdealRequest request = small_comparison();
    const study::IdealInputs plain = load(request);
    const double usd = study::costs(plain).front().ideal.cost.total() / usd_per_mtok;
    request.what_if.prices = {{.chip = "h800",
                               .rate = 2 * plain.chips[0].price.value,
                               .stated = "h800=4",
                               .source = "a quote"}};
    const study::IdealInputs dear = load(request);
    const study::Cost cost = study::costs(dear).front();
    CHECK(cost.ideal.cost.total() / usd_per_mtok == doctest::Approx(2 * usd));
    CHECK(price_origin(dear.chips[0]) == PriceOrigin::given);
    CHECK(price_origin(dear.chips[1]) != PriceOrigin::given);
    CHECK(study::explain(cost.of).figures.back().source == "a quote");
    request.what_if.prices[0].chip = "h900";
    CHECK_THROWS_WITH_AS((void)load(request),
                         "price: 'h900' is not among the chips of this run; did you mean 'h800'?",
                         ValueError);
  }

  TEST_CASE("study: a comparison's pair costs no more than its single chip") {
    const study::IdealInputs inputs = load(small_comparison());
    for (const study::Comparison& c : study::comparisons(inputs)) {
      CHECK(c.afd() <= c.single);
      CHECK(c.attention == cost_of(c.on(c.chips.attention)).ideal.cost.attention);
      CHECK(c.ffn == cost_of(c.on(c.chips.ffn)).ideal.cost.ffn);
    }
  }

  TEST_CASE("study: the time of a token at the chip's price is what it costs") {
    for (const Convention convention : {Convention::paper, Convention::exact}) {
      study::IdealRequest request = small_comparison();
      request.convention = convention;
      const study::IdealInputs inputs = load(request);
      const std::vector<study::Match> matches = study::matches(inputs, {});
      const std::vector<study::Cost> costs = study::costs(inputs);
      REQUIRE(matches.size() == costs.size());
      for (size_t i = 0; i < matches.size(); ++i) {
        const study::Match& match = matches[i];
        REQUIRE(match.of.chip == costs[i].of.chip);
        const UsdRate rate = match.of.chip->price.value;
        const TokenCost& cost = costs[i].ideal.cost;
        CHECK(((match.time.core + match.time.linear) * rate).base() ==
              doctest::Approx(cost.attention.base()));
        CHECK((match.time.ffn * rate).base() == doctest::Approx(cost.ffn.base()));
      }
    }
  }

  TEST_CASE("study: a faster network lets a sparser model keep up") {
    const study::IdealInputs inputs = load(small_comparison());
    const study::Match chip = study::matches(inputs, {}).front();
    study::MatchRequest request;
    request.nic_bandwidth = 2 * inputs.chips[0].nic_bandwidth.value;
    const study::Match faster = study::matches(inputs, request).front();
    CHECK(faster.min_sparsity == doctest::Approx(chip.min_sparsity / 2));
    CHECK(faster.network == 2 * chip.network);
    request.budget.stages = 5;
    CHECK_THROWS_WITH_AS((void)study::matches(inputs, request), "stages: expected 3 or 4, got 5",
                         ValueError);
  }

  TEST_CASE("study: the parts of an explanation add up to its cost") {
    const study::IdealInputs inputs = load(small_comparison());
    const study::CostExplanation e = study::explain(study::costs(inputs).front().of);
    UsdPerToken core(0);
    for (const study::CoreShare& share : e.cores)
      core = core + std::max(share.compute, share.memory);
    CHECK((core / e.core) == doctest::Approx(1));
    CHECK(((e.core + e.projections) / e.cost.ideal.cost.attention) == doctest::Approx(1));
  }
}
