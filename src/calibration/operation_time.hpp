#pragma once
// The time of one operation under a calibration's curve. Fitting and predicting both go through here, so that
// a curve means the same to both. A few multiplications and square roots: a search calls it by the million.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "calibration/calibration.hpp"

namespace afford {

/// What one operation asks of the chip.
struct OperationWork {
  double bytes = 0;         // through device memory
  double flops = 0;         // executed: whole tiles
  double memory_size = 1;   // where on the memory curve: bytes per SM
  double compute_size = 1;  // where on the compute curve
  double idle_tail = 0;     // idle share of the SMs over all waves of tiles
  double pieces = 0;        // requests of an SM beyond the first
  double splits = 0;        // pieces of a request beyond the first
  bool combined = false, paged = false, uneven = false, follows = false;
};

/// The roofs that fractions are of, in B/s and FLOP/s.
struct OperationRoofs {
  double read = 0, tensor = 0;
};

/// (a^p + b^p)^(1/p) for p = 1, 2, 4 or 8.
[[nodiscard]] inline double overlapped(double a, double b, int p) {
  const double most = std::max(a, b);
  if (!(most > 0)) return 0;
  const double r = std::min(a, b) / most, r2 = r * r, r4 = r2 * r2;
  if (p == 1) return a + b;
  if (p == 2) return most * std::sqrt(1 + r2);
  if (p == 4) return most * std::sqrt(std::sqrt(1 + r4));
  return most * std::sqrt(std::sqrt(std::sqrt(1 + r4 * r4)));
}

/// Seconds of reading and of computing, each on its curve; a curve without knots takes none.
struct OperationParts {
  double reading = 0, computing = 0;
};
[[nodiscard]] inline OperationParts operation_parts(const OperationCurve& curve, const OperationWork& work,
                                                    const OperationRoofs& roofs) {
  OperationParts parts;
  if (!curve.memory.fraction.empty()) {
    const double more = curve.idle_memory * work.idle_tail + (work.paged ? curve.paged : 0) +
                        (work.uneven ? curve.uneven : 0);
    parts.reading = work.bytes / (roofs.read * curve.memory.at(work.memory_size)) * (1 + more);
  }
  if (!curve.compute.fraction.empty())
    parts.computing = work.flops / (roofs.tensor * curve.compute.at(work.compute_size)) *
                      (1 + curve.idle_compute * work.idle_tail);
  return parts;
}

[[nodiscard]] inline double operation_seconds(const OperationCurve& curve, const OperationParts& parts,
                                              const OperationWork& work) {
  const Seconds fixed = (work.follows ? curve.follow : curve.start) + work.pieces * curve.piece +
                        work.splits * curve.split + (work.combined ? curve.combine : Seconds(0));
  return fixed.base() + overlapped(parts.reading, parts.computing, curve.overlap);
}
[[nodiscard]] inline double operation_seconds(const OperationCurve& curve, const OperationWork& work,
                                              const OperationRoofs& roofs) {
  return operation_seconds(curve, operation_parts(curve, work, roofs), work);
}

/// Rounded down and up, of numbers from 0 to 2^53: without SSE 4.1 std::floor and std::ceil are calls.
[[nodiscard]] inline double whole(double x) { return static_cast<double>(static_cast<std::int64_t>(x)); }
[[nodiscard]] inline double whole_up(double x) {
  const double down = whole(x);
  return down < x ? down + 1 : down;
}

/// Rows of whole tiles.
[[nodiscard]] inline double padded(double rows, double tile) { return whole_up(rows / tile - 1e-9) * tile; }

/// Idle share of `sms` processors that work through `tiles` equal tiles: waves * sms / tiles - 1.
[[nodiscard]] inline double idle_tail(double tiles, double sms) {
  return tiles > 0 ? padded(tiles, sms) / tiles - 1 : 0;
}

/// Decode attention: requests of `context` tokens, `units` of them times their KV heads. They stay whole
/// where that loads no SM much beyond the mean, else they are split.
[[nodiscard]] inline OperationWork attention_work(double bytes, double flops, double units, double context,
                                                  bool uneven, double sms) {
  constexpr double least_piece = 256;  // tokens: four tiles of 64
  constexpr double overload = 0.05;
  const double each = bytes / sms, idle = idle_tail(units, sms);
  const bool combined = uneven || idle > overload;
  return {.bytes = bytes,
          .flops = flops,
          .memory_size = each,
          .compute_size = each,
          .idle_tail = combined ? 0 : idle,
          .pieces = std::max(0.0, units / sms - 1),
          .splits = std::max(0.0, std::min(sms / units, context / least_piece) - 1),
          .combined = combined,
          .uneven = uneven};
}

/// The tiling of a grouped GEMM: 256 weight rows by `columns` tokens, on one SM or shared by several.
struct GroupedTiling {
  double columns = 8;  // tokens covered
  double blocks = 1;   // SMs a tile keeps busy
};
/// The one that moves the fewest rows through L2 for `tokens` an expert, as the measured kernel chooses:
/// weights, and the tokens as often as no neighbour shares them.
[[nodiscard]] inline GroupedTiling grouped_tiling(double tokens) {
  constexpr std::array<std::array<double, 3>, 8> candidates{{{8, 1, 256 + 8},
                                                             {16, 1, 256 + 16},
                                                             {24, 1, 256 + 24},
                                                             {32, 1, 256 + 32},
                                                             {48, 1, 256 + 48},
                                                             {64, 1, 256 + 64},
                                                             {128, 2, 256 + 64},
                                                             {256, 4, 256 + 128}}};
  GroupedTiling best;
  double fewest = 1e300;
  for (const auto& [columns, blocks, moved] : candidates) {
    const double rows = whole_up(tokens / columns - 1e-9) * moved;
    if (rows < fewest) fewest = rows, best = {.columns = columns, .blocks = blocks};
  }
  return best;
}

/// Token rows the tensor cores work on for `tokens` of an expert.
[[nodiscard]] inline double grouped_rows(double tokens) {
  return padded(tokens, grouped_tiling(tokens).columns);
}

/// A grouped GEMM: `experts` with `tokens` each, `outputs` weight rows an expert, `flops` of whole token
/// tiles.
[[nodiscard]] inline OperationWork grouped_work(double bytes, double flops, double experts, double tokens,
                                                double outputs, double sms) {
  constexpr double weight_rows = 256;
  const GroupedTiling tiling = grouped_tiling(tokens);
  const double tiles = experts * whole_up(outputs / weight_rows - 1e-9) *
                       whole_up(tokens / tiling.columns - 1e-9) * tiling.blocks;
  return {.bytes = bytes,
          .flops = flops,
          .memory_size = bytes / sms,
          .compute_size = tokens,
          .idle_tail = idle_tail(whole_up(tiles), sms)};
}

/// A dense GEMM, y[m x n]: the library takes the tile that leaves the fewest SMs idle, and splits K, into
/// pieces of 512 at least, where there are fewer tiles than SMs.
[[nodiscard]] inline OperationWork dense_work(double bytes, double m, double n, double k, double sms) {
  constexpr std::array<std::array<double, 2>, 5> tiles{
      {{64, 128}, {64, 256}, {128, 128}, {128, 256}, {256, 128}}};
  constexpr double least_split = 512;
  double idle = 1e300;
  for (const auto& [rows, columns] : tiles) {
    const double count = whole_up(m / rows) * whole_up(n / columns);
    const double splits = std::clamp(whole(sms / count), 1.0, std::max(1.0, whole(k / least_split)));
    idle = std::min(idle, idle_tail(count * splits, sms));
  }
  return {.bytes = bytes,
          .flops = 2 * padded(m, 16) * n * k,
          .memory_size = bytes / sms,
          .compute_size = m,
          .idle_tail = idle};
}

}  // namespace afford
