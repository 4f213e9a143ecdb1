#pragma once
// The ends of the model: embedding rows, the LM head and sampling.

#include "kernels/machine.hpp"
#include "spec/model.hpp"

namespace afford {

/// LM head (vocabulary sharded over the `instance` accelerators), embedding rows and sampling of
/// one micro-batch of `tokens` an accelerator.
[[nodiscard]] OpList head_ops(const ModelSpec& model, double tokens, std::int64_t instance,
                              const Machine& machine);
[[nodiscard]] Seconds head_time(const ModelSpec& model, double tokens, std::int64_t instance,
                                const Machine& machine);

}  // namespace afford
