#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "calibration/calibration_file.hpp"
#include "calibration/chip_timing.hpp"
#include "calibration/fit.hpp"
#include "calibration/points_csv.hpp"
#include "calibration_support.hpp"
#include "deploy/evaluate.hpp"
#include "error.hpp"
#include "load/library.hpp"
#include "yaml/document.hpp"

using namespace afford;
using namespace afford::test;
using doctest::Approx;

namespace {

/// The largest |a/b - 1| of two curves' times over attention of a batch of 64.
double apart(const OperationCurve& a, const OperationCurve& b, const Calibration& truth) {
  double most = 0;
  for (const double context : {1024.0, 2048.0, 4096.0, 8192.0, 16384.0, 32768.0}) {
    const DecodeCore core{.units = 64,
                          .bytes = 64 * context * 1024,
                          .flops = 64 * context * 65536,
                          .context = context,
                          .outputs = 16384};
    const OperationWork work = work_of(core, 132);
    const OperationRoofs roofs{truth.read.rate.base(), truth.bf16.rate.base()};
    most = std::max(
        most, std::fabs(operation_seconds(a, work, roofs) / operation_seconds(b, work, roofs) - 1));
  }
  return most;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a curve is linear between powers of two and constant outside") {
    const Curve curve{.first_octave = 3, .fraction = {0.2, 0.4, 0.8}, .least = 8, .most = 32};
    CHECK(curve.at(1) == 0.2);
    CHECK(curve.at(8) == 0.2);
    CHECK(curve.at(12) == Approx(0.3));
    CHECK(curve.at(16) == Approx(0.4));
    CHECK(curve.at(24) == Approx(0.6));
    CHECK(curve.at(32) == 0.8);
    CHECK(curve.at(1e9) == 0.8);
    CHECK(curve.at(0) == 0.2);
    CHECK(curve.covers(8));
    CHECK_FALSE(curve.covers(7.9));
  }

  TEST_CASE("overlap of reading and computing") {
    CHECK(overlapped(3, 4, 1) == 7);
    CHECK(overlapped(3, 4, 2) == Approx(5));
    CHECK(overlapped(1, 1, 3) == Approx(std::cbrt(2)));
    CHECK(overlapped(1, 1, 4) == Approx(std::pow(2, 0.25)));
    CHECK(overlapped(1, 1, 8) == Approx(std::pow(2, 0.125)));
    CHECK(overlapped(0, 0, 4) == 0);
  }

  TEST_CASE("tiles and waves") {
    CHECK(padded(65, 64) == 128);
    CHECK(padded(64, 64) == 64);
    CHECK(idle_tail(132, 132) == 0);
    CHECK(idle_tail(133, 132) == Approx(264.0 / 133 - 1));
    CHECK(idle_tail(66, 132) == Approx(1));  // half of the SMs have nothing to do
  }

  TEST_CASE("points survive CSV, quotes and all") {
    Point point{
        .operation = "mfa_decode", .precision = "bf16", .tag = "odd, \"lengths\"", .batch = 3};
    point.context_tokens = 1365.6666666666667, point.paged = true, point.median_us = 1e-7;
    point.rejected = "spread above 2 %";
    const std::string csv = points_csv({point, {}});
    const std::vector<Point> read = parse_points(csv, "p.csv");
    REQUIRE(read.size() == 2);
    CHECK(read[0].tag == point.tag);
    CHECK(read[0].context_tokens == point.context_tokens);
    CHECK(read[0].paged);
    CHECK(read[0].rejected == point.rejected);
    CHECK(points_csv(read) == csv);
  }

