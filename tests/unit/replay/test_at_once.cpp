#include <doctest/doctest.h>

#include "traffic/at_once.hpp"
#include "unit/replay/replay_support.hpp"

using namespace afford;
using test::list_source;

TEST_SUITE("unit") {
  TEST_CASE("in flight at once: tokens, not time, are counted") {
    // Two requests of ten tokens together for 10 s, one of ten alone later: 20 tokens see two.
    const auto requests = [] {
      return list_source({{0, 1, 10, {}}, {0, 1, 10, {}}, {100, 1, 10, {}}});
    };
    CHECK(in_flight_at_once(requests(), Seconds(1), 0.33) == 1);
    CHECK(in_flight_at_once(requests(), Seconds(1), 0.34) == 2);
    CHECK(in_flight_at_once(requests(), Seconds(1), 1) == 2);
    // Slower tokens make them meet: 100 s of two, then three until the first two are done.
    CHECK(in_flight_at_once(requests(), Seconds(11), 1) == 3);
  }

  TEST_CASE("in flight at once: of nothing none, and none that makes no token") {
    CHECK(in_flight_at_once(list_source({}), Seconds(1), 0.99) == 0);
    CHECK(in_flight_at_once(list_source({{0, 5, 0, {}}}), Seconds(1), 0.99) == 0);
  }

  TEST_CASE("in flight at once: random arrivals are Poisson with one more, the token's own") {
    // M/G/infinity: a token finds as many others as there are on average, Poisson, and its own.
    const double rate = 40, tokens = 25;
    const RequestSource source = poisson(
        first_of(drawn({}, {.kind = LengthLaw::Kind::fixed, .mean = tokens}, 1), 200'000), rate, 2);
    // Mean 10; P(X <= 17) = 0.9857, P(X <= 18) = 0.9928.
    CHECK(in_flight_at_once(source, Seconds(0.01), 0.99) == doctest::Approx(19).epsilon(0.06));
  }
}
