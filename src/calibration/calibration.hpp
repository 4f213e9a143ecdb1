#pragma once
// What a calibration says about one chip: its roofs as measured, and for each class of operation
// the fraction of them our kernels reach, over the size that matters. Plain data;
// hardware/NAME.calibration.yaml holds one.

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "calibration/fit_error.hpp"
#include "calibration/links.hpp"
#include "spec/operation_class.hpp"
#include "units.hpp"

namespace afford {

/// A fraction of a roof over a size: knots at powers of two, linear in between, constant outside.
/// Never falls with the size where it is fitted so.
struct Curve {
  int first_octave = 0;          // the first knot stands at 2^first_octave
  std::vector<double> fraction;  // one a knot; none: the class has no points that this roof binds
  double least = 0, most = 0;    // sizes measured: outside, the curve is extrapolated

  [[nodiscard]] double at(double size) const {
    const auto bits = std::bit_cast<std::uint64_t>(size);
    const int octave = static_cast<int>(bits >> 52) - 1023 - first_octave;  // size > 0
    if (octave < 0) return fraction.front();
    const auto i = static_cast<std::size_t>(octave);
    if (i + 1 >= fraction.size()) return fraction.back();
    constexpr std::uint64_t mantissa = (std::uint64_t{1} << 52) - 1,
                            one = std::uint64_t{1023} << 52;
    const double part = std::bit_cast<double>((bits & mantissa) | one) - 1;
    return fraction[i] + part * (fraction[i + 1] - fraction[i]);
  }
  /// Whether no size takes less time than a smaller one: a fraction that at most doubles over an
  /// octave.
  [[nodiscard]] bool is_rising() const {
    for (std::size_t i = 1; i < fraction.size(); ++i) {
      if (fraction[i] > 2 * fraction[i - 1]) return false;
    }
    return true;
  }
  [[nodiscard]] bool covers(double size) const { return size >= least && size <= most; }
};

/// One class of operations in one precision. An operation takes
///
///   t = start + combine + piece * pieces + split * splits + (reading^p + computing^p)^(1/p)
///
///   reading = bytes / (read roof * memory.at(bytes per SM))
///             * (1 + uneven) * (1 + idle_memory * idle_tail + paged)
///
///   computing = FLOPs / (tensor roof * compute.at(rows))
///               * (1 + uneven) * (1 + idle_compute * idle_tail) * (1 + fill / K)
///
/// FLOPs are those of whole tiles. Attention: `pieces` are the requests of an SM beyond the first,
/// `splits` the work of combining their parts; nothing is combined where requests stay whole.
/// GEMMs: `splits` are the parts of a tile's K beyond the first, `fill` what starting and ending a
/// tile costs, in K. idle_tail is the share of the SMs without a tile, or a whole request, over all
/// waves. p says how well the two overlap.
struct OperationCurve {
  OperationClass operation = OperationClass::none;
  OperandPrecision precision = OperandPrecision::bf16;
  Seconds start;  // with its launch as a graph node
  Seconds
      follow;  // instead of start, right behind a product it depends on (the down GEMM of experts)
  Seconds combine, piece, split;
  double paged = 0, uneven = 0;  // more time for a paged cache, for requests of unequal length
  // Shares of the idle tail that are lost: of the bandwidth, what the busy SMs cannot take over; of
  // the FLOPs, what the kernel does not save by splitting its last tiles.
  double idle_memory = 0.5, idle_compute = 1;
  double fill = 0;
  int overlap = 4;  // p: 1, 2, 3, 4 or 8
  Curve memory;     // over bytes per SM
  Curve compute;  // over rows: tokens an expert or of a dense GEMM; of attention over bytes per SM
  bool rising = false;  // known of both: a larger size never takes less time (is_rising())
  FitError error;
};

/// A stream of bytes: t = start + bytes / rate.
struct StreamRoof {
  Seconds start;
  ByteRate rate;
  FitError error;
};

/// A tensor loop without memory, sustained, and the SM clock it ran at.
struct TensorRoof {
  FlopRate rate;
  double sm_clock_mhz = 0;
};

/// Where a calibration comes from. Nothing in it identifies one device.
struct Provenance {
  std::string chip;          // the name of its hardware file, such as h200
  std::string engine;        // whose kernels were measured: the name of its file, such as afford
  std::string architecture;  // hopper
  std::string device;        // as the driver calls the class: "NVIDIA H200"
  std::int64_t multiprocessors = 0;
  std::int64_t cards = 1;  // whose points the curves are fitted to
  std::string driver, cuda;
  double power_cap_w = 0, sm_clock_mhz = 0, memory_clock_mhz = 0;  // clocks: the highest allowed
  std::string date, commit, command;                               // date: YYYY-MM-DD
  bool partial = false;  // interrupted, or some parts left out
};

struct Overheads {
  // One empty kernel: launched, as a graph node, with dependent launch. 0: not measured.
  Seconds stream, graph, dependent;
};

struct Calibration {
  std::string file;  // it was read from
  Provenance provenance;
  StreamRoof read, write, copy, l2;  // rate 0: not measured
  TensorRoof bf16, fp8;
  Overheads launch;
  std::vector<OperationCurve> curves;
  Links links;  // empty: of one GPU alone
};

/// The tensor roof that products of this precision run on.
[[nodiscard]] inline const TensorRoof& tensor_roof(const Calibration& c,
                                                   OperandPrecision precision) {
  return row_of(precision).tensor == Dtype::bf16 ? c.bf16 : c.fp8;
}

}  // namespace afford
