#include "ideal/roofline.hpp"

#include <algorithm>

#include "kernels/formats.hpp"

namespace afford {

Roofs roofs(const HardwareSpec& chip, const Precision& wanted) {
  const Precision run = precision_on(chip, wanted);
  return {.attention = find_peak(chip, run.attention_compute)->rate.value,
          .linear = find_peak(chip, run.linear_compute)->rate.value,
          .ffn = find_peak(chip, run.ffn_compute)->rate.value,
          .memory = chip.memory_bandwidth.value};
}

DecodeTime ideal_time(const DecodeTerms& terms, double context, const Roofs& roofs) {
  SecondsPerToken bound_by_compute, bound_by_memory;
  for (const AttentionTerms& group : terms.attention) {
    const CoreCount core = core_at(group, context);
    const SecondsPerToken compute = core.flops / roofs.attention,
                          memory = core.bytes / roofs.memory;
    (compute > memory ? bound_by_compute : bound_by_memory) += std::max(compute, memory);
  }
  return {.core = bound_by_compute + bound_by_memory,
          .linear = terms.linear / roofs.linear,
          .ffn = terms.ffn / roofs.ffn,
          .core_bound = bound_by_compute > bound_by_memory ? Bound::compute : Bound::memory};
}

}  // namespace afford
