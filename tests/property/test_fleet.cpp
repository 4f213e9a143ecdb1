// The integer program against every combination there is.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>

#include "plan/fleet.hpp"

using namespace afford;

TEST_SUITE("property") {
  TEST_CASE("the integer program finds what trying every combination finds") {
    std::mt19937_64 random(5);
    const auto between = [&](int least, int most) {
      return static_cast<double>(std::uniform_int_distribution<int>(least, most)(random));
    };
    for (int round = 0; round < 60; ++round) {
      FleetProblem p;
      p.resources = {between(4, 20), between(4, 20)};
      p.peak_load = between(5, 30), p.off_peak_load = 0.4 * p.peak_load;
      p.spares = round % 3;
      for (size_t i = 0; i < 3; ++i) {
        p.options.push_back({.kind = i,
                             .capacity = between(2, 9),
                             .cost = between(2, 12),
                             .off_peak = i != 1,
                             .uses = {{0, between(0, 3)}, {1, between(1, 3)}}});
      }
      double best = 1e300;
      for (int code = 0; code < 21 * 21 * 21; ++code) {
        const std::array<int, 3> n = {code % 21, code / 21 % 21, code / 441};
        double cost = 0, peak = 0, off = 0;
        std::array<double, 2> used{};
        for (size_t i = 0; i < 3; ++i) {
          const FleetOption& o = p.options[i];
          cost += n[i] * o.cost;
          const double spared = n[i] > 0 ? p.spares * o.capacity : 0;
          peak += n[i] * o.capacity - spared, off += (o.off_peak ? n[i] * o.capacity : 0) - spared;
          for (const auto& [resource, amount] : o.uses) used[resource] += n[i] * amount;
        }
        if (peak >= p.peak_load && off >= p.off_peak_load && used[0] <= p.resources[0] &&
            used[1] <= p.resources[1])
          best = std::min(best, cost);
      }
      const auto fleet = cheapest_fleet(p);
      CHECK(fleet.has_value() == (best < 1e300));
      if (fleet) CHECK(fleet->cost == doctest::Approx(best));
    }
  }

  TEST_CASE("two tasks of one load: by options of each, or by one that does both") {
    std::mt19937_64 random(6);
    const auto between = [&](int least, int most) {
      return static_cast<double>(std::uniform_int_distribution<int>(least, most)(random));
    };
    for (int round = 0; round < 40; ++round) {
      FleetProblem p;
      p.resources = {between(8, 30)};
      p.peak_load = p.off_peak_load = between(5, 20);
      p.tasks = 2;
      p.spares = round % 2;
      for (size_t i = 0; i < 4; ++i) {
        p.options.push_back(
            {.kind = i,
             .tasks = i == 3 ? std::vector<size_t>{0, 1} : std::vector<size_t>{i / 2},
             .capacity = between(2, 9),
             .cost = between(2, 12),
             .uses = {{0, between(1, 3)}}});
      }
      double best = 1e300;
      for (int code = 0; code < 14 * 14 * 14 * 14; ++code) {
        const std::array<int, 4> n = {code % 14, code / 14 % 14, code / 196 % 14, code / 2744};
        double cost = 0, used = 0;
        std::array<double, 2> carried{};
        for (size_t i = 0; i < 4; ++i) {
          const FleetOption& o = p.options[i];
          cost += n[i] * o.cost;
          used += n[i] * o.uses[0].second;
          for (const size_t task : o.tasks)
            carried[task] += (n[i] - (n[i] > 0 ? p.spares : 0)) * o.capacity;
        }
        if (carried[0] >= p.peak_load && carried[1] >= p.peak_load && used <= p.resources[0])
          best = std::min(best, cost);
      }
      const auto fleet = cheapest_fleet(p);
      CHECK(fleet.has_value() == (best < 1e300));
      if (fleet) CHECK(fleet->cost == doctest::Approx(best));
    }
  }

  TEST_CASE("the largest load is what the scarcer of two tasks carries") {
    FleetProblem p;
    p.tasks = 2;
    p.resources = {12};
    p.options = {{.kind = 0, .tasks = {0}, .capacity = 6, .cost = 1, .uses = {{0, 2}}},
                 {.kind = 1, .tasks = {1}, .capacity = 1, .cost = 1, .uses = {{0, 1}}}};
    // x of the first and y of the second: 2 x + y = 12, 6 x = y.
    CHECK(largest_load(p) == doctest::Approx(9));
  }
}
