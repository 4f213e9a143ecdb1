#include <doctest/doctest.h>

#include <memory>

#include "calibration/calibration_file.hpp"
#include "calibration/chip_timing.hpp"
#include "calibration_support.hpp"
#include "load/library.hpp"
#include "yaml/document.hpp"

using namespace afford;
using namespace afford::test;

TEST_SUITE("unit") {
  TEST_CASE("every class in every precision goes through a file and is found on a chip") {
    // A new row of either table takes part without a further line.
    Calibration all = known_calibration();
    const OperationCurve some = all.curves.front();
    all.curves.clear();
    for (const OperationClassRow& row : operation_classes) {
      for (const OperandPrecisionRow& operands : operand_precisions) {
        all.curves.push_back(some);
        all.curves.back().operation = row.operation;
        all.curves.back().precision = operands.precision;
      }
    }
    const std::string text = calibration_yaml(all);
    const Calibration read = read_calibration(yaml::parse(text, "c.yaml"), "c.yaml");
    REQUIRE(read.curves.size() == all.curves.size());
    CHECK(calibration_yaml(read) == text);

    const HardwareSpec h200 = load_hardware({"h200"}).front();
    const auto timing = chip_timing(measured_on(h200, read), h200);
    REQUIRE(timing != nullptr);
    for (const OperationClassRow& row : operation_classes) {
      CAPTURE(row.name);
      const OperationCurve* bf16 = timing->find(row.operation, Dtype::bf16);
      const OperationCurve* fp8 = timing->find(row.operation, Dtype::fp8);
      REQUIRE(bf16 != nullptr);
      REQUIRE(fp8 != nullptr);
      CHECK(bf16->operation == row.operation);
      CHECK(fp8->operation == row.operation);
      CHECK(bf16->precision == OperandPrecision::bf16);
      CHECK(fp8->precision == OperandPrecision::fp8_128);  // what models use
      // FP8 that is multiplied in BF16.
      const OperationCurve* widened = timing->find(row.operation, Dtype::fp8, Dtype::bf16);
      REQUIRE(widened != nullptr);
      CHECK(widened->operation == row.operation);
      CHECK(widened->precision == OperandPrecision::fp8_cache);
    }
    CHECK(timing->find(OperationClass::none, Dtype::bf16) == nullptr);
  }

  TEST_CASE("points feed the class that names them, roofs none") {
    for (const OperationClassRow& row : operation_classes) {
      CAPTURE(row.name);
      CHECK_FALSE(row.points.front().empty());
      for (const std::string_view point : row.points) {
        if (!point.empty()) CHECK(class_fed_by(point) == row.operation);
      }
    }
    CHECK(class_fed_by("moe_down") == OperationClass::grouped_gemm);
    for (const char* roof : {"read", "write", "copy", "l2_read", "tensor", "launch_graph", ""})
      CHECK(class_fed_by(roof) == OperationClass::none);
  }

  TEST_CASE("precisions have the names of files") {
    CHECK(operand_precision("fp8_128") == OperandPrecision::fp8_128);
    CHECK(operand_precision("fp4") == std::nullopt);
  }
}
