#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>

#include "text/draws.hpp"

using namespace afford;

namespace {

/// Of many draws.
struct Moments {
  double mean = 0, deviation = 0, skew = 0;
};

Moments moments_of(const std::function<double()>& draw) {
  constexpr int count = 200'000;
  std::vector<double> values;
  Moments out;
  for (int i = 0; i < count; ++i) values.push_back(draw());
  for (const double value : values) out.mean += value / count;
  for (const double value : values) out.deviation += std::pow(value - out.mean, 2) / count;
  out.deviation = std::sqrt(out.deviation);
  for (const double value : values)
    out.skew += std::pow((value - out.mean) / out.deviation, 3) / count;
  return out;
}

}  // namespace

TEST_SUITE("unit") {
  // libstdc++ draws the same; libc++ others from the same bits.
  TEST_CASE("draws: the first of each law from seed 1 are these everywhere") {
    RandomBits bits(1);
    CHECK(draw_share(bits) == doctest::Approx(0.13387664401253274).epsilon(1e-15));
    CHECK(draw_whole(bits, 1, 1000) == 137);
    CHECK(draw_gap(bits, 2) == doctest::Approx(0.300024180045175).epsilon(1e-15));
    CHECK(draw_failures(bits, 0.01, 1'000'000) == 2);
    const auto [first, second] = draw_normals(bits);
    CHECK(first == doctest::Approx(0.68682363917932543).epsilon(1e-15));
    CHECK(second == doctest::Approx(-0.24894784633514505).epsilon(1e-15));
  }

  TEST_CASE("draws: each law has its mean, deviation and skew") {
    RandomBits bits(7);
    const Moments share = moments_of([&] { return draw_share(bits); });
    CHECK(share.mean == doctest::Approx(0.5).epsilon(0.01));
    CHECK(share.deviation == doctest::Approx(1 / std::sqrt(12.0)).epsilon(0.01));
    const Moments gap = moments_of([&] { return draw_gap(bits, 4); });
    CHECK(gap.mean == doctest::Approx(0.25).epsilon(0.01));
    CHECK(gap.deviation == doctest::Approx(0.25).epsilon(0.02));
    const Moments normal = moments_of([&] { return draw_normals(bits).first; });
    CHECK(normal.mean == doctest::Approx(0).epsilon(0.01).scale(1));
    CHECK(normal.deviation == doctest::Approx(1).epsilon(0.01));
    CHECK(normal.skew == doctest::Approx(0).epsilon(0.03).scale(1));
    const Moments failures =
        moments_of([&] { return static_cast<double>(draw_failures(bits, 0.02, 1'000'000)); });
    CHECK(failures.mean == doctest::Approx(49).epsilon(0.01));
    CHECK(failures.deviation == doctest::Approx(std::sqrt(0.98) / 0.02).epsilon(0.02));
  }

  TEST_CASE("draws: successes follow the binomial law, few of them and many") {
    RandomBits bits(11);
    for (const auto& [tries, p] : {std::pair<std::int64_t, double>{40, 0.1},
                                   {400, 0.02},
                                   {100, 0.3},
                                   {5000, 0.01},
                                   {2000, 0.9},
                                   {100'000, 0.25}}) {
      const double n = static_cast<double>(tries), deviation = std::sqrt(n * p * (1 - p));
      CAPTURE(tries);
      CAPTURE(p);
      const Moments m = moments_of([&bits, trial = tries, chance = p] {
        return static_cast<double>(draw_successes(bits, trial, chance));
      });
      CHECK(m.mean == doctest::Approx(n * p).epsilon(0.01 * deviation / (n * p)));
      CHECK(m.deviation == doctest::Approx(deviation).epsilon(0.01));
      CHECK(m.skew == doctest::Approx((1 - 2 * p) / deviation).epsilon(0.03).scale(1));
    }
    CHECK(draw_successes(bits, 50, 0) == 0);
    CHECK(draw_successes(bits, 50, 1) == 50);
    CHECK(draw_successes(bits, 0, 0.5) == 0);
  }

  TEST_CASE("draws: the largest of several normal numbers, in one draw as one by one") {
    RandomBits bits(29);
    // Means: H. L. Harter, "Expected values of normal order statistics", Biometrika 48, 1961, Table
    // 1. Deviations by numerical integration.
    struct Largest {
      std::int64_t of;
      double mean, deviation;
    };
    for (const Largest& l : {Largest{1, 0, 1}, Largest{2, 0.56419, 0.82565},
                             Largest{8, 1.42360, 0.61065}, Largest{100, 2.50759, 0.42941}}) {
      CAPTURE(l.of);
      const Moments m = moments_of([&] { return draw_largest_normal(bits, l.of); });
      CHECK(m.mean == doctest::Approx(l.mean).epsilon(0.01).scale(1));
      CHECK(m.deviation == doctest::Approx(l.deviation).epsilon(0.02));
    }
  }

  TEST_CASE("draws: whole numbers reach both ends, each as often") {
    RandomBits bits(3);
    std::array<int, 6> seen{};
    for (int i = 0; i < 60'000; ++i) ++seen.at(static_cast<size_t>(draw_whole(bits, 5, 10) - 5));
    for (const int count : seen) CHECK(std::abs(count - 10'000) < 500);
    CHECK(draw_whole(bits, 4, 4) == 4);
  }
}
