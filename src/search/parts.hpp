#pragma once
// What a search tries in a row on one thread, and in which order.

#include <optional>
#include <vector>

#include "search/family.hpp"

namespace afford {

/// Units of one family or, of one of AFD that is described, some of its attention pools, so that
/// what is said of them takes little memory.
struct Part {
  UnitNumbers units;
  std::optional<PoolRange> pools{};  // none: all
  size_t ring = 0;                   // candidates outside it are left to others
  size_t family = 0;                 // one number for its parts in all rings
};

/// The rings of a search: those of its bounds or, where nobody asks for any, the small deployments
/// before the others. They are few, and what they yield on each accelerator sets the bars that
/// nearly all larger ones fail to clear.
[[nodiscard]] Bounds rings_of(const Space& space, const Setting& setting,
                              const ExploreOptions& options);

/// All of a search. Ring after ring, so that what is found up to the end of one is all of its
/// space.
[[nodiscard]] std::vector<Part> parts_of(const Shared& shared);

[[nodiscard]] inline bool is_afd(const Unit& unit) { return unit.way == Way::disaggregated; }

/// Calls it with each unit of AFD of a part.
template <class Call>
void for_each_afd(const Part& part, const Enumeration& all, const Call& call) {
  for (const std::uint32_t number : part.units) {
    if (is_afd(all.units[number])) call(all.units[number]);
  }
}

[[nodiscard]] PoolRange all_pools(const Enumeration& enumeration, const Unit& unit);

}  // namespace afford
