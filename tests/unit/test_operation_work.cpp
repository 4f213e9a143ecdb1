#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <vector>

#include "calibration/dense_work.hpp"

using namespace afford;
using doctest::Approx;

namespace {

/// Entries that each query tile of a prompt sees, counted tile by tile, the longest first.
std::vector<double> tiles_of(const PrefillCore& core) {
  std::vector<double> all;
  for (double first = 0; first < core.tokens; first += 128) {
    const double end = core.prefix + std::min(first + 128, core.tokens),
                 begin = std::max(0.0, core.prefix + first - core.width);
    const double seen = padded(end, 128) - 128 * std::floor(begin / 128);
    all.insert(all.end(), static_cast<size_t>(core.heads), seen);
  }
  std::sort(all.begin(), all.end(), std::greater<>());
  return all;
}

/// When the last of `sms` blocks ends that take tiles in that order as they get free.
double end_of(const std::vector<double>& tiles, int sms) {
  std::priority_queue<double, std::vector<double>, std::greater<>> free;
  for (int i = 0; i < sms; ++i) free.push(0);
  double last = 0;
  for (const double tile : tiles) {
    const double end = free.top() + tile;
    free.pop();
    free.push(end);
    last = std::max(last, end);
  }
  return last;
}

double sum_of(const std::vector<double>& tiles) {
  double sum = 0;
  for (const double tile : tiles) sum += tile;
  return sum;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("query rows fill the smallest tile, more than 16 wgmma's 64") {
    CHECK(query_tiles(4, 16).rows == 16);
    CHECK(query_tiles(16, 16).rows == 16);
    CHECK(query_tiles(17, 16).rows == 64);
    CHECK(query_tiles(4, 64).rows == 64);
    CHECK(query_tiles(65, 16).count == 2);
    CHECK(query_tiles(128, 64).rows == 128);
    CHECK(query_tiles(8, 3).rows == 9);
    CHECK(query_tiles(100, 128).rows == 128);  // a kernel may have a wider tile than wgmma
  }

  TEST_CASE("units of a core stay whole where that loads the SMs evenly") {
    const DecodeCore whole{
        .units = 264, .bytes = 132e6, .flops = 1e9, .context = 4096, .outputs = 16384};
    const OperationWork even = work_of(whole, 132);
    CHECK_FALSE(even.combined);
    CHECK(even.pieces == Approx(1));
    CHECK(even.splits == 0);
    CHECK(even.memory_size == Approx(1e6));
    CHECK(even.compute_size == Approx(1e6));
    DecodeCore few = whole;
    few.units = 66;
    const OperationWork split = work_of(few, 132);
    CHECK(split.combined);
    CHECK(split.idle_tail == 0);
    // Two parts each: 16384/1024 blocks, and 2 parts of 16384/2048.
    CHECK(split.splits == Approx(66 * (16 + 2 * 8) / 1000.0));
  }

  TEST_CASE("units are cut anywhere where no number of equal parts loads the SMs evenly") {
    const auto core = [](double units) {
      return work_of(DecodeCore{.units = units, .bytes = 1e8, .context = 6000, .outputs = 16384},
                     132);
    };
    CHECK_FALSE(core(32).uneven);  // in quarters: 128 parts
    CHECK(core(32).combined);
    CHECK(core(32).pieces == 0);
    CHECK(core(24).uneven);  // in fifths: 120 parts
    CHECK(core(24).pieces == 1);
    CHECK(core(96).uneven);
    CHECK_FALSE(core(128).uneven);  // whole
    CHECK_FALSE(core(128).combined);
    CHECK(core(192).uneven);
    CHECK(core(192).pieces == Approx(192 / 132.0));
    CHECK(core(384).pieces == Approx(384 / 132.0 - 1));  // three whole ones each
    CHECK(idle_in_equal_parts(24, 132) == Approx(132 / 120.0 - 1));
    CHECK(idle_in_equal_parts(192, 132) == Approx(264 / 192.0 - 1));
  }

  TEST_CASE("a product with block scales has tiles of 128 x 128 and never splits K") {
    const auto product = [](double rows, double outputs) {
      return work_of(
          DenseGemm{.bytes = 1e6, .m = rows, .n = outputs, .k = 16384, .block_scaled = true}, 132);
    };
    CHECK(product(384, 7168).idle_tail == Approx(264 / 168.0 - 1));  // 3 x 56 tiles
    CHECK(product(512, 7168).idle_tail == Approx(264 / 224.0 - 1));
    CHECK(product(16, 2560).idle_tail == Approx(132 / 20.0 - 1));
    CHECK(product(16, 2560).splits == 0);
    CHECK(product(129, 2560).flops == Approx(2.0 * 256 * 2560 * 16384));
    CHECK(product(129, 2560).compute_size == 256);
  }

  TEST_CASE("lengths are unequal where the longest is a fifth beyond the mean") {
    CHECK_FALSE(uneven_lengths(4096, 4096));
    CHECK_FALSE(uneven_lengths(4915, 4096));
    CHECK(uneven_lengths(4916, 4096));
  }

  TEST_CASE("requests of unequal length are split") {
    const DecodeCore core{
        .units = 132, .bytes = 1e6, .context = 4096, .outputs = 1024, .uneven = true};
    CHECK(work_of(core, 132).combined);
    CHECK(work_of(core, 132).uneven);
  }

  TEST_CASE("a prompt computes whole tiles up to the diagonal, a window its band of them") {
    for (const double tokens : {1.0, 127.0, 128.0, 129.0, 1000.0, 8192.0}) {
      for (const double prefix : {0.0, 1.0, 127.0, 128.0, 4097.0}) {
        const PrefillCore core{.heads = 3, .tokens = tokens, .prefix = prefix, .flops_a_pair = 512};
        CAPTURE(tokens);
        CAPTURE(prefix);
        const std::vector<double> tiles = tiles_of(core);
        CHECK(prefill_tiles(core).mean ==
              Approx(sum_of(tiles) / static_cast<double>(tiles.size())));
        CHECK(prefill_tiles(core).longest == tiles.front());
        CHECK(prefill_tiles(core).shortest == tiles.back());
        CHECK(work_of(core, 132).flops == Approx(512 * 128 * sum_of(tiles)));
      }
    }
    const PrefillCore band{.heads = 1, .tokens = 4096, .prefix = 1024, .width = 1024};
    const std::vector<double> tiles = tiles_of(band);
    CHECK(prefill_tiles(band).mean == Approx(sum_of(tiles) / static_cast<double>(tiles.size())));
    CHECK(prefill_tiles(band).longest == 1024 + 128);
  }

  TEST_CASE("tiles of a prompt end as blocks do that take the longest first") {
    constexpr int sms = 132;
    for (const double heads : {1.0, 8.0, 16.0, 64.0, 128.0}) {
      for (const double tokens : {128.0, 512.0, 2048.0, 8192.0}) {
        for (const double prefix : {0.0, 2048.0, 32768.0}) {
          const PrefillCore core{.heads = heads, .tokens = tokens, .prefix = prefix};
          const std::vector<double> tiles = tiles_of(core);
          const OperationWork work = work_of(core, sms);
          CAPTURE(heads);
          CAPTURE(tokens);
          CAPTURE(prefix);
          const double end = (1 + work.idle_tail) * sum_of(tiles) / sms;
          CHECK(end == Approx(end_of(tiles, sms)).epsilon(0.06));
        }
      }
    }
    // One tile of 128 for each of 66 heads: half of the SMs idle.
    CHECK(work_of(PrefillCore{.heads = 66, .tokens = 128}, sms).idle_tail == Approx(1));
  }

  TEST_CASE("a longer prompt never asks for less") {
    for (const double prefix : {0.0, 4096.0}) {
      double before = 0;
      for (double tokens = 64; tokens <= 16384; tokens += 64) {
        const OperationWork work = work_of(
            PrefillCore{.heads = 8, .tokens = tokens, .prefix = prefix, .flops_a_pair = 512}, 132);
        const double now = work.flops * (1 + work.idle_tail);
        CAPTURE(tokens);
        CHECK(now >= before * (1 - 1e-12));
        before = now;
      }
    }
  }

  TEST_CASE("a grouped product computes whole token tiles") {
    // 100 tokens: one tile of 128 columns takes less than two of 64 or seven of 16.
    CHECK(grouped_tiles(100, 256).rows == 128);
    CHECK(grouped_tiles(100, 257).tiles == 2);
    CHECK(grouped_tiles(1, 256).rows == 8);
    const GroupedGemm gemm{.bytes = 1e6, .flops = 2e9, .tokens = 100, .tiles = 133, .k = 7168};
    const OperationWork work = work_of(gemm, 132);
    CHECK(work.compute_size == 100);
    CHECK(work.idle_tail == Approx(264.0 / 133 - 1));
    CHECK(work.k == 7168);
  }

  TEST_CASE("a dense product splits K where there are fewer tiles than SMs") {
    // One tile of rows, 8 of 256 columns: 16 parts of K fit the SMs, but K = 2048 has only 4.
    const OperationWork few = work_of(DenseGemm{.bytes = 1e6, .m = 16, .n = 2048, .k = 2048}, 132);
    CHECK(few.splits == 3);
    CHECK(few.flops == Approx(2.0 * 16 * 2048 * 2048));
    const OperationWork odd = work_of(DenseGemm{.bytes = 1e6, .m = 17, .n = 2048, .k = 2048}, 132);
    CHECK(odd.flops == Approx(2.0 * 32 * 2048 * 2048));  // rows in sixteens
    const OperationWork many =
        work_of(DenseGemm{.bytes = 1e6, .m = 4096, .n = 16384, .k = 2048}, 132);
    CHECK(many.splits == 0);
  }

  TEST_CASE("a dense product has the first tile of those that leave the fewest SMs idle") {
    const double tiles[][2] = {{64, 128}, {64, 256}, {128, 128}, {128, 256}, {256, 128}};
    for (double rows = 1; rows < 5000; rows += 1 + std::floor(rows / 5)) {
      for (double columns = 64; columns < 30000; columns += 32 + columns / 3) {
        const DenseGemm gemm{.m = rows, .n = columns, .k = 4096};
        DenseTiles best;
        for (const auto& [height, width] : tiles) {
          const double count = std::ceil(rows / height) * std::ceil(columns / width);
          const DenseTiles these = dense_tiles(count, 8, 132);
          if (these.idle < best.idle) best = these;
        }
        const DenseTiles chosen = chosen_tiles(rows, cuts_of(gemm), 132);
        CHECK(chosen.idle == best.idle);
        CHECK(chosen.parts == best.parts);
      }
    }
  }

  TEST_CASE("a curve rises where its fraction at most doubles over an octave") {
    CHECK(Curve{.fraction = {}}.is_rising());
    CHECK(Curve{.fraction = {0.2, 0.4, 0.3}}.is_rising());
    const Curve steep{.fraction = {0.2, 0.41}};
    CHECK_FALSE(steep.is_rising());
    CHECK(2 / steep.at(2) < 1 / steep.at(1));
  }
}
