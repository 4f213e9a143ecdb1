#pragma once
// The kernels of this program as an engine: what a calibrated time stands for. engines/afford.yaml
// says the same; a test compares them.

#include "spec/engine.hpp"

namespace afford::calibrate {

[[nodiscard]] inline Engine kernels() {
  return {.name = "afford",
          // `heads` of attention.cuh and mla.cuh: fewer rows are padded.
          .attention_tile = 64,
          .kernels = {.core = 1}};
}

}  // namespace afford::calibrate
