// A chip with a calibration of its own, read without the others.
#include <doctest/doctest.h>

#include <algorithm>

#include "calibration/chip_timing.hpp"
#include "load/calibrations.hpp"
#include "support.hpp"

using namespace afford;

namespace {

/// Numbers of a curve that a prediction could take.
std::string drawn(const OperationCurve* curve) {
  if (curve == nullptr) return "none";
  std::string out = test::printed_scientific(curve->start.base());
  for (const Curve& each : {curve->memory, curve->compute}) {
    for (const double fraction : each.fraction) out += " " + test::printed_scientific(fraction);
  }
  return out;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("own calibrations: a shipped one is named after its chip") {
    for (const std::string& name : list_calibrations()) {
      const auto own = own_calibrations({name});
      REQUIRE(own.has_value());
      REQUIRE(own->read.size() == 1);
      CHECK(own->read.front().chip.name == name);
    }
  }

  TEST_CASE("own calibrations: all chips have one, or nothing comes") {
    CHECK(own_calibrations({"h200", "h100"}).value().read.size() == 2);
    CHECK_FALSE(own_calibrations({"h200", "h800"}).has_value());
    CHECK_FALSE(own_calibrations({"h800"}).has_value());
  }

  TEST_CASE("own calibrations: all but curves that are lent are as with the others at hand") {
    HardwareSpec alone = load_chip("h200"), among_all = load_chip("h200");
    attach_calibrations({&alone}, own_calibrations({"h200"}).value());
    attach_calibrations({&among_all}, "");
    REQUIRE(alone.measured != nullptr);
    REQUIRE(among_all.measured != nullptr);
    CHECK(fidelity_of(alone) == fidelity_of(among_all));
    CHECK(alone.measured->read == among_all.measured->read);
    CHECK(alone.measured->bf16 == among_all.measured->bf16);
    CHECK(borrows_prompts(*among_all.measured));
    CHECK_FALSE(has_prompts(*alone.measured));
    size_t curves = 0;
    for (const OperationClassRow& row : operation_classes) {
      if (row.work == WorkKind::prefill_core) continue;
      const auto at = static_cast<size_t>(row.operation);
      CHECK(drawn(alone.measured->curves[at].bf16) == drawn(among_all.measured->curves[at].bf16));
      CHECK(drawn(alone.measured->curves[at].fp8) == drawn(among_all.measured->curves[at].fp8));
      curves += alone.measured->curves[at].bf16 != nullptr ? 1 : 0;
    }
    CHECK(curves > 3);
  }

  TEST_CASE("own calibrations: what a cache narrower than BF16 asks for is lent in simulate") {
    const auto simulated = [](const std::string& formats) {
      const auto out = test::run_afford(
          "simulate -m deepseek-v3 --colocated h200:1x8 --tp 8 -c 32k --batch-per-gpu 16 "
          "--engine vllm --format csv " +
          formats);
      REQUIRE(out.code != 2);
      const auto rows = test::parse_csv(out.out);
      const auto at = std::find(rows[0].begin(), rows[0].end(), "tpot_ms") - rows[0].begin();
      return rows[1][static_cast<size_t>(at)];
    };
    const std::string named = "--calibration h200";  // which none lends to
    CHECK(simulated("") == simulated(named));
    CHECK(simulated("--kv-dtype fp8") != simulated("--kv-dtype fp8 " + named));
  }
}
