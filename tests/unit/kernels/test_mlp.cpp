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
}
