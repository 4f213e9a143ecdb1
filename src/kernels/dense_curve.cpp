#include "kernels/dense_curve.hpp"

#include <algorithm>

namespace afford {
namespace {

constexpr double rounding = 1 - 1e-12;

}  // namespace

DenseOnCurve::DenseOnCurve(const DenseMatrix& matrix, const OperationCurve& curve, Dtype compute,
                           const Machine& machine)
    : curve_(&curve),
      // A measured time is that of the measured kernel, tile and all, unless the engine says
      // otherwise.
      gemm_{.n = matrix.outputs,
            .k = matrix.inputs,
            .block_scaled =
                curve.precision == OperandPrecision::fp8_128 && !machine.engine->tile_on_curves},
      cuts_(cuts_of(gemm_)),
      kernels_(matrix.kernels),
      weights_(matrix.bytes / matrix.kernels),
      sms_(machine.measured->sms),
      start_(machine.launches() ? curve.start.base() : 0),
      fill_(1 + curve.fill / matrix.inputs),
      l2_share_(l2_share(*machine.measured)),
      in_interval_(in_interval(curve, machine)),
      roofs_{machine.measured->read, machine.measured->tensor(compute)} {}

DenseOnCurve::OnTiles DenseOnCurve::on_tiles(const DenseTiles& tiles) const {
  return {.reading = 1 + curve_->idle_memory * tiles.idle,
          .computing = 1 + curve_->idle_compute * tiles.idle,
          .fixed = (curve_->start + (tiles.parts - 1) * curve_->split).base()};
}

void DenseOnCurve::fill(Op& op, double rows, const Machine& machine) {
  const double row = row_of(rows, op.activations);
  const DenseTiles tiles = chosen_tiles(rows, cuts_, sms_);
  const OnTiles on = on_tiles(tiles);
  const OperationParts taken = parts(reading(rows, row), computing(rows), on);
  DenseGemm sized = gemm_;
  sized.m = rows;
  sized.bytes = weights_ + rows * row;
  take_time(op, *curve_, work_of(sized, tiles, sms_), {taken, overlapping(taken, on)}, machine);
  op.time = time(rows, op.activations);
}

void DenseOnCurve::take_tiles(double rows) {
  constexpr double counts_as_whole = 1e-6;  // rows beyond a tile: tiles_over()
  const double tile = gemm_.block_scaled ? block_tile : 64;
  const double most = whole_up(rows / tile) * tile;
  tiled_.above = most - tile + counts_as_whole;
  tiled_.most = most;
  tiled_.tiles = on_tiles(chosen_tiles(rows, cuts_, sms_));
  tiled_.least_padded = 0;
  tiled_.known = 0;
}

/// Rows that begin a tile mostly take longer already with no SM idle, or however reading and
/// computing overlap; and more of them as long or longer where the curve rises.
double DenseOnCurve::padded_seconds(double rows, double row, double as_asked) {
  const OnTiles none_idle = on_tiles({.idle = 0});
  const auto next = next_tiles(rows, gemm_.block_scaled);
  double best = as_asked;
  for (size_t i = 0; i < next.size(); ++i) {
    Padded& more = tiled_.padded[i];
    const double read = reading(next[i], row);
    if (i >= tiled_.known) {
      more.computing = computing(next[i]);
      if (curve_->rising) {
        const OperationParts least = parts(read, more.computing, none_idle);
        const double longer = std::max(least.reading, least.computing);
        double seconds = rounding * (none_idle.fixed + longer - start_);
        if (seconds < best) seconds = rounding * overlapping(least, none_idle);
        if (i == 0) tiled_.least_padded = seconds, tiled_.row = row;
        if (seconds >= best) break;
      }
      more.tiles = on_tiles(chosen_tiles(next[i], cuts_, sms_));
      tiled_.known = i + 1;
    }
    best = std::min(best, overlapping(parts(read, more.computing, more.tiles), more.tiles));
  }
  if (!(rows > tiled_.above)) tiled_.known = 0;  // they are those of another tile
  return best;
}

double DenseOnCurve::seconds(double rows, double row) {
  constexpr double alike = 1 - 1e-13;  // rows' bytes, but for rounding
  if (!(rows > tiled_.above && rows <= tiled_.most)) take_tiles(rows);
  const OperationParts taken = parts(reading(rows, row), computing(rows), tiled_.tiles);
  const double each = overlapping(taken, tiled_.tiles);
  if (tiled_.least_padded >= each && row >= tiled_.row * alike && rows > tiled_.above) return each;
  return padded_seconds(rows, row, each);
}

}  // namespace afford
