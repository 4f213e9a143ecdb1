// A calibration on another chip of its architecture: fractions of roofs, carried over.
#include <doctest/doctest.h>

#include <memory>

#include "calibration/chip_timing.hpp"
#include "calibration_support.hpp"
#include "load/calibrations.hpp"
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

  TEST_CASE("the read roof goes with the pins of the memory, L2 with its bus") {
    const auto chips = load_hardware({"h200", "h100", "h20"});
    const Calibration here = test::known_calibration();
    const auto h100 = chip_timing(test::measured_on(chips[0]), chips[1]);
    REQUIRE(h100 != nullptr);
    CHECK(h100->read / here.read.rate.base() == Approx(5120 * 5.238 / (6144 * 6.402)));
    CHECK(h100->l2 / here.l2.rate.base() == Approx(5120.0 / 6144));
    // Where they are not stated, by the data sheet and by SMs.
    const auto h20 = chip_timing(test::measured_on(chips[0]), chips[2]);
    CHECK(h20->read / here.read.rate.base() == Approx(4.0e12 / (6144 * 6.402e9 / 8)));
    CHECK(h20->l2 / here.l2.rate.base() == Approx(78.0 / 132));
  }

  TEST_CASE("a calibration without prompts borrows their curves, and nothing else, from another") {
    auto chips = load_hardware({"h200", "h100"});
    Calibration without = test::known_calibration(), with = test::known_calibration();
    std::erase_if(without.curves, [](const OperationCurve& curve) {
      return row_of(curve.operation).work == WorkKind::prefill_core;
    });
    with.provenance.chip = "h100";
    for (OperationCurve& curve : with.curves) curve.start = 9 * microsecond;
    const Calibrations both{
        .read = {test::measured_on(chips[1], with), test::measured_on(chips[0], without)},
        .unread = {}};
    attach_calibrations(pointers_to(chips), both);
    const ChipTiming& h200 = *chips[0].measured;
    CHECK(h200.calibration->provenance.chip == "h200");
    REQUIRE(has_prompts(h200));
    CHECK(borrows_prompts(h200));
    CHECK(h200.find(OperationClass::mla_prefill, Dtype::bf16)->start == 9 * microsecond);
    CHECK(h200.find(OperationClass::mla_decode, Dtype::bf16)->start == 6 * microsecond);
    REQUIRE(h200.lender != nullptr);
    CHECK(h200.lender->calibration->provenance.chip == "h100");
    CHECK(chips[1].measured->lender == nullptr);  // has its own
    attach_calibrations(pointers_to(chips), {.read = {both.read.back()}, .unread = {}});
    CHECK_FALSE(has_prompts(*chips[0].measured));
  }

  TEST_CASE("a calibration without MLA over an FP8 cache borrows that curve, and no prompts") {
    auto chips = load_hardware({"h200", "h100"});
    Calibration without = test::known_calibration(), with = test::known_calibration();
    with.provenance.chip = "h100";
    with.curves.push_back(test::curve_of(with, OperationClass::mla_decode, OperandPrecision::bf16));
    with.curves.back().precision = OperandPrecision::fp8_cache;
    for (OperationCurve& curve : with.curves) curve.start = 9 * microsecond;
    const Calibrations both{
        .read = {test::measured_on(chips[1], with), test::measured_on(chips[0], without)},
        .unread = {}};
    attach_calibrations(pointers_to(chips), both);
    const ChipTiming& h200 = *chips[0].measured;
    CHECK(h200.calibration->provenance.chip == "h200");
    const OperationCurve* widened = h200.find(OperationClass::mla_decode, Dtype::fp8, Dtype::bf16);
    REQUIRE(widened != nullptr);
    CHECK(widened->start == 9 * microsecond);
    CHECK(h200.find(OperationClass::mla_decode, Dtype::fp8, Dtype::fp8) == nullptr);
    CHECK(h200.find(OperationClass::mla_prefill, Dtype::bf16)->start != 9 * microsecond);
    CHECK_FALSE(borrows_prompts(h200));
    CHECK(chips[1].measured->lender == nullptr);  // has its own
    // None to borrow from: products in BF16 then find no curve, as before.
    attach_calibrations(pointers_to(chips), {.read = {both.read.back()}, .unread = {}});
    CHECK(chips[0].measured->find(OperationClass::mla_decode, Dtype::fp8, Dtype::bf16) == nullptr);
  }

  TEST_CASE("a chip without a calibration takes that of the memory most like its own") {
    auto chips = load_hardware({"h100", "h200", "h800", "h20", "h20-141g", "b200"});
    std::vector<HardwareSpec*> all;
    for (HardwareSpec& chip : chips) all.push_back(&chip);
    attach_calibrations(all, "", false);
    const auto from = [](const HardwareSpec& chip) {
      return chip.measured->calibration->provenance.chip;
    };
    CHECK(from(chips[0]) == "h100");
    CHECK(from(chips[1]) == "h200");
    CHECK(from(chips[2]) == "h100");
    CHECK(from(chips[3]) == "h100");
    CHECK(from(chips[4]) == "h200");
    CHECK(chips[5].measured == nullptr);
    CHECK(chips[2].measured->without_experts);
    CHECK_FALSE(chips[0].measured->without_experts);
  }
}
