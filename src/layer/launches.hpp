#pragma once
// Kernels that an engine launches in a layer: counts, whatever the engine, times its time a kernel.
// On a machine whose engine counts no launches (Machine::launches()) there are none.

#include "kernels/machine.hpp"
#include "layer/shape.hpp"

namespace afford {

/// Of the attention side: attention, and where there is a `router` what routes tokens to experts.
[[nodiscard]] double attention_launches(const LayerShape& shape, bool router,
                                        const LaunchedKernels& kernels);

/// Of the FFN side, without shared experts, on a machine that counts launches.
[[nodiscard]] double ffn_launches(const LayerShape& shape, const Machine& machine);

/// Of the shared experts, none where there are none.
[[nodiscard]] double shared_launches(const LayerShape& shape, const LaunchedKernels& kernels);

/// `kernels` launches as an operation.
[[nodiscard]] inline Op launched(double kernels, const Machine& machine) {
  return {.name = "launches", .kernels = kernels, .time = kernels * machine.launch};
}

}  // namespace afford
