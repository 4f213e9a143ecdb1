#pragma once
// The three walks over what a core counts: its FLOPs, the bytes a token moves, the bytes it keeps.
// Every view of a model goes through them: the ideal cost, the table of modules, the kernel's time
// and what a pool holds. Inline: a search evaluates them by the million.

#include <algorithm>

#include "spec/attention/count.hpp"
#include "units.hpp"

namespace afford {

/// Entries that a walk touches at a context of so many tokens.
[[nodiscard]] inline double entries_read(const Walk& walk, double context) {
  const double entries = context / walk.stride;
  return walk.reach.kind == Reach::Kind::full ? entries
                                              : std::min(entries, real(walk.reach.tokens));
}

/// Entries that stay for the tokens to come: what a selecting layer does not read it still holds.
[[nodiscard]] inline double entries_kept(const Walk& walk, double context) {
  if (!walk.kept) return 0;
  return walk.reach.kind == Reach::Kind::selected ? context / walk.stride
                                                  : entries_read(walk, context);
}

[[nodiscard]] inline Bytes entry_bytes(const Walk& walk, Dtype cache, double entries) {
  const Dtype format = walk.format.value_or(cache);
  const Bytes extra(format == Dtype::fp8 ? walk.fp8_extra * entries : 0);
  return size_of(format, walk.elements * entries) + extra;
}

/// FLOPs of one query token. `padding`: rows that the tiles of the query heads compute, over those
/// there are.
[[nodiscard]] inline double core_flops(const Core& core, double context, double padding = 1) {
  double flops = 0;
  for (const Walk& walk : core.walks()) {
    const bool tiled = walk.by == Walk::By::query_heads;
    flops += walk.flops * entries_read(walk, context) * (tiled ? padding : 1);
  }
  return flops + core.state.flops;
}

/// Bytes that one token moves. `updated`: state and convolution inputs written back; `appended`:
/// the entries it adds, one in `stride` tokens.
struct CoreTraffic {
  Bytes read, updated, appended;
  /// What a step's time is charged: appending is left out, as the Step-3 report does (one token
  /// beside the thousands that are read).
  [[nodiscard]] Bytes charged() const { return read + updated; }
};
[[nodiscard]] inline CoreTraffic core_traffic(const Core& core, Dtype cache, double context) {
  CoreTraffic traffic;
  for (const Walk& walk : core.walks()) {
    traffic.read += entry_bytes(walk, cache, entries_read(walk, context));
    if (walk.kept) traffic.appended += entry_bytes(walk, cache, 1 / walk.stride);
  }
  const Bytes state = size_of(cache, core.state.elements);
  traffic.read += state + size_of(Dtype::bf16, core.convolution.read);
  traffic.updated = state + size_of(Dtype::bf16, core.convolution.written);
  return traffic;
}

/// Bytes that a sequence keeps between two tokens: KV, latents and indexer keys; and the state with
/// the convolution's inputs, whatever the context.
struct CoreKept {
  Bytes cache, state;
  [[nodiscard]] Bytes total() const { return cache + state; }
};
[[nodiscard]] inline CoreKept core_kept(const Core& core, Dtype cache, double context) {
  CoreKept kept;
  for (const Walk& walk : core.walks())
    kept.cache += entry_bytes(walk, cache, entries_kept(walk, context));
  kept.state = size_of(cache, core.state.elements) + size_of(Dtype::bf16, core.convolution.read);
  return kept;
}

}  // namespace afford
