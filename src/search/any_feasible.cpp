// Whether a search can find anything at all.

#include <algorithm>

#include "search/explore.hpp"

namespace afford {
namespace {

/// The smallest batch of an FFN unit beside any attention pool.
bool feasible_pair(const Unit& unit, const Enumeration& e, const Space& space,
                   const Setting& setting) {
  Candidate c = first_of(unit);
  c.places = space.places;
  c.micro_batches = *std::min_element(space.micro_batches.begin(), space.micro_batches.end());
  return std::any_of(e.attention.rbegin(), e.attention.rend(), [&](const AttentionPool& pool) {
    if (!pair_up(space, pool, unit)) return false;
    c.attention = pool.side;
    c.attention_split = pool.split;
    c.boundary = pool.boundary;
    c.batch = pool.units * c.micro_batches;
    return evaluate(c, space, setting).verdict == Verdict::feasible;
  });
}

bool feasible_pool(const Unit& unit, const Space& space, const Setting& setting) {
  Candidate c = first_of(unit);
  const auto& each = space.colocated_micro_batches;
  c.micro_batches = micro_batches_of(unit, *std::min_element(each.begin(), each.end()));
  c.batch = 1;
  return evaluate(c, space, setting).verdict == Verdict::feasible;
}

}  // namespace

bool any_feasible(const Space& space, const Setting& setting, const std::atomic<bool>* stop) {
  const Enumeration e = enumerate(space, setting, stop);
  // The largest first: they are the likeliest to hold a model.
  return std::any_of(e.units.rbegin(), e.units.rend(), [&](const Unit& unit) {
    if (stop != nullptr && *stop) return false;
    return unit.way == Way::disaggregated ? feasible_pair(unit, e, space, setting)
                                          : feasible_pool(unit, space, setting);
  });
}

}  // namespace afford
