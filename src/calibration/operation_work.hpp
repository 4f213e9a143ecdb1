#pragma once
// What one operation asks of one chip, as a calibration's curves see it: from the sizes of a decode
// core and a grouped GEMM to OperationWork (dense ones: dense_work.hpp). Fitting and predicting
// both count here, tiles included, so that a curve means the same to both.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace afford {

/// Sizes are those of one kernel on one accelerator.
struct OperationWork {
  double bytes = 0;         // through device memory
  double flops = 0;         // executed: whole tiles
  double memory_size = 1;   // where on the memory curve: bytes an SM
  double compute_size = 1;  // where on the compute curve: token rows (GEMMs), bytes an SM (cores)
  double idle_tail = 0;  // idle SMs over all waves of tiles, in working ones: waves*SMs/tiles - 1
  double pieces = 0;     // a core's units an SM works through beyond the first
  double splits = 0;     // parts of K beyond the first (GEMMs); combine_work() (cores)
  double k = std::numeric_limits<double>::infinity();  // of a GEMM: values summed for one result
  bool combined = false;  // a second kernel joins the parts of split requests
  bool paged = false;     // the cache is read through a page table
  bool uneven = false;    // requests of unequal length
  bool follows = false;   // starts right behind a product it depends on
};

/// Rounded down and up, of numbers from 0 to 2^53: without SSE 4.1 std::floor and std::ceil are
/// calls.
[[nodiscard]] inline double whole(double x) {
  return static_cast<double>(static_cast<std::int64_t>(x));
}
[[nodiscard]] inline double whole_up(double x) {
  const double down = whole(x);
  return down < x ? down + 1 : down;
}

/// Tiles that cover `size`. A quotient that is whole but for rounding counts as whole: sizes are
/// small integers, often divided by a number of accelerators and multiplied again.
[[nodiscard]] inline double tiles_over(double size, double tile) {
  constexpr double rounding = 1e-9;
  return whole_up(size / tile - rounding);
}

/// Rows of whole tiles.
[[nodiscard]] inline double padded(double rows, double tile) {
  return tiles_over(rows, tile) * tile;
}

/// Idle share of `sms` processors that work through `tiles` equal tiles: waves * sms / tiles - 1.
[[nodiscard]] inline double idle_tail(double tiles, double sms) {
  return tiles > 0 ? padded(tiles, sms) / tiles - 1 : 0;
}

// ---- Decode cores

/// The tiles that the query rows of one KV head fill (query heads a KV head times query tokens).
struct QueryTiles {
  double count = 1;  // which different SMs may work on
  double rows = 1;   // of them all: what the tensor cores compute
};
/// `smallest` is the kernel's tile for up to 16 rows; more go in tiles of 64, wgmma's M.
[[nodiscard]] inline QueryTiles query_tiles(double rows, double smallest) {
  constexpr double few = 16, wgmma_rows = 64;
  const double tile = rows <= few ? smallest : std::max(smallest, wgmma_rows);
  const double count = tiles_over(rows, tile);
  return {.count = count, .rows = count * tile};
}

/// Decode attention on one accelerator.
struct DecodeCore {
  double units = 1;    // requests * KV heads * query tiles: what an SM may work on alone
  double bytes = 0;    // cache, queries and results
  double flops = 0;    // executed: whole query tiles
  double context = 0;  // tokens a request attends over
  double outputs = 0;  // values that a unit puts out
  bool paged = false, uneven = false;
};

/// What combining the parts of split requests takes, in thousands of blocks of the second kernel
/// (calibrate/combine.cuh): one has 64 of a unit's `outputs` where there are more than four parts,
/// else 1024; reading and writing a part of 2048 outputs weighs like one.
[[nodiscard]] inline double combine_work(const DecodeCore& core, double parts, double sms) {
  const double blocks = core.outputs / (parts > 4 ? 64 : 1024) + parts * core.outputs / 2048;
  return std::min(core.units, sms) * blocks / 1000;
}

/// Whether requests are of unequal length to a core: the longest is beyond this much of the mean.
[[nodiscard]] inline bool uneven_lengths(double longest, double mean) {
  constexpr double uneven_from = 1.2;
  return longest > uneven_from * mean;
}

