#pragma once
// Candidates being tried: what the units of a search share, and what has been found of some.

#include <tbb/enumerable_thread_specific.h>

#include <memory>
#include <optional>
#include <string>

#include "deploy/known_times.hpp"
#include "search/attention_tables.hpp"
#include "search/bars.hpp"
#include "search/explore.hpp"
#include "search/left_times.hpp"
#include "search/prompt_forms.hpp"
#include "search/rings.hpp"

namespace afford {

/// Everything the units of one search share.
struct Shared {
  const Space& space;
  const Setting& setting;
  const ExploreOptions& options;
  const Enumeration& enumeration;
  AttentionTables& attention;
  Bounds rings;  // one after the other
  tbb::enumerable_thread_specific<KnownTimes>& known;
  LeftTimes& left;
};

/// Attention pools in a row, as numbers of Enumeration::attention, that a unit of AFD is tried
/// with: all of them or some. `candidate` is the number of the first one's first.
struct PoolRange {
  size_t first = 0, last = 0;  // up to `last`
  std::uint64_t candidate = 0;
};

/// The units being tried.
struct Trial {
  const Shared& shared;
  Bars bars;  // none but by whoever looks at them
  UnitFound found;
  std::string text{};                  // what `describe` made of its candidates
  std::optional<PromptForms> forms{};  // of the pools at hand, where prompts count

  double price_ratio = 0;             // of the pools at hand, by price_ratio()
  Ring ring{};                        // candidates outside it are passed over
  std::vector<FfnTimes> ffn_times{};  // of the family at hand, as FamilyRow has them

  [[nodiscard]] bool describing() const { return shared.options.describe != nullptr; }
  [[nodiscard]] bool watches(const Candidate& c) const {
    return !shared.options.watch.empty() && label(c) == shared.options.watch;
  }
};

/// The placement of skewed experts over the groups of a split, where one serves all MoE layers.
[[nodiscard]] std::optional<Placement> placement_for(const Setting& setting, const Routing& routing,
                                                     std::int64_t groups);

/// Every candidate of a unit of AFD with some attention pools, or of a co-located way, one by one.
void try_disaggregated(Trial& trial, const Unit& unit, const PoolRange& pools);
void try_colocated(Trial& trial, const Unit& unit);

}  // namespace afford
