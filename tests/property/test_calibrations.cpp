// The calibrations that come with afford: each must follow from the points beside it, and say how
// well.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "calibration/calibration_file.hpp"
#include "calibration/fit.hpp"
#include "calibration/operation_time.hpp"
#include "calibration/points_csv.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "yaml/document.hpp"

using namespace afford;
using doctest::Approx;

namespace {

std::filesystem::path beside(const std::string& name, const std::string& ending) {
  return data_folder() / "hardware" / (name + ending);
}

/// Seconds of a long and of a short operation.
double seconds(const OperationCurve& curve, const Calibration& calibration, double bytes) {
  const OperationRoofs roofs{calibration.read.rate.base(),
                             tensor_roof(calibration, curve.precision).rate.base()};
  const DecodeCore core{
      .units = 64, .bytes = bytes, .flops = 50 * bytes, .context = 4096, .outputs = 16384};
  return operation_seconds(curve, work_of(core, 132), roofs);
}

}  // namespace

TEST_SUITE("property") {
  TEST_CASE("a calibration in hardware/ follows from its points") {
    for (const std::string& name : list_calibrations()) {
      CAPTURE(name);
      const std::string file = beside(name, ".calibration.yaml").string();
      const Calibration written = read_calibration(yaml::parse_file(file), file);
      const Engine kernels = load_engines({written.provenance.engine}).front();
      const Calibration fitted = fit_calibration(read_points(beside(name, ".points.csv").string()),
                                                 written.provenance, kernels);
      CHECK(written.read.rate / fitted.read.rate == Approx(1).epsilon(0.001));
      CHECK(written.bf16.rate / fitted.bf16.rate == Approx(1).epsilon(0.001));
      REQUIRE(written.curves.size() == fitted.curves.size());
      for (size_t i = 0; i < fitted.curves.size(); ++i) {
        const OperationCurve &old = written.curves[i], &curve = fitted.curves[i];
        CAPTURE(name_of(curve.operation));
        CAPTURE(name_of(curve.precision));
        CHECK(old.operation == curve.operation);
        CHECK(old.precision == curve.precision);
        CHECK(old.error.points == curve.error.points);
        CHECK(old.error.median == Approx(curve.error.median).epsilon(0.1));
        for (const double bytes : {1e7, 1e8, 1e9})
          CHECK(seconds(old, written, bytes) / seconds(curve, fitted, bytes) ==
                Approx(1).epsilon(0.01));
      }
    }
  }

  TEST_CASE("left-out points: median within 3 %, nine in ten within 10 %") {
    for (const std::string& name : list_calibrations()) {
      CAPTURE(name);
      const std::string file = beside(name, ".calibration.yaml").string();
      const Calibration calibration = read_calibration(yaml::parse_file(file), file);
      double points = 0, median = 0, p90 = 0;
      for (const OperationCurve& curve : calibration.curves) {
        const auto n = static_cast<double>(curve.error.points);
        points += n, median += n * curve.error.median, p90 += n * curve.error.p90;
      }
      REQUIRE(points > 0);
      CHECK(median / points < 0.03);
      CHECK(p90 / points < 0.10);
    }
  }
}