/// Units stay whole, or in equal parts, where that loads no SM more than this beyond the mean.
constexpr double core_overload = 0.05;
/// Tokens of the least part of a split unit: one tile.
constexpr double least_part = 64;

/// Idle share of `sms` processors that each work on one of as many equal parts of a unit as all
/// units may have; of more units than processors, on whole ones.
[[nodiscard]] inline double idle_in_equal_parts(double units, double sms) {
  return units > sms ? idle_tail(units, sms) : sms / (units * whole(sms / units + 1e-6)) - 1;
}

/// Else they are cut wherever a processor has its share, as the measured kernel's schedule does
/// (calibrate/schedule.cpp): one then starts a unit more.
[[nodiscard]] inline OperationWork work_of(const DecodeCore& core, double sms) {
  const double each = core.bytes / sms, idle = idle_tail(core.units, sms);
  const bool combined = core.uneven || idle > core_overload;
  const bool cut_anywhere =
      core.uneven || (combined && idle_in_equal_parts(core.units, sms) > core_overload);
  const double parts = std::max(2.0, std::min(sms / core.units, core.context / least_part));
  return {.bytes = core.bytes,
          .flops = core.flops,
          .memory_size = each,
          .compute_size = each,
          .idle_tail = combined ? 0 : idle,
          .pieces =
              cut_anywhere ? std::max(1.0, core.units / sms) : std::max(0.0, core.units / sms - 1),
          .splits = combined ? combine_work(core, parts, sms) : 0,
          .combined = combined,
          .paged = core.paged,
          .uneven = cut_anywhere};
}

/// The schedule of a somewhat larger core can be the faster one: where its parts are few enough for
/// larger blocks to join, where they are equal, and where its units stay whole. How many times this
/// one's units those have; 1 where there is none.
[[nodiscard]] inline std::array<double, 3> faster_sizes(const DecodeCore& core, double sms) {
  constexpr double few_parts = 4, rounding = 1e-9;
  const auto beyond = [&](double units) {
    return std::max(1.0, units * (1 + rounding) / core.units);
  };
  const bool joined_in_small_blocks =
      core.units * few_parts < sms && core.context > few_parts * least_part;
  const double parts = std::max(1.0, whole(sms / core.units + rounding));
  return {joined_in_small_blocks ? beyond(sms / few_parts) : 1,
          core.uneven ? 1 : beyond(sms / parts / (1 + core_overload)),
          core.uneven ? 1 : beyond(padded(core.units, sms) / (1 + core_overload))};
}

// ---- Prefill cores

/// Causal attention of `tokens` new tokens of each sequence over `prefix` cached ones and
/// themselves, each seeing `width` entries at most, on one accelerator.
struct PrefillCore {
  double heads = 1;  // query heads of all sequences
  double tokens = 1, prefix = 0;
  double width = std::numeric_limits<double>::infinity();
  double flops_a_pair = 0;  // of a query and an entry, of one head
  double bytes = 0;         // queries, results, keys and values
};

/// Tiles of queries of one head, and the entries that they see, in whole tiles: in the mean, of the
/// last and of the first.
struct PrefillTiles {
  double count = 1, mean = 1, longest = 1, shortest = 1;
};
/// Tiles of 128 queries by 128 entries (calibrate/prefill.cuh; its tile of 80 for keys of 256 comes
/// nearer to the diagonal and pays more a tile, which the curve holds).
[[nodiscard]] inline PrefillTiles prefill_tiles(const PrefillCore& core) {
  constexpr double tile = 128;
  const double count = tiles_over(core.tokens, tile), before = padded(core.prefix, tile);
  const double last = padded(core.prefix + core.tokens, tile);
  // Tile i sees what is before and i tiles of its own; of a window that and its own tile.
  const double most = core.width < last ? std::min(last, padded(core.width, tile) + tile) : last;
  const double growing = std::clamp(whole((most - before) / tile), 0.0, count);
  const double sum = growing * (before + tile * (growing + 1) / 2) + (count - growing) * most;
  return {.count = count,
          .mean = sum / count,
          .longest = most,
          .shortest = std::min(before + tile, most)};
}

