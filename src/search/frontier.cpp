#include "search/frontier.hpp"

namespace afford {

bool dominates(const Scored& a, const Scored& b, Objective objective) {
  const Goals &x = a.goals, &y = b.goals;
  const bool tokens = objective != Objective::cost, usd = counts_money(objective);
  if (x.tpot_ms > y.tpot_ms || (tokens && x.tokens_per_gpu_s < y.tokens_per_gpu_s) ||
      (usd && x.usd_per_mtok > y.usd_per_mtok)) {
    return false;
  }
  const bool better = x.tpot_ms < y.tpot_ms ||
                      (tokens && x.tokens_per_gpu_s > y.tokens_per_gpu_s) ||
                      (usd && x.usd_per_mtok < y.usd_per_mtok);
  return better || a.number < b.number;
}

}  // namespace afford
