#include "calibration/fit.hpp"

#include "calibration/curve_fit.hpp"
#include "calibration/curve_sample.hpp"
#include "calibration/roof_fit.hpp"
#include "error.hpp"

namespace afford {
namespace {

constexpr size_t fewest_points = 4;

/// The compute fraction of a class that the measured chip never lets compute bind: that of another
/// attention kernel where one is, else a cautious one.
double borrowed_compute(const Calibration& so_far, const OperationClassRow& row) {
  constexpr double cautious = 0.75;  // cuBLAS reaches 0.73 to 0.79 of the BF16 peak at 8192^3
  if (row.computes_like == OperationClass::none) return cautious;
  for (const OperationCurve& curve : so_far.curves) {
    if (curve.operation == row.computes_like && curve.compute.most > 0)
      return curve.compute.fraction.back();
  }
  return cautious;
}

}  // namespace

Calibration fit_calibration(const std::vector<Point>& points, const Provenance& provenance,
                            const Engine& engine, LeftOutErrors errors) {
  Calibration out{.file = {}, .provenance = provenance};
  out.read = stream_roof(points, "read");
  if (!(out.read.rate.base() > 0)) {
    throw UsageError(
        "cannot calibrate: no accepted measurement of the read roof, of which every curve is a "
        "fraction");
  }
  out.write = stream_roof(points, "write");
  out.copy = stream_roof(points, "copy");
  out.l2 = stream_roof(points, "l2_read");
  out.bf16 = fastest_products(points, "bf16");
  out.fp8 = fastest_products(points, "fp8");
  out.launch = {.stream = launch_time(points, "launch_stream"),
                .graph = launch_time(points, "launch_graph"),
                .dependent = launch_time(points, "launch_dependent")};
  const MeasuredWith with{engine, static_cast<double>(provenance.multiprocessors)};
  for (const OperationClassRow& row : operation_classes) {
    for (const OperandPrecisionRow& operands : operand_precisions) {
      const std::vector<CurveSample> samples = samples_of(points, row, operands.precision, with);
      const FlopRate tensor = tensor_roof(out, operands.precision).rate;
      if (samples.size() < fewest_points || !(tensor.base() > 0)) continue;
      OperationCurve curve = fit_curve(samples, {out.read.rate.base(), tensor.base()},
                                       borrowed_compute(out, row), errors == LeftOutErrors::yes);
      curve.operation = row.operation;
      curve.precision = operands.precision;
      out.curves.push_back(std::move(curve));
    }
  }
  return out;
}

}  // namespace afford
