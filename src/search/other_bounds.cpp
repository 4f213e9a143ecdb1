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
  const auto add = [&](const std::optional<Candidate>& best) {
    if (best) out.best.add(numbered(*best), found.objective);
  };
  for (size_t a = 0; a < chips; ++a) {
    add(found.best.colocated(a));
    for (size_t f = 0; f < chips; ++f) add(found.best.pair(a, f));
  }
  if (found.fastest) out.fastest = numbered(*found.fastest);
  return out;
}

}  // namespace afford