/// The blocks take tiles from the longest to the shortest as they get free. The last ends with the
/// longest tile, or about where whole waves of mean tiles or, if sooner, the mean load and the
/// shortest tile do.
[[nodiscard]] inline OperationWork work_of(const PrefillCore& core, double sms) {
  constexpr double rows = 128;
  const PrefillTiles tiles = prefill_tiles(core);
  const double units = core.heads * tiles.count, each = units * tiles.mean / sms;
  const double end = std::max(tiles.longest, std::min(tiles_over(units, sms) * tiles.mean,
                                                      each + tiles.shortest * (1 - 1 / sms)));
  return {.bytes = core.bytes,
          .flops = core.flops_a_pair * units * rows * tiles.mean,
          .memory_size = core.bytes / sms,
          .compute_size = tiles.mean,
          .idle_tail = end / each - 1,
          .k = tiles.mean};
}

// ---- Grouped GEMMs

/// The tiling of a grouped GEMM: 256 weight rows by `columns` tokens, on one SM or shared by
/// several.
struct GroupedTiling {
  double columns = 8;  // tokens covered
  double blocks = 1;   // SMs a tile keeps busy
};
/// The measured kernel's choice for `tokens` an expert (calibrate/moe_plan.cpp): the least of what
/// an expert takes from memory, through L2 or on the tensor cores, in rows that L2 passes on; of
/// equals the one with fewer rows. The rates are part of the kernel, whatever chip it runs on.
[[nodiscard]] inline GroupedTiling grouped_tiling(double tokens) {
  constexpr std::array<double, 8> columns{8, 16, 24, 32, 48, 64, 128, 256};
  constexpr double weight_rows = 256, from_memory = weight_rows * 8.4 / 4.5, per_column = 4.5;
  double least_time = std::numeric_limits<double>::infinity(), least_rows = least_time;
  double best = columns[0];
  for (const double covered : columns) {
    const double tiles = tiles_over(tokens, covered), rows = tiles * (weight_rows + covered);
    const double time = std::max({from_memory, rows, tiles * covered * per_column});
    if (time < least_time || (time == least_time && rows < least_rows)) {
      least_time = time;
      least_rows = rows;
      best = covered;
    }
    if (tiles == 1) break;  // wider ones only cover more than there is
  }
  return {.columns = best, .blocks = best > 128 ? 2.0 : 1.0};
}

/// One expert's product: token rows the tensor cores work on, and SMs' worth of tiles of `outputs`
/// weight rows.
struct GroupedTiles {
  double rows = 0, tiles = 0;
};
[[nodiscard]] inline GroupedTiles grouped_tiles(const GroupedTiling& tiling, double tokens,
                                                double outputs) {
  constexpr double weight_rows = 256;
  const double token_tiles = tiles_over(tokens, tiling.columns);
  return {.rows = token_tiles * tiling.columns,
          .tiles = tiles_over(outputs, weight_rows) * token_tiles * tiling.blocks};
}
[[nodiscard]] inline GroupedTiles grouped_tiles(double tokens, double outputs) {
  return grouped_tiles(grouped_tiling(tokens), tokens, outputs);
}

/// One product of all experts of an accelerator, y[tokens x outputs] = x[tokens x k] W for each.
struct GroupedGemm {
  double bytes = 0;   // weights and activations of all experts
  double flops = 0;   // executed: whole token tiles of all experts
  double tokens = 0;  // rows of an expert, whole tiles
  double tiles = 0;   // of all experts, in SMs
  double k = 0;
  bool follows = false;
};
[[nodiscard]] inline OperationWork work_of(const GroupedGemm& gemm, double sms) {
  return {.bytes = gemm.bytes,
          .flops = gemm.flops,
          .memory_size = gemm.bytes / sms,
          .compute_size = gemm.tokens,
          .idle_tail = idle_tail(whole_up(gemm.tiles), sms),
          .k = gemm.k,
          .follows = gemm.follows};
}

}  // namespace afford
