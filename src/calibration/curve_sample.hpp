#pragma once
// A measured point as a curve sees it: what its kernels were asked for, and how long they took.

#include <array>
#include <vector>

#include "calibration/calibration.hpp"
#include "calibration/operation_work.hpp"
#include "calibration/point.hpp"
#include "spec/engine.hpp"

namespace afford {

/// The kernels and the chip that were measured.
struct MeasuredWith {
  const Engine& engine;
  double sms = 0;
};

/// The products that a point runs, one after another, and what was measured.
struct CurveSample {
  std::array<OperationWork, 2> work;
  size_t products = 1;
  double seconds = 0;
  std::int64_t card = 1;
  /// Its kernel reaches one fraction of the tensor roof at every size: it works tile by tile, and
  /// what a tile takes besides its products is the curve's fill.
  bool one_compute_fraction = false;
};

/// The points that count of a class and precision.
[[nodiscard]] std::vector<CurveSample> samples_of(const std::vector<Point>& points,
                                                  const OperationClassRow& row,
                                                  OperandPrecision precision,
                                                  const MeasuredWith& with);

}  // namespace afford
