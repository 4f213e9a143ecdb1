// Dense products, and the small kernels and collectives between them.
#include <doctest/doctest.h>

#include "kernels/collective.hpp"
#include "kernels/dense.hpp"
#include "load/library.hpp"

using namespace afford;
using doctest::Approx;

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
