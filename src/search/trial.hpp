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
#include "search/prompt_forms.hpp"

namespace afford {

/// Everything the units of one search share.
struct Shared {
  const Space& space;
  const Setting& setting;
  const ExploreOptions& options;
  Enumeration enumeration;
  AttentionTables attention;
  tbb::enumerable_thread_specific<KnownTimes>& known;
};

/// The units being tried.
struct Trial {
  const Shared& shared;
  Bars bars;  // none but by whoever looks at them
  UnitFound found;
  std::string text{};                  // what `describe` made of its candidates
  std::optional<PromptForms> forms{};  // of the pools at hand, where prompts count

  [[nodiscard]] bool describing() const { return shared.options.describe != nullptr; }
  [[nodiscard]] bool watches(const Candidate& c) const {
    return !shared.options.watch.empty() && label(c) == shared.options.watch;
  }
};

/// The placement of skewed experts over the groups of a split, where one serves all MoE layers.
[[nodiscard]] std::optional<Placement> placement_for(const Setting& setting, const Routing& routing,
                                                     std::int64_t groups);

/// Every candidate of a unit of AFD or of a co-located way, one by one.
void try_disaggregated(Trial& trial, const Unit& unit);
void try_colocated(Trial& trial, const Unit& unit);

}  // namespace afford
