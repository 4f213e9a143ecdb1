#pragma once
// What one dense GEMM asks of one chip, as its curve sees it (operation_work.hpp).

#include <algorithm>
#include <array>
#include <limits>

#include "calibration/operation_work.hpp"

namespace afford {

/// y[m x n] = x[m x k] W, as one library call.
struct DenseGemm {
  double bytes = 0;  // weights and activations
  double m = 0, n = 0, k = 0;
  bool block_scaled = false;  // by the library's kernels for a scale for every 128 x 128 of W
};
/// The one tile that those have, its rows and its columns.
constexpr double block_tile = 128;

/// Where tiles get more by one row, so that fewer SMs may idle: the fewest rows of the next three
/// counts of tiles. With whole tiles beyond, nothing larger is faster.
[[nodiscard]] inline std::array<double, 3> next_tiles(double rows, bool block_scaled) {
  const double tile = block_scaled ? block_tile : 64, first = padded(rows, tile) + 1;
  return {first, first + tile, first + 2 * tile};
}

/// Output rows and columns that one SM works on, and the parts that K is in.
struct DenseTiles {
  double idle = std::numeric_limits<double>::infinity(), parts = 1;
};
[[nodiscard]] inline DenseTiles dense_tiles(const DenseGemm& gemm, double rows, double columns,
                                            double most_parts, double sms) {
  const double count = whole_up(gemm.m / rows) * whole_up(gemm.n / columns);
  const double parts = 2 * count <= sms ? std::min(most_parts, whole(sms / count)) : 1;
  const double all = count * parts, each = 1 / sms;
  return {.idle = whole_up(all * each - 1e-9) * sms / all - 1, .parts = parts};
}

/// The library takes the tile that leaves the fewest SMs idle, and splits K, into pieces of 512 at
/// least, where there are fewer tiles than SMs. With block scales it has one tile and never splits
/// (times are whole waves of such tiles: hardware/h100.points.csv).
[[nodiscard]] inline DenseTiles chosen_tiles(const DenseGemm& gemm, double sms) {
  if (gemm.block_scaled) return dense_tiles(gemm, block_tile, block_tile, 1, sms);
  constexpr std::array<std::array<double, 2>, 5> tiles{
      {{64, 128}, {64, 256}, {128, 128}, {128, 256}, {256, 128}}};
  constexpr double least_part = 512;
  const double most_parts = std::max(1.0, whole(gemm.k / least_part));
  DenseTiles best;
  for (const auto& [rows, columns] : tiles) {
    const DenseTiles these = dense_tiles(gemm, rows, columns, most_parts, sms);
    if (these.idle < best.idle) best = these;
  }
  return best;
}

[[nodiscard]] inline OperationWork work_of(const DenseGemm& gemm, double sms) {
  constexpr double fewest_rows = 16;
  const DenseTiles tiles = chosen_tiles(gemm, sms);
  const double computed = padded(gemm.m, gemm.block_scaled ? block_tile : fewest_rows);
  return {.bytes = gemm.bytes,
          .flops = 2 * computed * gemm.n * gemm.k,
          .memory_size = gemm.bytes / sms,
          .compute_size = computed,
          .idle_tail = tiles.idle,
          .splits = tiles.parts - 1,
          .k = gemm.k};
}

}  // namespace afford
