#include <doctest/doctest.h>

#include <cmath>

#include "deploy/interval.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("an interval adds up independent errors of series, points, cards and transfer") {
    const ErrorSpread spread{.between = 0.12, .within = 0.09};
    CHECK(log_half_width({.spread = spread}) ==
          doctest::Approx(1.9 * std::sqrt(0.0144 + 0.0081 + 0.0004)));
    CHECK(log_half_width({.spread = spread, .transferred = true}) ==
          doctest::Approx(1.9 * std::sqrt(0.0144 + 0.0081 + 0.0004 + 0.001296)));
    CHECK(log_half_width({.spread = spread, .known_series = true}) ==
          doctest::Approx(1.9 * std::sqrt(0.0081 + 0.0004)));
  }

  TEST_CASE("a served interval is as far below as above, an ideal one only above") {
    const TimeInterval served = served_interval(Seconds(0.02), {.spread = {0.12, 0.09}});
    CHECK(served.low.base() * served.high.base() == doctest::Approx(4e-4));
    CHECK(served.low < Seconds(0.02));
    const TimeInterval ideal = ideal_interval(Seconds(0.02));
    CHECK(ideal.low == Seconds(0.02));
    CHECK(ideal.high > Seconds(0.02));
  }

  TEST_CASE("a first token has an interval of its own spread, where the engine states one") {
    PromptRates rates;
    CHECK_FALSE(first_token_interval(Seconds(0.2), rates).has_value());
    rates.spread = {.between = 0.3, .within = 0.1};
    const auto interval = first_token_interval(Seconds(0.2), rates);
    REQUIRE(interval.has_value());
    const double factor = std::exp(1.9 * std::sqrt(0.09 + 0.01 + 0.0004));
    CHECK(interval->low.base() == doctest::Approx(0.2 / factor));
    CHECK(interval->high.base() == doctest::Approx(0.2 * factor));
  }
}
