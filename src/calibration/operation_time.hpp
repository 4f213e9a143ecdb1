#pragma once
// The time of one operation under a calibration's curve. Fitting and predicting both go through
// here, so that a curve means the same to both. A few multiplications and square roots: a search
// calls it by the million.

#include <algorithm>
#include <cmath>

#include "calibration/calibration.hpp"
#include "calibration/operation_work.hpp"

namespace afford {

/// The roofs that fractions are of, in B/s and FLOP/s.
struct OperationRoofs {
  double read = 0, tensor = 0;
};

/// (a^p + b^p)^(1/p) for p = 1, 2, 3, 4 or 8.
[[nodiscard]] inline double overlapped(double a, double b, int p) {
  const double most = std::max(a, b);
  if (!(most > 0)) return 0;
  const double r = std::min(a, b) / most, r2 = r * r, r4 = r2 * r2;
  if (p == 1) return a + b;
  if (p == 2) return most * std::sqrt(1 + r2);
  if (p == 3) return most * std::cbrt(1 + r2 * r);
  if (p == 4) return most * std::sqrt(std::sqrt(1 + r4));
  return most * std::sqrt(std::sqrt(std::sqrt(1 + r4 * r4)));
}

/// Seconds of reading and of computing, each on its curve; a curve without knots takes none.
struct OperationParts {
  double reading = 0, computing = 0;
};
/// Were every SM at work to the end: the rates that the sizes reach, and no more.
[[nodiscard]] inline OperationParts parts_at_rates(const OperationCurve& curve,
                                                   const OperationWork& work,
                                                   const OperationRoofs& roofs) {
  OperationParts parts;
  if (!curve.memory.fraction.empty())
    parts.reading = work.bytes / (roofs.read * curve.memory.at(work.memory_size));
  if (!curve.compute.fraction.empty())
    parts.computing = work.flops / (roofs.tensor * curve.compute.at(work.compute_size));
  return parts;
}
[[nodiscard]] inline OperationParts operation_parts(const OperationCurve& curve,
                                                    const OperationWork& work,
                                                    const OperationRoofs& roofs) {
  OperationParts parts = parts_at_rates(curve, work, roofs);
  const double uneven = 1 + (work.uneven ? curve.uneven : 0);
  if (!curve.memory.fraction.empty())
    parts.reading = parts.reading * uneven *
                    (1 + curve.idle_memory * work.idle_tail + (work.paged ? curve.paged : 0));
  if (!curve.compute.fraction.empty())
    parts.computing = parts.computing * uneven * (1 + curve.idle_compute * work.idle_tail) *
                      (1 + curve.fill / work.k);
  return parts;
}

/// What of an operation's time is the start of its kernel.
[[nodiscard]] inline Seconds start_of(const OperationCurve& curve, const OperationWork& work) {
  return work.follows ? curve.follow : curve.start;
}

[[nodiscard]] inline double operation_seconds(const OperationCurve& curve,
                                              const OperationParts& parts,
                                              const OperationWork& work) {
  const Seconds fixed = start_of(curve, work) + work.pieces * curve.piece +
                        work.splits * curve.split + (work.combined ? curve.combine : Seconds(0));
  return fixed.base() + overlapped(parts.reading, parts.computing, curve.overlap);
}
[[nodiscard]] inline double operation_seconds(const OperationCurve& curve,
                                              const OperationWork& work,
                                              const OperationRoofs& roofs) {
  return operation_seconds(curve, operation_parts(curve, work, roofs), work);
}

}  // namespace afford
