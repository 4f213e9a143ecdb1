#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "search/crossing.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("search: where times cross a limit is found from any guess") {
    std::mt19937_64 random(3);
    const auto up_to = [&](int most) {
      return std::uniform_int_distribution<int>(0, most)(random);
    };
    int none = 0, all = 0;
    for (int trial = 0; trial < 4000; ++trial) {
      std::vector<double> times(static_cast<size_t>(up_to(40)));
      for (double& time : times) time = up_to(trial % 2 == 0 ? 5 : 1000);
      std::sort(times.begin(), times.end());
      const double limit = up_to(1000) - 1;
      const auto wanted =
          static_cast<size_t>(std::upper_bound(times.begin(), times.end(), limit) - times.begin());
      Crossing found{.first = static_cast<size_t>(up_to(50)),
                     .slope = up_to(3) * 0.5,
                     .drift = up_to(60) - 30.0};
      const double expected = up_to(120) - 60.0;
      size_t looks = 0;
      const auto time = [&](size_t at) {
        ++looks;
        REQUIRE(at < times.size());
        return times[at];
      };
      CHECK(first_beyond(limit, times.size(), expected, time, found) == wanted);
      CHECK(found.first == wanted);
      CHECK(looks <= 11);  // five guesses, then halves of 40
      none += wanted == 0 ? 1 : 0;
      all += wanted == times.size() ? 1 : 0;
    }
    CHECK(none > 100);
    CHECK(all > 100);
  }
}
