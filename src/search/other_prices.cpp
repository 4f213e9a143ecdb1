#include "search/other_prices.hpp"

#include <utility>

namespace afford {
namespace {

/// All that may be the best of something, once or more.
std::vector<Candidate> kept(const Explored& found, size_t chips) {
  if (counts_money(found.objective)) return found.rivals.all();
  std::vector<Candidate> list = found.frontier.points();
  const auto add = [&](const std::optional<Candidate>& best) {
    if (best) list.push_back(*best);
  };
  for (size_t a = 0; a < chips; ++a) {
    add(found.best.colocated(a));
    for (size_t f = 0; f < chips; ++f) add(found.best.pair(a, f));
  }
  return each_once(std::move(list));
}

}  // namespace

Explored at_prices(const Explored& found, const Space& space, const Setting& setting) {
  const auto priced = [&](Candidate c) {
    c.goals.usd_per_mtok = cost_of(c, space, setting) / usd_per_mtok;
    c.goals.usd_at_other_end = 0;
    return c;
  };
  const size_t chips = space.chips->size();
  Explored out(found.objective, chips);
  out.candidates = found.candidates;
  out.complete = found.complete;
  out.tally = found.tally;
  out.evaluated = found.evaluated;
  if (found.fastest) out.fastest = priced(*found.fastest);
  for (const Candidate& each : kept(found, chips)) {
    const Candidate c = priced(each);
    out.frontier.add(c);
    out.best.add(c, out.objective);
  }
  return out;
}

}  // namespace afford
