#pragma once
// The time of one operation under a calibration's curve. Fitting and predicting both go through
// here, so that a curve means the same to both. A few multiplications and square roots: a search
// calls it by the million.

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
  double splits = 0;        // parts of K beyond the first; attention: combine_work()
  double k = 1e9;           // of a GEMM
  bool combined = false, paged = false, uneven = false, follows = false;
};

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
[[nodiscard]] inline OperationParts operation_parts(const OperationCurve& curve,
                                                    const OperationWork& work,
                                                    const OperationRoofs& roofs) {
  OperationParts parts;
  const double uneven = 1 + (work.uneven ? curve.uneven : 0);
  if (!curve.memory.fraction.empty())
    parts.reading = work.bytes / (roofs.read * curve.memory.at(work.memory_size)) * uneven *
                    (1 + curve.idle_memory * work.idle_tail + (work.paged ? curve.paged : 0));
  if (!curve.compute.fraction.empty())
    parts.computing = work.flops / (roofs.tensor * curve.compute.at(work.compute_size)) * uneven *
                      (1 + curve.idle_compute * work.idle_tail) * (1 + curve.fill / work.k);
  return parts;
}

[[nodiscard]] inline double operation_seconds(const OperationCurve& curve,
                                              const OperationParts& parts,
                                              const OperationWork& work) {
  const Seconds fixed = (work.follows ? curve.follow : curve.start) + work.pieces * curve.piece +
                        work.splits * curve.split + (work.combined ? curve.combine : Seconds(0));
  return fixed.base() + overlapped(parts.reading, parts.computing, curve.overlap);
}
[[nodiscard]] inline double operation_seconds(const OperationCurve& curve,
                                              const OperationWork& work,
                                              const OperationRoofs& roofs) {
  return operation_seconds(curve, operation_parts(curve, work, roofs), work);
}

/// Rounded down and up, of numbers from 0 to 2^53: without SSE 4.1 std::floor and std::ceil are
/// calls.
[[nodiscard]] inline double whole(double x) {
  return static_cast<double>(static_cast<std::int64_t>(x));
}
[[nodiscard]] inline double whole_up(double x) {
  const double down = whole(x);
  return down < x ? down + 1 : down;
}

/// Rows of whole tiles.
[[nodiscard]] inline double padded(double rows, double tile) {
  return whole_up(rows / tile - 1e-9) * tile;
}

/// Idle share of `sms` processors that work through `tiles` equal tiles: waves * sms / tiles - 1.
[[nodiscard]] inline double idle_tail(double tiles, double sms) {
  return tiles > 0 ? padded(tiles, sms) / tiles - 1 : 0;
}

/// Tiles of 64 query rows, which different SMs may work on.
[[nodiscard]] inline double row_tiles(double rows) {
  return std::max(1.0, whole_up(rows / 64 - 1e-9));
}

/// What combining the parts of split requests takes, in thousands of blocks of the second kernel
/// (calibrate/combine.cuh): one has 64 of a unit's `outputs` where there are more than four parts,
/// else 1024; reading and writing a part of 2048 outputs weighs like one.
[[nodiscard]] inline double combine_work(double units, double parts, double outputs, double sms) {
  const double blocks = outputs / (parts > 4 ? 64 : 1024) + parts * outputs / 2048;
  return std::min(units, sms) * blocks / 1000;
}

/// Decode attention: requests of `context` tokens, `units` of them times their KV heads times their
/// tiles of 64 query rows, each with `outputs` elements of result. They stay whole where that loads
/// no SM much beyond the mean, else they are split.
[[nodiscard]] inline OperationWork attention_work(double bytes, double flops, double units,
                                                  double outputs, double context, bool uneven,
                                                  double sms) {
  constexpr double least_part = 64;  // tokens: one tile
  constexpr double overload = 0.05;
  const double each = bytes / sms, idle = idle_tail(units, sms);
  const bool combined = uneven || idle > overload;
  const double parts = std::max(2.0, std::min(sms / units, context / least_part));
  return {.bytes = bytes,
          .flops = flops,
          .memory_size = each,
          .compute_size = each,
          .idle_tail = combined ? 0 : idle,
          .pieces = std::max(0.0, units / sms - 1),
          .splits = combined ? combine_work(units, parts, outputs, sms) : 0,
          .combined = combined,
          .uneven = uneven};
}