  TEST_CASE("roofs, overheads and curves are found again") {
    const Calibration truth = known_calibration();
    const Calibration fit =
        fit_calibration(points_of(truth, 0.005, 7), truth.provenance, measured_kernels());
    CHECK(fit.read.rate / truth.read.rate == Approx(1).epsilon(0.01));
    CHECK(fit.read.start / truth.read.start == Approx(1).epsilon(0.05));
    CHECK(fit.l2.rate / truth.l2.rate == Approx(1).epsilon(0.05));
    CHECK(fit.bf16.rate / truth.bf16.rate == Approx(1).epsilon(0.02));
    CHECK(fit.bf16.sm_clock_mhz == 1700);
    CHECK(fit.launch.graph / truth.launch.graph == Approx(1).epsilon(0.02));
    CHECK(fit.curves.size() == truth.curves.size());
    for (const OperationCurve& curve : fit.curves) {
      CAPTURE(name_of(curve.operation));
      CAPTURE(name_of(curve.precision));
      CHECK(curve.error.median < 0.03);
      CHECK(curve.error.p90 < 0.1);
      CHECK(std::is_sorted(curve.memory.fraction.begin(), curve.memory.fraction.end()));
      CHECK(std::is_sorted(curve.compute.fraction.begin(), curve.compute.fraction.end()));
    }
    for (const OperationClass core :
         {OperationClass::mla_decode, OperationClass::mfa_decode, OperationClass::gqa_decode}) {
      CAPTURE(name_of(core));
      // MLA is near both roofs at once, which are told apart less well.
      CHECK(apart(curve_of(fit, core, OperandPrecision::bf16),
                  curve_of(truth, core, OperandPrecision::bf16),
                  truth) < (core == OperationClass::mla_decode ? 0.05 : 0.03));
    }
  }

  TEST_CASE("one wild point does not bend a curve, a rejected one is not seen") {
    const Calibration truth = known_calibration();
    std::vector<Point> points = points_of(truth, 0.005, 11);
    const Calibration before = fit_calibration(points, truth.provenance, measured_kernels());
    const auto wild = std::find_if(points.begin(), points.end(), [](const Point& p) {
      return p.operation == "gqa_decode" && p.batch == 64 && p.context_tokens == 4096;
    });
    const double right = wild->median_us;
    wild->median_us = 3 * right;
    const OperationCurve bent =
        curve_of(fit_calibration(points, truth.provenance, measured_kernels()),
                 OperationClass::gqa_decode, OperandPrecision::bf16);
    CHECK(apart(bent, curve_of(before, OperationClass::gqa_decode, OperandPrecision::bf16), truth) <
          0.03);
    wild->rejected = "error above tolerance";
    const Calibration without = fit_calibration(points, truth.provenance, measured_kernels());
    CHECK(curve_of(without, OperationClass::gqa_decode, OperandPrecision::bf16).error.points ==
          curve_of(before, OperationClass::gqa_decode, OperandPrecision::bf16).error.points - 1);
    CHECK(curve_of(without, OperationClass::gqa_decode, OperandPrecision::bf16).error.worst < 0.1);
  }

