#include "search/other_prices.hpp"

namespace afford {

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
  const bool money = counts_money(found.objective);
  for (const Candidate& c : money ? found.rivals.on_frontier() : found.frontier.points())
    out.frontier.add(priced(c));
  const auto add_best = [&](const Candidate& c) { out.best.add(priced(c), out.objective); };
  if (money) {
    found.rivals.for_each_cheapest(add_best);
  } else {
    found.best.for_each(add_best);
  }
  return out;
}

}  // namespace afford
