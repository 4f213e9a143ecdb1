// The two GEMMs of MLPs, with and without a gate.
#include <doctest/doctest.h>

#include "kernels/mlp.hpp"
#include "load/library.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("MLPs: weights of every expert hit, FLOPs of its rows, sharded over the width") {
    const HardwareSpec chip = load_hardware({"h800"}).front();
    const Engine engine;
    const Machine machine(chip, engine);
    for (const double up : {2.0, 1.0}) {
      MlpWork work{.shard = 4, .grouped = true, .compute = Dtype::fp8};
      work.groups[0] = {.rows = 600,
                        .mlps = 10,
                        .intermediate = 2048,
                        .inputs = 1024,
                        .matrices_up = up,
                        .format = Dtype::fp8};
      work.groups[1] = {.rows = 200,
                        .mlps = 1,
                        .intermediate = 2048,
                        .inputs = 1024,
                        .matrices_up = up,
                        .format = Dtype::bf16};
      const double matrix = 1024 * 2048 / 4.0;
      CHECK(mlp_up(work, machine).weights.base() == up * matrix * (10 + 2));
      CHECK(mlp_down(work, machine).weights.base() == matrix * (10 + 2));
      CHECK(mlp_up(work, machine).flops.base() == 2 * up * matrix * 800);
      CHECK(mlp_down(work, machine).flops.base() == 2 * matrix * 800);
      CHECK(mlp_up(work, machine).activations.base() == 800 * (1024 + up * 512));
      CHECK(mlp_down(work, machine).activations.base() == 800 * (1024 + 512));
      // Between: gate and up (or up) read, one result written, in BF16.
      CHECK(mlp_activation(work, machine).activations.base() == 2 * (up + 1) * 800 * 512);
      CHECK(mlp_up(work, machine).name == (up > 1 ? "gate, up" : "up"));
      work.groups[0].rows = 20;  // two rows an expert: a tile of 16 for each
      CHECK(mlp_down(work, machine).flops.base() == 2 * matrix * (10 * 16 + 200));
    }
  }

  // alibaba/InferSim, bench_data/grouped_gemm/decode/h20: DeepGEMM, FP8, 24 experts of 3120 x 2048.
  TEST_CASE(
      "MLPs: an H20 waits for whole tiles of wgmma's rows, chips of more compute for memory") {
    const Engine served = load_engines({"served"}).front();
    const auto up_us = [&](const std::string& chip_name, double rows, Dtype format) {
      const HardwareSpec chip = load_hardware({chip_name}).front();
      const Machine machine(chip, served);
      MlpWork work{.grouped = true, .compute = format == Dtype::mxfp4 ? Dtype::bf16 : format};
      work.groups[0] = {.rows = 24 * rows,
                        .mlps = 24,
                        .intermediate = 3120,
                        .inputs = 2048,
                        .matrices_up = 1,
                        .format = format};
      return mlp_up(work, machine).time.base() * 1e6;
    };
    CHECK(up_us("h20", 21, Dtype::fp8) == doctest::Approx(97.3).epsilon(0.12));
    CHECK(up_us("h20", 43, Dtype::fp8) == doctest::Approx(97.7).epsilon(0.12));
    CHECK(up_us("h20", 85, Dtype::fp8) == doctest::Approx(176.9).epsilon(0.12));
    CHECK(up_us("h20", 171, Dtype::fp8) == doctest::Approx(317.9).epsilon(0.12));
    // Up to 8 rows the small tile; between 8 and 16 the one takes over from the other.
    CHECK(up_us("h20", 2, Dtype::fp8) == up_us("h20", 8, Dtype::fp8));
    CHECK(up_us("h20", 12, Dtype::fp8) > up_us("h20", 8, Dtype::fp8));
    CHECK(up_us("h20", 16, Dtype::fp8) == up_us("h20", 43, Dtype::fp8));
    // Reading the weights is what an H100 does meanwhile, and what widened weights go in small
    // tiles.
    CHECK(up_us("h100", 43, Dtype::fp8) == up_us("h100", 2, Dtype::fp8));
    CHECK(up_us("h20", 16, Dtype::mxfp4) < up_us("h20", 43, Dtype::mxfp4));
  }
}
