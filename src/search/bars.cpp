#include "search/bars.hpp"

#include <algorithm>

namespace afford {

BestBySteps::BestBySteps(Measure measure, double tpot_limit_ms, size_t steps)
    : measure_(measure), last_(static_cast<double>(steps - 1)), best_(steps, no_goals) {
  steps_a_ms_ = last_ / tpot_limit_ms;
}

void BestBySteps::raise(const Goals& goals) {
  const double measured = measure_.of(goals);
  for (size_t i = step_of(goals.tpot_ms) + 1; i < best_.size(); ++i) {
    // Of a later step the best is at least as good.
    if (!(measured < measure_.of(best_[i]))) return;
    best_[i] = goals;
  }
}

Bars::Bars(const BarsOf& of)
    : tokens_(of.objective != Objective::cost),
      money_(counts_money(of.objective)),
      chips_(of.chips),
      of_chips_(of.chips * of.chips) {
  constexpr size_t steps_of_chips = 256;
  const size_t steps = of.prices ? 512 : 1024;
  const int prices = of.prices ? price_stretches + 1 : 1;
  if (!money_) measures_.push_back({});
  for (int price = 0; money_ && price < prices; ++price) measures_.push_back({price});
  if (tokens_) best_.emplace_back(Measure{}, of.tpot_limit_ms, steps);
  for (const Measure& measure : measures_) {
    if (measure.price) best_.emplace_back(measure, of.tpot_limit_ms, steps);
  }
  for (KeptBest& kept : of_chips_) {
    kept.prices = measures_.size();
    kept.of_chips.fill(no_goals);
  }
  if (of.limits)
    if_quicker_.assign(of_chips_.size(), {measures_.front(), of.tpot_limit_ms, steps_of_chips});
}

void Bars::raise(const Candidate& c, bool feasible) {
  fastest_ms_ = std::min(fastest_ms_, c.goals.tpot_ms);
  if (!feasible) return;
  const Goals goals = as_bar(c.goals);
  for (BestBySteps& best : best_) best.raise(goals);
  if (c.way != Way::disaggregated) return;
  const size_t chips = c.attention.chip * chips_ + c.ffn.chip;
  for (size_t i = 0; i < measures_.size(); ++i) {
    Goals& best = of_chips_[chips].of_chips[i];
    if (measures_[i].of(goals) < measures_[i].of(best)) best = goals;
  }
  if (!if_quicker_.empty()) if_quicker_[chips].raise(goals);
}

void Bars::raise(const Found& found) {
  if (found.fastest) raise(*found.fastest, false);
  for (const Candidate& c : found.frontier.points()) raise(c, true);
  for (const Candidate& c : found.rivals.on_frontier()) raise(c, true);
  found.rivals.for_each_cheapest([&](const Candidate& c) { raise(c, true); });
  for (const Candidate& c : found.limits.best_of_chips()) raise(c, true);
  for (size_t i = 0; i < of_chips_.size(); ++i) {
    if (const auto& best = found.best.pair(i / chips_, i % chips_)) raise(*best, true);
  }
}

}  // namespace afford
