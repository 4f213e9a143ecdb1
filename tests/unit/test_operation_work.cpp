#include <doctest/doctest.h>

#include "calibration/operation_work.hpp"

using namespace afford;
using doctest::Approx;

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

  TEST_CASE("requests of unequal length are split") {
    const DecodeCore core{
        .units = 132, .bytes = 1e6, .context = 4096, .outputs = 1024, .uneven = true};
    CHECK(work_of(core, 132).combined);
    CHECK(work_of(core, 132).uneven);
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
}
