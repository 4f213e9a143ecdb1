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

/// How it may be cut, however many rows it has: tiles of 128 and of 256 columns, parts of K.
struct DenseCuts {
  double narrow = 1, wide = 1, most_parts = 1;
  bool block_scaled = false;
};
[[nodiscard]] inline DenseCuts cuts_of(const DenseGemm& gemm) {
  constexpr double fewest_k = 512;  // of a part
  return {.narrow = whole_up(gemm.n / block_tile),
          .wide = whole_up(gemm.n / (2 * block_tile)),
          .most_parts = std::max(1.0, whole(gemm.k / fewest_k)),
          .block_scaled = gemm.block_scaled};
}

/// Idle share of the SMs, and the parts that K is in.
struct DenseTiles {
  double idle = std::numeric_limits<double>::infinity(), parts = 1;
};
[[nodiscard]] inline DenseTiles dense_tiles(double count, double most_parts, double sms) {
  const double parts = 2 * count <= sms ? std::min(most_parts, whole(sms / count)) : 1;
  const double all = count * parts, each = 1 / sms;
  return {.idle = whole_up(all * each - 1e-9) * sms / all - 1, .parts = parts};
}

/// The library takes the tile that leaves the fewest SMs idle, and splits K, into pieces of 512 at
/// least, where there are fewer tiles than SMs. With block scales it has one tile and never splits
/// (times are whole waves of such tiles: hardware/h100.points.csv).
[[nodiscard]] inline DenseTiles chosen_tiles(double rows, const DenseCuts& cuts, double sms) {
  const double low = whole_up(rows / 64), mid = whole_up(rows / 128), high = whole_up(rows / 256);
  if (cuts.block_scaled) return dense_tiles(mid * cuts.narrow, 1, sms);
  // 64 x 128, 64 x 256, 128 x 128, 128 x 256 and 256 x 128.
  const std::array<double, 5> counts{low * cuts.narrow, low * cuts.wide, mid * cuts.narrow,
                                     mid * cuts.wide, high * cuts.narrow};
  DenseTiles best;
  double taken = 0;
  for (const double count : counts) {
    if (count == taken) continue;  // as many leave as many idle
    const DenseTiles these = dense_tiles(count, cuts.most_parts, sms);
    if (!(these.idle < best.idle)) continue;
    best = these;
    taken = count;
  }
  return best;
}

[[nodiscard]] inline OperationWork work_of(const DenseGemm& gemm, const DenseTiles& tiles,
                                           double sms) {
  constexpr double fewest_rows = 16;
  const double computed = padded(gemm.m, gemm.block_scaled ? block_tile : fewest_rows);
  return {.bytes = gemm.bytes,
          .flops = 2 * computed * gemm.n * gemm.k,
          .memory_size = gemm.bytes / sms,
          .compute_size = computed,
          .idle_tail = tiles.idle,
          .splits = tiles.parts - 1,
          .k = gemm.k};
}
[[nodiscard]] inline OperationWork work_of(const DenseGemm& gemm, double sms) {
  return work_of(gemm, chosen_tiles(gemm.m, cuts_of(gemm), sms), sms);
}

}  // namespace afford
