#include "search/bars.hpp"

#include <algorithm>
#include <limits>

#include "units.hpp"

namespace afford {
namespace {

double tokens_lost(const Goals& goals) { return -goals.tokens_per_gpu_s; }

double usd_here(const Goals& goals) { return goals.usd_per_mtok; }

/// At a price so many quarters of the way to the other end of a range.
template <int quarters>
double usd_there(const Goals& goals) {
  return (4 - quarters) * goals.usd_per_mtok + quarters * goals.usd_at_other_end;
}

}  // namespace

BestBySteps::BestBySteps(Measure measure, double tpot_limit_ms, size_t steps)
    : measure_(measure), last_(static_cast<double>(steps - 1)) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  best_.assign(steps, {.tpot_ms = 0,
                       .tokens_per_gpu_s = -1,
                       .usd_per_mtok = infinity,
                       .usd_at_other_end = infinity});
  steps_a_ms_ = last_ / tpot_limit_ms;
}

void BestBySteps::raise(const Goals& goals) {
  const double measured = measure_(goals);
  for (size_t i = step_of(goals.tpot_ms) + 1; i < best_.size(); ++i) {
    // Of a later step the best is at least as good.
    if (!(measured < measure_(best_[i]))) return;
    best_[i] = goals;
  }
}

Bars::Bars(const BarsOf& of)
    : tokens_(of.objective != Objective::cost),
      money_(counts_money(of.objective)),
      chips_(of.chips),
      of_chips_(of.chips * of.chips) {
  constexpr size_t steps = 1024, steps_of_chips = 256;
  const auto add = [&](BestBySteps::Measure best) {
    best_.emplace_back(best, of.tpot_limit_ms, steps);
  };
  if (tokens_) add(tokens_lost);
  if (money_) add(usd_here);
  // What is cheapest in the middle of a range of prices need not be at either end.
  if (of.prices) {
    for (const auto usd : {usd_there<4>, usd_there<2>, usd_there<1>, usd_there<3>}) add(usd);
  }
  if (of.limits)
    if_quicker_.assign(of_chips_.size(), BestBySteps(money_ ? usd_here : tokens_lost,
                                                     of.tpot_limit_ms, steps_of_chips));
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
  for (BestBySteps& best : best_) best.raise(goals);
  if (c.way != Way::disaggregated) return;
  const size_t chips = c.attention.chip * chips_ + c.ffn.chip;
  raise_chips(of_chips_[chips], goals);
  if (!if_quicker_.empty()) if_quicker_[chips].raise(goals);
}

void Bars::raise(const Found& found) {
  if (found.fastest) raise(*found.fastest, false);
  for (const Candidate& c : found.frontier.points()) raise(c, true);
  for (const Candidate& c : found.rivals.all()) raise(c, true);
  for (const Candidate& c : found.limits.best_of_chips()) raise(c, true);
  for (size_t i = 0; i < of_chips_.size(); ++i) {
    if (const auto& best = found.best.pair(i / chips_, i % chips_)) raise(*best, true);
  }
}

}  // namespace afford