/// The tiling of a grouped GEMM: 256 weight rows by `columns` tokens, on one SM or shared by
/// several.
struct GroupedTiling {
  double columns = 8;  // tokens covered
  double blocks = 1;   // SMs a tile keeps busy
};
/// The measured kernel's choice for `tokens` an expert (calibrate/moe_plan.cpp): the least of what
/// an expert takes from memory, through L2 or on the tensor cores, in rows that L2 passes on; of
/// equals the one with fewer rows.
[[nodiscard]] inline GroupedTiling grouped_tiling(double tokens) {
  constexpr std::array<double, 8> columns{8, 16, 24, 32, 48, 64, 128, 256};
  constexpr double weight_rows = 256, from_memory = weight_rows * 8.4 / 4.5, per_column = 4.5;
  double least_time = 1e300, least_rows = 1e300, best = columns[0];
  for (const double covered : columns) {
    const double tiles = whole_up(tokens / covered - 1e-9), rows = tiles * (weight_rows + covered);
    const double time = std::max({from_memory, rows, tiles * covered * per_column});
    if (time < least_time || (time == least_time && rows < least_rows))
      least_time = time, least_rows = rows, best = covered;
  }
  return {.columns = best, .blocks = best > 128 ? 2.0 : 1.0};
}

/// One expert's product: token rows the tensor cores work on, and SMs' worth of tiles of `outputs`
/// weight rows.
struct GroupedTiles {
  double rows = 0, tiles = 0;
};
[[nodiscard]] inline GroupedTiles grouped_tiles(double tokens, double outputs) {
  constexpr double weight_rows = 256;
  const GroupedTiling tiling = grouped_tiling(tokens);
  const double token_tiles = whole_up(tokens / tiling.columns - 1e-9);
  return {.rows = token_tiles * tiling.columns,
          .tiles = whole_up(outputs / weight_rows - 1e-9) * token_tiles * tiling.blocks};
}

/// A grouped GEMM: `experts` with `tokens` each, `outputs` weight rows of `k` an expert, `flops` of
/// whole token tiles.
[[nodiscard]] inline OperationWork grouped_work(double bytes, double flops, double experts,
                                                double tokens, double outputs, double k,
                                                double sms) {
  return {.bytes = bytes,
          .flops = flops,
          .memory_size = bytes / sms,
          .compute_size = tokens,
          .idle_tail = idle_tail(whole_up(experts * grouped_tiles(tokens, outputs).tiles), sms),
          .k = k};
}

/// A dense GEMM, y[m x n]: the library takes the tile that leaves the fewest SMs idle, and splits
/// K, into pieces of 512 at least, where there are fewer tiles than SMs.
[[nodiscard]] inline OperationWork dense_work(double bytes, double m, double n, double k,
                                              double sms) {
  constexpr std::array<std::array<double, 2>, 5> tiles{
      {{64, 128}, {64, 256}, {128, 128}, {128, 256}, {256, 128}}};
  constexpr double least_split = 512;
  const double most_splits = std::max(1.0, whole(k / least_split)), each = 1 / sms;
  double idle = 1e300, pieces = 1;
  for (const auto& [rows, columns] : tiles) {
    const double count = whole_up(m / rows) * whole_up(n / columns);
    const double splits = 2 * count <= sms ? std::min(most_splits, whole(sms / count)) : 1;
    const double all = count * splits, tail = whole_up(all * each - 1e-9) * sms / all - 1;
    if (tail < idle) idle = tail, pieces = splits;
  }
  return {.bytes = bytes,
          .flops = 2 * padded(m, 16) * n * k,
          .memory_size = bytes / sms,
          .compute_size = m,
          .idle_tail = idle,
          .splits = pieces - 1,
          .k = k};
}

}  // namespace afford
