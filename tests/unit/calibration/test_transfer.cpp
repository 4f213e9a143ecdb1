// A calibration on another chip of its architecture: fractions of roofs, carried over.
#include <doctest/doctest.h>

#include <memory>

#include "calibration/chip_timing.hpp"
#include "calibration_support.hpp"
#include "load/library.hpp"

using namespace afford;
using doctest::Approx;

TEST_SUITE("unit") {
  TEST_CASE("what keeps an operation from a roof takes an SM as long on either chip") {
    // 1/f' = 1 + (1/f - 1) * (roof an SM there) / (roof an SM here).
    const auto chips = load_hardware({"h200", "h20"});
    const auto timing = chip_timing(test::measured_on(chips[0]), chips[1]);
    REQUIRE(timing != nullptr);
    const double sms = 78.0 / 132;
    const Calibration calibration = test::known_calibration();
    const OperationCurve& here =
        test::curve_of(calibration, OperationClass::mla_decode, OperandPrecision::bf16);
    const OperationCurve* there = timing->find(OperationClass::mla_decode, Dtype::bf16);
    REQUIRE(there != nullptr);
    const auto carried = [](double f, double ratio) { return 1 / (1 + (1 / f - 1) * ratio); };
    const double reading = timing->read / 4.7e12 / sms, computing = timing->bf16 / 780e12 / sms;
    CHECK(reading != Approx(1));
    REQUIRE(there->memory.fraction.size() == here.memory.fraction.size());
    for (size_t i = 0; i < here.memory.fraction.size(); ++i)
      CHECK(there->memory.fraction[i] == Approx(carried(here.memory.fraction[i], reading)));
    REQUIRE(there->compute.fraction.size() == here.compute.fraction.size());
    for (size_t i = 0; i < here.compute.fraction.size(); ++i)
      CHECK(there->compute.fraction[i] == Approx(carried(here.compute.fraction[i], computing)));
    // Fixed times stay.
    CHECK(there->start == here.start);
  }
}
