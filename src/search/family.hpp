#pragma once
// FFN pools of one chip that differ by how many instances they have: these are replicas, so that
// pools with equal tokens a replica take equally long.

#include <span>

#include "search/trial.hpp"

namespace afford {

/// The units that one thread tries in a row: those of a family, or one.
using UnitNumbers = std::vector<std::uint32_t>;

/// Whether families are tried by arrays (deploy/pair_batches.hpp): where every candidate is no more
/// than its outcome. Each is looked at on its own where all are described or their prompts count,
/// under a direct runtime, which depends on both pools at once, and where a step is one layer.
[[nodiscard]] bool by_arrays(const Space& space, const Setting& setting,
                             const ExploreOptions& options);

/// All units of a shard, each once.
[[nodiscard]] std::vector<UnitNumbers> families_of(const Enumeration& enumeration,
                                                   const Shard& shard, bool by_arrays);

/// Every candidate of AFD units of one family, in the order of their numbers. Those that change
/// nothing of what is found are counted alone. False: stopped before the last unit.
[[nodiscard]] bool try_family(Trial& trial, const UnitNumbers& units);

}  // namespace afford
