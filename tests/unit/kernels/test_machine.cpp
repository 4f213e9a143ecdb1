// The roofline of one operation.
#include <doctest/doctest.h>

#include <stdexcept>

#include "kernels/machine.hpp"
#include "load/library.hpp"

using namespace afford;
using doctest::Approx;

TEST_SUITE("unit") {
  TEST_CASE("the longest of compute, memory and L2, and the start of each kernel") {
    const HardwareSpec chip = load_hardware({"h800"}).front();
    const Engine engine;
    const Machine machine(chip, engine);
    const Reached reached{FlopRate(100e12), ByteRate(2e12)};
    const auto us = [&](const Op& op) { return timed(op, reached, machine).time / microsecond; };
    const double start = engine.kernel / microsecond;
    CHECK(us({.flops = Flops(5e9)}) == Approx(50 + start));
    CHECK(us({.kernels = 3, .flops = Flops(5e9)}) == Approx(50 + 3 * start));
    // Weights and cache from memory, together; activations from L2 at twice its rate, beside them.
    CHECK(us({.weights = MB * 80, .cache = MB * 20}) == Approx(50 + start));
    CHECK(us({.activations = MB * 400}) == Approx(100 + start));
    CHECK(us({.weights = MB * 100, .activations = MB * 400}) == Approx(100 + start));
    CHECK(us({.weights = MB * 100, .activations = MB * 100}) == Approx(50 + start));
    CHECK(timed({.flops = Flops(5e9)}, reached, machine).bound == Limit::compute);
    CHECK(timed({.cache = MB * 100}, reached, machine).bound == Limit::memory);
    CHECK(timed({.flops = Flops(1)}, reached, machine).bound == Limit::overhead);
  }

  TEST_CASE("calibrated activations weigh as much as L2's measured rate lets them") {
    ChipTiming chip;
    chip.read = 4e12;
    CHECK(from_l2(MB, chip) == 0.5e6);  // not measured: twice the memory's
    chip.l2 = 10e12;
    CHECK(from_l2(MB, chip) == Approx(0.4e6));
    chip.l2 = 2e12;  // never slower than memory
    CHECK(from_l2(MB, chip) == 1e6);
  }

  TEST_CASE("a list of operations refuses what it has no room for") {
    OpList ops;
    for (int i = 0; i < 32; ++i) ops.add({.time = microsecond});
    CHECK(ops.time() / microsecond == Approx(32));
    CHECK_THROWS_AS(ops.add({}), std::length_error);
  }
}
