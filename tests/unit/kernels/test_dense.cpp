// Dense products, and the small kernels and collectives between them.
#include <doctest/doctest.h>

#include "calibration/dense_work.hpp"
#include "kernels/collective.hpp"
#include "kernels/dense.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"

using namespace afford;
using doctest::Approx;

namespace {

struct Least {
  Seconds time;
  bool padded = false;  // with more rows than asked for
};

/// With every way of padding its rows looked at.
Least least_of_all(const DenseProduct& product, const Machine& machine) {
  const auto [compute, curve] = dense_curve(product.compute, machine);
  REQUIRE(curve != nullptr);
  const double weights = product.inputs * product.outputs;
  const bool block_scaled =
      curve->precision == OperandPrecision::fp8_128 && !machine.engine->tile_on_curves;
  const double sms = machine.measured->sms;
  const double row = from_l2(product.activations, *machine.measured) / product.rows;
  const auto taken = [&](double rows) {
    const DenseGemm gemm{.bytes = size_of(product.weights, weights).base() + rows * row,
                         .m = rows,
                         .n = product.outputs,
                         .k = product.inputs,
                         .block_scaled = block_scaled};
    return on_curve(*curve, work_of(gemm, sms), compute, machine).seconds;
  };
  const double asked = taken(product.rows);
  double least = asked;
  for (const double rows : next_tiles(product.rows, block_scaled))
    least = std::min(least, taken(rows));
  return {Seconds(least * in_interval(*curve, machine)) * machine.dense, least < asked};
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a dense product: whole weights once, a tile of rows at least, the longest roof") {
    const HardwareSpec chip = load_hardware({"h800"}).front();
    const Engine engine;
    const Machine machine(chip, engine);
    DenseProduct product{.name = "x",
                         .rows = 5,
                         .inputs = 4096,
                         .outputs = 8192,
                         .weights = Dtype::fp8,
                         .compute = Dtype::fp8};
    const Op op = dense(product, machine);
    CHECK(op.flops.base() == 2 * engine.gemm_tile * 4096 * 8192);
    CHECK(op.weights.base() == 4096.0 * 8192);
    CHECK(op.time / second ==
          Approx(4096.0 * 8192 / (engine.gemm_memory * 3.35e12) + engine.kernel / second));
    product.rows = 4096;
    CHECK(dense(product, machine).flops.base() == 2.0 * 4096 * 4096 * 8192);
    CHECK(dense(product, machine).bound == Limit::compute);
    product.kernels = 2;
    CHECK(dense(product, machine).weights.base() == 2 * 4096.0 * 8192);
    CHECK(dense(product, machine).flops.base() == 2 * 2.0 * 4096 * 4096 * 8192);
  }

  TEST_CASE("a measured dense product takes no longer than with padded rows") {
    std::vector<HardwareSpec> chips = load_hardware({"h100", "h200", "h800", "h20"});
    attach_calibrations(pointers_to(chips), "");
    const Engine ideal = load_engine("ideal"), served = load_engine("vllm");
    int padded = 0;
    for (const HardwareSpec& chip : chips) {
      for (const Engine* engine : {&ideal, &served}) {
        const Machine machine(chip, *engine, -1);
        for (const Dtype format : {Dtype::fp8, Dtype::bf16}) {
          for (double rows = 1; rows < 3000; rows += 1 + rows / 3) {
            for (const double outputs : {256.0, 2112.0, 7168.0, 24576.0}) {
              const DenseProduct product{.rows = rows,
                                         .inputs = 1536,
                                         .outputs = outputs,
                                         .weights = format,
                                         .compute = format,
                                         .activations = size_of(format, rows * (1536 + outputs))};
              const Least least = least_of_all(product, machine);
              CHECK(dense(product, machine).time == least.time);
              padded += least.padded ? 1 : 0;
            }
          }
        }
      }
    }
    CHECK(padded > 0);
  }

  TEST_CASE("a dense kernel at one number of rows after another takes what each takes by itself") {
    std::vector<HardwareSpec> chips = load_hardware({"h100", "h200", "h20", "a800"});
    attach_calibrations(pointers_to(chips), "");
    const Engine ideal = load_engine("ideal"), served = load_engine("vllm");
    for (const HardwareSpec& chip : chips) {
      for (const Engine* engine : {&ideal, &served}) {
        const Machine machine(chip, *engine, 1);
        for (const Dtype format : {Dtype::fp8, Dtype::bf16}) {
          DenseProduct product{
              .inputs = 7168, .outputs = 2112, .weights = format, .compute = format, .kernels = 2};
          DenseKernel kernel(product, machine);
          // Forth and back, in one tile and the next, a hair beyond a whole one.
          for (const double rows : {1.0, 2.0, 63.0, 64.0, 64 + 1e-8, 65.0, 64.5, 2.0, 128.0, 129.0,
                                    1000.0, 1001.5, 1024.0, 1025.0, 16.0, 0.25}) {
            product.rows = rows;
            product.activations = size_of(format, rows * 7168) + size_of(Dtype::bf16, rows * 2112);
            CAPTURE(rows);
            CHECK(kernel.time(rows, product.activations, machine) == dense(product, machine).time);
          }
        }
      }
    }
  }

  TEST_CASE("a collective: its bytes at the engine's share of the fabric, and a latency") {
    const HardwareSpec chip = load_hardware({"h800"}).front();
    const Engine engine;
    const Op op = collective({"gather", GB, 8, false}, Machine(chip, engine));
    const double fabric = chip.scale_up_bandwidth.value.base();
    CHECK(op.time / second ==
          Approx(1e9 / (engine.scale_up * fabric) + engine.collective / second));
    CHECK(op.bound == Limit::scale_up);
    OpList ops;
    ops.add(op);
    ops.add(collective({"gather", GB, 8, true}, Machine(chip, engine)));
    CHECK(ops.time() == op.time);  // what is hidden takes none of its stage's time
  }
}
