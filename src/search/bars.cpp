#include "search/bars.hpp"

#include <limits>

namespace afford {

Bars::Bars(Objective objective, double tpot_limit_ms)
    : tokens_(objective != Objective::cost), money_(counts_money(objective)) {
  constexpr size_t steps = 1024;
  const Goals none = {.tpot_ms = 0,
                      .tokens_per_gpu_s = -1,
                      .usd_per_mtok = std::numeric_limits<double>::infinity(),
                      .usd_at_other_end = std::numeric_limits<double>::infinity()};
  steps_.assign(steps, {none, none, none});
  last_ = steps - 1;
  steps_a_ms_ = last_ / tpot_limit_ms;
}

void Bars::raise(const Goals& by) {
  const Goals goals = as_bar(by);
  const bool ranging = goals.usd_at_other_end > 0;
  ranging_ = ranging_ || ranging;
  for (size_t i = step_of(goals.tpot_ms) + 1; i < steps_.size(); ++i) {
    Step& step = steps_[i];
    const bool more = goals.tokens_per_gpu_s > step.most.tokens_per_gpu_s,
               cheaper = goals.usd_per_mtok < step.cheapest.usd_per_mtok,
               cheaper_there =
                   ranging && goals.usd_at_other_end < step.cheapest_at_other_end.usd_at_other_end;
    // Of a later step the best is at least as good.
    if (!more && !cheaper && !cheaper_there) return;
    if (more) step.most = goals;
    if (cheaper) step.cheapest = goals;
    if (cheaper_there) step.cheapest_at_other_end = goals;
  }
}

void Bars::raise(const std::vector<Candidate>& feasible) {
  for (const Candidate& c : feasible) raise(c.goals);
}

}  // namespace afford
