#pragma once
// What a candidate must clear to change anything of what a search has found: most do not, and need
// no more than to be counted.

#include <vector>

#include "search/found.hpp"

namespace afford {

/// Made of some of the candidates of a search, in any order: whatever does not clear the bars is
/// beaten outright by one of these, so that what is found in the end is the same whichever they
/// were and however many.
class Bars {
 public:
  Bars(Objective objective, double tpot_limit_ms);

  /// By a feasible candidate.
  void raise(const Goals& goals);
  void raise(const std::vector<Candidate>& feasible);

  /// Whether no candidate of the bars is at least as good everywhere and has a smaller TPOT.
  [[nodiscard]] bool clears(const Goals& goals) const {
    const Step& step = steps_[step_of(goals.tpot_ms)];
    return !beats(step.most, goals) && !beats(step.cheapest, goals);
  }

 private:
  /// The best of all candidates whose TPOT is in an earlier step.
  struct Step {
    Goals most, cheapest;
  };

  /// Never falls as the TPOT rises, so that an earlier step means a smaller TPOT.
  [[nodiscard]] size_t step_of(double tpot_ms) const {
    const double at = tpot_ms * steps_a_ms_;
    return at < last_ ? static_cast<size_t>(at) : steps_.size() - 1;
  }
  [[nodiscard]] bool beats(const Goals& bar, const Goals& goals) const {
    return (!tokens_ || bar.tokens_per_gpu_s >= goals.tokens_per_gpu_s) &&
           (!money_ || bar.usd_per_mtok <= goals.usd_per_mtok);
  }

  bool tokens_ = true, money_ = false;
  double steps_a_ms_ = 0, last_ = 0;
  std::vector<Step> steps_;
};

}  // namespace afford
