#pragma once
// The core of attention: queries against a cache, or a state brought up to date.

#include "kernels/machine.hpp"
#include "spec/attention/count.hpp"

namespace afford {

/// One kernel's share of the core.
struct CoreWork {
  double requests = 0, query_tokens = 1;  // query tokens of each request: drafts + 1
  double context = 0;
  double ways = 1;      // accelerators that share its heads
  bool uneven = false;  // requests are of unequal length, `context` their mean
  Dtype cache = Dtype::bf16, compute = Dtype::bf16;
};

/// A cache of fewer heads than `ways` is replicated on some accelerators, which share its query
/// heads.
[[nodiscard]] Op attention_core(const AttentionCount& count, const CoreWork& work,
                                const Machine& machine);

}  // namespace afford
