#include <doctest/doctest.h>

#include "units.hpp"

using namespace afford;

namespace {

// What must not compile: asked of the compiler, so that the tests fail to build when it does.
template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a < b;
};
template <class To, class From>
concept Assignable = requires(To to, From from) {
  to = from;
};

static_assert(Addable<Bytes, Bytes>);
static_assert(!Addable<Bytes, Flops>);
static_assert(!Addable<Bytes, double>);
static_assert(!Comparable<Seconds, Bytes>);
static_assert(!Assignable<Bytes&, double>);
static_assert(!Assignable<Seconds&, decltype(Bytes(1) / FlopRate(1))>);
static_assert(Assignable<Seconds&, decltype(Bytes(1) / ByteRate(1))>);

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a quotient of like quantities is a number") {
    static_assert(std::is_same_v<decltype(GB / MB), double>);
    CHECK(GB / MB == 1000);
    CHECK(GiB / MiB == 1024);
  }

  TEST_CASE("dimensions follow the arithmetic") {
    const Seconds time = 6.7 * TB / (3.35 * TB_per_s);
    CHECK(time / second == doctest::Approx(2.0));
    const UsdPerToken cost = UsdRate(2.0 / 3600) * SecondsPerToken(3600e-6);
    CHECK(cost / usd_per_mtok == doctest::Approx(2.0));
    const FlopsPerByte ridge = 1980 * TFLOP_per_s / (3.35 * TB_per_s);
    CHECK(ridge.base() == doctest::Approx(591.04).epsilon(1e-4));
  }
}
