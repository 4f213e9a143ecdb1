// The core of attention as a kernel: split, padding, and its measured curve.
#include <doctest/doctest.h>

#include <memory>

#include "calibration/chip_timing.hpp"
#include "calibration_support.hpp"
#include "kernels/attention_core.hpp"
#include "load/library.hpp"
#include "spec/attention/kinds.hpp"

using namespace afford;
using doctest::Approx;

namespace {

struct CoreFixture {
  HardwareSpec chip = load_hardware({"h200"}).front();
  Engine engine;
};

AttentionCount counted_core(const AttentionShape& shape) {
  return count_attention(shape, 4096, Convention::exact);
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("tensor parallelism: FLOPs split by the group, the cache as far as its heads") {
    const CoreFixture f;
    const Machine machine(f.chip, f.engine);
    const AttentionCount gqa = counted_core(Gqa{.query_heads = 64, .kv_heads = 4, .head_dim = 128});
    const auto core = [&](double ways) {
      return attention_core(gqa, {.requests = 16, .context = 1000, .ways = ways}, machine);
    };
    CHECK(core(1).cache.base() == 16 * 2.0 * 4 * 128 * 1000 * 2);
    CHECK(core(4).cache.base() == core(1).cache.base() / 4);
    CHECK(core(8).cache.base() == core(1).cache.base() / 4);
    CHECK(core(1).flops.base() == 16 * 4.0 * 64 * 128 * 1000);  // 16 rows: a full tile
    // Eight ways: 8 of 16 rows of a tile are used, so a quarter of the FLOPs, not an eighth.
    CHECK(core(4).flops.base() == core(1).flops.base() / 4);
    CHECK(core(8).flops.base() == core(1).flops.base() / 4);
  }

  TEST_CASE("tensor parallelism: a state and its convolution split by heads") {
    const CoreFixture f;
    const Machine machine(f.chip, f.engine);
    const AttentionCount net = counted_core(GatedDeltaNet{
        .key_heads = 16, .value_heads = 32, .key_dim = 128, .value_dim = 128, .conv_kernel = 4});
    const double state = 2 * 32.0 * 128 * 128 * 4, convolution = 4 * (2 * 2048 + 4096) * 2;
    for (const double ways : {1.0, 8.0}) {
      const Op op = attention_core(
          net, {.requests = 3, .context = 77, .ways = ways, .cache = Dtype::fp32}, machine);
      CHECK(op.cache.base() == 3 * (state + convolution) / ways);
      CHECK(op.kernels == 1);
    }
  }

  TEST_CASE("on the roofline: reading at the engine's share of memory, two kernels") {
    const CoreFixture f;
    const Machine machine(f.chip, f.engine);
    const AttentionCount mfa =
        counted_core(Mfa{.query_heads = 64, .head_dim = 256, .query_rank = 2048});
    const Op op = attention_core(
        mfa, {.requests = 1, .context = 1e6, .cache = Dtype::bf16, .compute = Dtype::bf16},
        machine);
    const double read = 2.0 * 256 * 2 * 1e6 / (f.engine.attention_memory * 4.8e12);
    const double work =
        4.0 * 64 * 256 * 1e6 / (f.engine.attention_compute * machine.peak(Dtype::bf16).base());
    CHECK(op.time / second == Approx(std::max(read, work) + 2 * f.engine.kernel / second));
  }

  // vllm-project/vllm#42058: 5 % more tokens a second with an FP8 cache on an A100, at 16K.
  TEST_CASE("a chip without FP8 widens an FP8 cache, which takes what reading BF16 does") {
    const AttentionCount gqa = counted_core(Gqa{.query_heads = 32, .kv_heads = 8, .head_dim = 128});
    const Engine vllm = load_engines({"vllm"}).front();
    const auto time = [&](const char* name, Dtype cache) {
      const HardwareSpec chip = load_hardware({name}).front();
      const Machine machine(chip, vllm);
      return attention_core(gqa, {.requests = 8, .context = 16384, .cache = cache}, machine).time;
    };
    CHECK(time("a100", Dtype::fp8) == time("a100", Dtype::bf16));
    CHECK(time("h100", Dtype::fp8) < 0.6 * time("h100", Dtype::bf16));
  }

  TEST_CASE("on a measured curve: a paged cache, as engines hold it, costs its share more") {
    CoreFixture f;
    const AttentionCount gqa = counted_core(Gqa{.query_heads = 64, .kv_heads = 8, .head_dim = 128});
    const CoreWork work{.requests = 132, .context = 8192};
    const auto seconds = [&](double paged) {
      Calibration calibration = test::known_calibration();
      for (OperationCurve& curve : calibration.curves) {
        curve.memory.fraction = {1};
        curve.compute.fraction.clear();
        curve.paged = paged;
      }
      const HardwareSpec plain = f.chip;
      f.chip.measured = chip_timing(test::measured_on(plain, calibration), plain);
      return attention_core(gqa, work, Machine(f.chip, f.engine)).time / second;
    };
    // Keys and values of 8 heads, and queries and results of 64, all in BF16.
    const double bytes = 132 * 2.0 * 8 * 128 * 8192 * 2 + 132 * 2.0 * 64 * 128 * 2;
    CHECK(seconds(0.25) - seconds(0) == Approx(0.25 * bytes / 4.7e12));
  }

  TEST_CASE("MLA over an FP8 cache takes its own curve where products are in BF16, on their roof") {
    CoreFixture f;
    Calibration calibration = test::known_calibration();
    OperationCurve own =
        test::curve_of(calibration, OperationClass::mla_decode, OperandPrecision::bf16);
    own.precision = OperandPrecision::fp8_cache;
    own.start = own.piece = 0 * microsecond;
    own.memory.fraction.clear();
    own.compute.fraction = {0.5};
    calibration.curves.push_back(own);
    const HardwareSpec plain = f.chip;
    f.chip.measured = chip_timing(test::measured_on(plain, calibration), plain);
    const AttentionCount mla = counted_core(
        Mla{.query_heads = 128, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .value_dim = 128});
    const auto core = [&](Dtype cache, Dtype compute) {
      return attention_core(mla,
                            {.requests = 132, .context = 8192, .cache = cache, .compute = compute},
                            Machine(f.chip, f.engine));
    };
    const Op widened = core(Dtype::fp8, Dtype::bf16);
    CHECK(widened.widened);
    CHECK_FALSE(widened.uncovered);
    // Two tiles of 64 heads each, so 264 units on 132 SMs: two waves, nothing idle.
    CHECK(widened.time / second == Approx(132 * 2.0 * 128 * (576 + 512) * 8192 / (0.5 * 780e12)));
    CHECK_FALSE(core(Dtype::bf16, Dtype::bf16).widened);
    const Op in_fp8 = core(Dtype::fp8, Dtype::fp8);
    CHECK_FALSE(in_fp8.widened);
    CHECK(in_fp8.uncovered);  // no kernel of ours multiplies MLA in FP8
  }
}
