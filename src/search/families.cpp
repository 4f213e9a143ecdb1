// Which units of a search are tried in a row.

#include <map>
#include <tuple>

#include "deploy/pair_batches.hpp"
#include "search/family.hpp"

namespace afford {

bool by_arrays(const Space& space, const Setting& setting, const ExploreOptions& options) {
  return !options.describe && !space.requests && !setting.engine_of_pools().runtime.there() &&
         PairBatches::serve(setting);
}

std::vector<UnitNumbers> families_of(const Enumeration& e, const Shard& shard, bool by_arrays) {
  using Alike = std::tuple<std::uint32_t, std::uint32_t, std::int64_t, std::int64_t>;
  std::map<Alike, size_t> known;
  std::vector<UnitNumbers> families;
  for (size_t u = shard.index; u < e.units.size(); u += shard.of) {
    const Unit& unit = e.units[u];
    size_t family = families.size();
    if (by_arrays && unit.way == Way::disaggregated) {
      const Alike alike = {unit.side.chip, unit.side.accelerators, unit.split.tensor,
                           unit.split.expert};
      family = known.emplace(alike, family).first->second;
    }
    if (family == families.size()) families.emplace_back();
    families[family].push_back(static_cast<std::uint32_t>(u));
  }
  return families;
}

}  // namespace afford
