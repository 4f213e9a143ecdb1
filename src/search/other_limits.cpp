#include "search/other_limits.hpp"

#include <utility>

namespace afford {

Explored at_limit(const Explored& found, const Space& space, const Setting& setting) {
  const MetLimits& limits = found.limits;
  const Seconds limit = setting.tpot_limit;
  Explored out(found.objective, space.chips->size());
  out.candidates = found.candidates;
  out.complete = found.complete;
  out.evaluated = found.evaluated;
  out.fastest = found.fastest;
  out.tally = found.tally;
  out.tally.feasible = limits.feasible(limit);
  out.tally.slow += found.tally.feasible - out.tally.feasible;
  std::vector<Candidate> points = found.frontier.points();
  points.insert(points.end(), limits.at_limits().begin(), limits.at_limits().end());
  for (const Candidate& c : each_once(std::move(points))) {
    if (limits.meets(c, limit)) out.frontier.add(c);
  }
  for (const Candidate& c : limits.best_of_chips()) {
    if (limits.meets(c, limit)) out.best.add(c, out.objective);
  }
  return out;
}

}  // namespace afford
