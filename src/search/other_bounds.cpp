#include "search/other_bounds.hpp"

#include <utility>

namespace afford {

Explored at_bound(const Explored& found, size_t bound, std::uint64_t candidates) {
  Explored out(found.objective);
  static_cast<Found&>(out) = *found.within[bound];
  out.candidates = candidates;
  out.complete = found.complete;
  return out;
}

Explored renumbered(const Explored& found, const Numbering& numbering, size_t chips) {
  const auto numbered = [&](Candidate c) {
    c.number = numbering.number_of(c);
    return c;
  };
  Explored out = found;
  out.frontier = Frontier<Candidate>(found.objective);
  for (const Candidate& c : found.frontier.points()) out.frontier.add(numbered(c));
  out.best = BestOfPairs(chips);
  found.best.for_each([&](const Candidate& c) { out.best.add(numbered(c), found.objective); });
  if (found.fastest) out.fastest = numbered(*found.fastest);
  return out;
}

}  // namespace afford
