#pragma once
// A dense product on its measured curve, at one number of rows after another.

#include <array>

#include "calibration/dense_work.hpp"
#include "kernels/machine.hpp"

namespace afford {

/// Matrices of `kernels` equal kernels: the sizes of one, the bytes of all.
struct DenseMatrix {
  double inputs = 0, outputs = 0, bytes = 0, kernels = 1;
};

/// on_curve() taken apart, so that each part is worked out once: equal to it to the last bit. What
/// whole tiles of rows come to is kept from one number of rows to the next.
class DenseOnCurve {
 public:
  /// It keeps the curve's address.
  DenseOnCurve(const DenseMatrix& matrix, const OperationCurve& curve, Dtype compute,
               const Machine& machine);

  /// Of all kernels together. An engine may pad its rows: more of them never take less time.
  [[nodiscard]] Seconds time(double rows, Bytes activations) {
    return Seconds(kernels_ * seconds(rows, row_of(rows, activations)) * in_interval_);
  }
  /// Gives an operation of such kernels its time and what binds it.
  void fill(Op& op, double rows, const Machine& machine);

 private:
  /// What the tiles of so many rows come to, whatever their bytes: factors on what reading and
  /// computing take at their rates, and what the kernel takes besides.
  struct OnTiles {
    double reading = 1, computing = 1, fixed = 0;
  };
  /// Of more rows than asked for: what computing them takes at its rate.
  struct Padded {
    double computing = 0;
    OnTiles tiles;
  };
  /// What rows of one number of whole tiles have in common.
  struct Tiled {
    double above = 0, most = 0;  // rows: more than, at most
    OnTiles tiles;
    double row = 0, least_padded = 0;  // of rows of so many bytes, padded ones take no less
    std::array<Padded, 3> padded;
    size_t known = 0;  // of these
  };

  /// Of one kernel and one row, beside the matrix.
  [[nodiscard]] double row_of(double rows, Bytes activations) const {
    return activations.base() * l2_share_ / kernels_ / (rows > 0 ? rows : 1);
  }
  [[nodiscard]] double computed(double rows) const {
    constexpr double fewest_rows = 16;
    return padded(rows, gemm_.block_scaled ? block_tile : fewest_rows);
  }
  // Seconds at the rates that the sizes reach, were every SM at work to the end.
  [[nodiscard]] double reading(double rows, double row) const {
    if (curve_->memory.fraction.empty()) return 0;
    const double bytes = weights_ + rows * row;
    return bytes / (roofs_.read * curve_->memory.at(bytes / sms_));
  }
  [[nodiscard]] double computing(double rows) const {
    if (curve_->compute.fraction.empty()) return 0;
    const double whole_rows = computed(rows);
    return 2 * whole_rows * gemm_.n * gemm_.k / (roofs_.tensor * curve_->compute.at(whole_rows));
  }

  [[nodiscard]] OnTiles on_tiles(const DenseTiles& tiles) const;
  [[nodiscard]] OperationParts parts(double reading, double computing, const OnTiles& tiles) const {
    return {reading * tiles.reading, computing * tiles.computing * fill_};
  }
  [[nodiscard]] double overlapping(const OperationParts& parts, const OnTiles& tiles) const {
    return tiles.fixed + overlapped(parts.reading, parts.computing, curve_->overlap) - start_;
  }
  [[nodiscard]] double seconds(double rows, double row);
  void take_tiles(double rows);
  [[nodiscard]] double padded_seconds(double rows, double row, double as_asked);

  const OperationCurve* curve_;
  DenseGemm gemm_;
  DenseCuts cuts_;
  double kernels_, weights_, sms_, start_, fill_, l2_share_, in_interval_;
  OperationRoofs roofs_;
  Tiled tiled_;
};

}  // namespace afford
