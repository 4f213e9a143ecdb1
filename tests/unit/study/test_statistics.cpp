#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "study/statistics.hpp"

using namespace afford;
using namespace afford::study;

TEST_SUITE("unit") {
  TEST_CASE("a bias has its sign, a median error has none") {
    const ErrorSummary summary = summary_of({-0.3, -0.2, 0.1});
    CHECK(summary.points == 3);
    CHECK(summary.median == doctest::Approx(0.2));
    CHECK(summary.bias == doctest::Approx(-0.2));
    CHECK(summary_of({}).points == 0);
  }

  TEST_CASE("errors that series share are told from those of single points") {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    std::vector<SeriesError> errors;
    for (int series = 0; series < 400; ++series) {
      const double shared = 0.12 * normal(random);
      for (int point = 0; point < 10; ++point)
        errors.push_back({std::to_string(series), shared + 0.08 * normal(random)});
    }
    const ErrorSpread spread = spread_of(errors);
    // Four hundred effects give their deviation to 3.5 %, less than two of which are asked for; the
    // cut at 1 % of the points takes some 4 % off.
    CHECK(spread.between == doctest::Approx(0.12).epsilon(0.07));
    CHECK(spread.within == doctest::Approx(0.08).epsilon(0.07));
  }

  TEST_CASE("points without an error of their own leave all of it to their series") {
    const ErrorSpread spread = spread_of({{"a", 0.1}, {"a", 0.1}, {"b", -0.1}, {"b", -0.1}});
    CHECK(spread.within == doctest::Approx(0));
    CHECK(spread.between == doctest::Approx(0.1));
  }
}