  TEST_CASE("four points still give a sane curve, three none") {
    const Calibration truth = known_calibration();
    std::vector<Point> points;
    for (const Point& p : points_of(truth, 0.005, 3)) {
      const bool mfa = p.operation == "mfa_decode" && p.precision == "bf16";
      const bool few = (p.batch == 8 && p.context_tokens < 10'000) ||
                       (p.batch == 128 && p.context_tokens > 2'000);
      const bool roof = p.operation == "read" || p.operation == "tensor";
      if (mfa ? few : roof) points.push_back(p);
    }
    const OperationCurve curve =
        curve_of(fit_calibration(points, truth.provenance, measured_kernels()),
                 OperationClass::mfa_decode, OperandPrecision::bf16);
    CHECK(curve.error.points == 4);
    for (const double f : curve.memory.fraction) CHECK((f > 0.3 && f < 1.1));
    std::erase_if(points,
                  [](const Point& p) { return p.batch == 128 && p.context_tokens > 5'000; });
    CHECK(fit_calibration(points, truth.provenance, measured_kernels()).curves.empty());
  }

  TEST_CASE("without the read roof there is nothing to be a fraction of") {
    const Calibration truth = known_calibration();
    std::vector<Point> points = points_of(truth, 0, 1);
    std::erase_if(points, [](const Point& p) { return p.operation == "read"; });
    CHECK_THROWS_WITH_AS((void)fit_calibration(points, truth.provenance, measured_kernels()),
                         "cannot calibrate: no accepted measurement of the read roof, of which "
                         "every curve is a fraction",
                         UsageError);
  }

  TEST_CASE("a calibration survives its file") {
    const Calibration truth = known_calibration();
    const std::string text = calibration_yaml(truth);
    const Calibration read = read_calibration(yaml::parse(text, "c.yaml"), "c.yaml");
    CHECK(calibration_yaml(read) == text);
    CHECK(read.curves.size() == truth.curves.size());
    CHECK(read.provenance.driver == truth.provenance.driver);
  }

  TEST_CASE("a chip of its own takes what was measured, another fractions of its own roofs") {
    const auto chips = load_hardware({"h200", "h800", "h20", "a800", "b200"});
    const MeasuredChip measured = measured_on(chips[0]);
    const auto own = chip_timing(measured, chips[0]);
    REQUIRE(own != nullptr);
    CHECK(own->read == Approx(4.7e12));
    CHECK(own->bf16 == Approx(780e12));
    CHECK_FALSE(own->transferred);
    const auto h800 = chip_timing(measured, chips[1]);
    CHECK(h800->read == Approx(4.7e12 / (6144 * 6.402e9 / 8) * 3.35e12));
    CHECK(h800->bf16 == Approx(780e12));  // the same watts for each peak FLOP/s
    CHECK(h800->l2 == Approx(7e12));
    CHECK(h800->transferred);
    // An H20 has the watts for its full clock, and 78 SMs' share of L2.
    const auto h20 = chip_timing(measured, chips[2]);
    const double a_clock = 780e12 / (132 * 4096 * 1.5e9);
    CHECK(h20->bf16 == Approx(a_clock * 148e12));
    CHECK(h20->l2 == Approx(7e12 * 78 / 132));
    CHECK(chip_timing(measured, chips[3]) == nullptr);
    CHECK(chip_timing(measured, chips[4]) == nullptr);
  }

  TEST_CASE("more bandwidth is never slower, and the interval holds the prediction") {
    const HardwareSpec h200 = load_hardware({"h200"}).front();
    const MeasuredChip measured = measured_on(h200);
    const ModelSpec model = load_models({"deepseek-v3"}).front();
    const std::vector<LayerShape> shapes = layer_shapes(model);
    Setting setting{.model = &model, .shapes = &shapes, .context = 8192};
    Seconds before(1e9);
    for (const double bandwidth : {1e12, 1.5e12, 2.2e12, 3.3e12, 4.8e12, 6e12, 8e12}) {
      HardwareSpec chip = h200;
      chip.name = "other";
      chip.memory_bandwidth.value = ByteRate(bandwidth);
      chip.measured = chip_timing(measured, chip);
      for (const std::int64_t batch : {2, 64, 256}) {
        const Colocated c{.pool = {&chip, 4, 8},
                          .batch = 32 * batch,
                          .micro_batches = 2,
                          .layout = expert_parallel(32)};
        setting.residual = 0;
        const Seconds step = evaluate(c, setting).step;
        setting.residual = -1;
        CHECK(evaluate(c, setting).step < step);
        setting.residual = 1;
        CHECK(evaluate(c, setting).step > step);
      }
      setting.residual = 0;
      const Seconds now = evaluate(Colocated{.pool = {&chip, 4, 8},
                                             .batch = 2048,
                                             .micro_batches = 2,
                                             .layout = expert_parallel(32)},
                                   setting)
                              .step;
      CHECK(now <= before);
      before = now;
    }
  }
}
