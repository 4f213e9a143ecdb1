#include "ideal/roofline.hpp"

#include <algorithm>

#include "kernels/formats.hpp"

namespace afford {

namespace {

size_t index_of(Dtype compute) {
  size_t index = 0;
  while (compute_dtype_names[index].second != compute) ++index;
  return index;
}

}  // namespace

FlopRate Roofs::in(Dtype compute) const { return of[index_of(compute)]; }

Roofs roofs(const HardwareSpec& chip, const Precision& wanted) {
  const auto peak = [&](Dtype compute) {
    return find_peak(chip, compute_format(chip, compute))->rate.value;
  };
  Roofs result{.attention = peak(wanted.attention_compute),
               .linear = peak(wanted.linear_compute),
               .ffn = peak(wanted.ffn_compute),
               .memory = chip.memory_bandwidth.value};
  for (const auto& [name, compute] : compute_dtype_names)
    result.of[index_of(compute)] = peak(compute);
  return result;
}

DecodeTime ideal_time(const DecodeTerms& terms, double context, const Roofs& roofs) {
  SecondsPerToken bound_by_compute, bound_by_memory;
  for (const AttentionTerms& group : terms.attention) {
    const CoreCount core = core_at(group, context);
    const SecondsPerToken compute = core.flops / roofs.attention,
                          memory = core.bytes / roofs.memory;
    (compute > memory ? bound_by_compute : bound_by_memory) += std::max(compute, memory);
  }
  FlopsPerToken linear = terms.linear, ffn = terms.ffn;
  SecondsPerToken own_linear, own_ffn;
  for (const OwnProducts& own : terms.own) {
    linear -= own.linear;
    ffn -= own.ffn;
    own_linear += own.linear / roofs.in(own.compute);
    own_ffn += own.ffn / roofs.in(own.compute);
  }
  return {.core = bound_by_compute + bound_by_memory,
          .linear = linear / roofs.linear + own_linear,
          .ffn = ffn / roofs.ffn + own_ffn,
          .core_bound = bound_by_compute > bound_by_memory ? Bound::compute : Bound::memory};
}

}  // namespace afford
