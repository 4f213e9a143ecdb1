#include "search/bars.hpp"

#include <algorithm>
#include <limits>

namespace afford {

Bars::Bars(Objective objective, double tpot_limit_ms, size_t chips)
    : tokens_(objective != Objective::cost),
      money_(counts_money(objective)),
      chips_(chips),
      of_chips_(chips * chips) {
  constexpr size_t steps = 1024;
  const Goals none = {.tpot_ms = 0,
                      .tokens_per_gpu_s = -1,
                      .usd_per_mtok = std::numeric_limits<double>::infinity(),
                      .usd_at_other_end = std::numeric_limits<double>::infinity()};
  steps_.assign(steps, {none, none, none});
  last_ = steps - 1;
  steps_a_ms_ = last_ / tpot_limit_ms;
}

void Bars::raise_steps(const Goals& goals) {
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

void Bars::raise_chips(KeptBest& kept, const Goals& goals) const {
  const auto better = [&](const Goals& than) {
    return money_ ? goals.usd_per_mtok < than.usd_per_mtok
                  : goals.tokens_per_gpu_s > than.tokens_per_gpu_s;
  };
  if (!kept.of_chips || better(*kept.of_chips)) kept.of_chips = goals;
  std::optional<Goals>& there = kept.of_chips_at_other_end;
  if (goals.usd_at_other_end > 0 && (!there || goals.usd_at_other_end < there->usd_at_other_end))
    there = goals;
}

void Bars::raise(const Candidate& c, bool feasible) {
  fastest_ms_ = std::min(fastest_ms_, c.goals.tpot_ms);
  if (!feasible) return;
  const Goals goals = as_bar(c.goals);
  raise_steps(goals);
  if (c.way == Way::disaggregated)
    raise_chips(of_chips_[c.attention.chip * chips_ + c.ffn.chip], goals);
}

void Bars::raise(const Found& found) {
  if (found.fastest) raise(*found.fastest, false);
  for (const Candidate& c : found.frontier.points()) raise(c, true);
  for (const Candidate& c : found.rivals.all()) raise(c, true);
  for (size_t i = 0; i < of_chips_.size(); ++i) {
    if (const auto& best = found.best.pair(i / chips_, i % chips_)) raise(*best, true);
  }
}

}  // namespace afford
