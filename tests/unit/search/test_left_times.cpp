#include <doctest/doctest.h>

#include "search/left_times.hpp"

using namespace afford;

namespace {

LeftTimes::Times times_of(int tokens) {
  LeftTimes::Times times;
  times.emplace_back(2);
  for (int i = 1; i <= tokens; ++i)
    (void)times[0].of(i, [&](double* made) { made[0] = made[1] = 0.5 * i; });
  return times;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("FFN times left behind are taken once, as they were made") {
    LeftTimes left;
    left.leave(3, times_of(2000));
    CHECK(left.take(2).empty());
    LeftTimes::Times times = left.take(3);
    REQUIRE(times.size() == 1);
    bool made_again = false;
    const double* known = times[0].of(1999, [&](double*) { made_again = true; });
    CHECK(known[1] == 0.5 * 1999);
    CHECK_FALSE(made_again);
    CHECK(left.take(3).empty());
    CHECK(left.bytes() == 0);
  }

  TEST_CASE("FFN times that would take too much memory are not kept") {
    const size_t each = times_of(2000).front().bytes();
    CHECK(each > 2000 * 3 * sizeof(double));
    LeftTimes left(2 * each);
    left.leave(0, times_of(2000));
    left.leave(1, times_of(2000));
    left.leave(2, times_of(2000));
    CHECK(left.bytes() == 2 * each);
    CHECK(left.take(2).empty());
    left.leave(1, times_of(1000));  // in place of those before
    CHECK(left.bytes() < 2 * each);
    CHECK_FALSE(left.take(0).empty());
  }
}
