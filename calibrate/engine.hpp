#pragma once
// The kernels of this program as an engine: what a calibrated time stands for. engines/afford.yaml
// says the same; a test compares them.

#include "spec/engine.hpp"

namespace afford::calibrate {

[[nodiscard]] inline Engine kernels() {
  return {.name = "afford",
          // `heads` of attention.cuh and mla.cuh: fewer rows are padded.
          .attention_tile = 64,
          .kernels = {.combine = 0,
                      .norm_quantise = 1,
                      .rank_norm = 1,
                      .rope_cache_write = 1,
                      .core = 1,
                      .top_k_pack = 1}};
}

}  // namespace afford::calibrate
