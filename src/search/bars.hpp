#pragma once
// What a candidate must clear to change anything of what a search has found: most do not, and need
// no more than to be counted.

#include <limits>
#include <optional>
#include <vector>

#include "search/found.hpp"

namespace afford {

/// What a candidate must be as good as to be kept as the best of something: of equal ones the
/// numbers decide, whichever comes first.
struct KeptBest {
  double tpot_ms = std::numeric_limits<double>::infinity();
  std::optional<Goals> of_chips, of_chips_at_other_end;
  double tokens_of_pools = -1;

  [[nodiscard]] bool reached_by(const Goals& goals, bool money) const {
    if (goals.tpot_ms <= tpot_ms || goals.tokens_per_gpu_s >= tokens_of_pools || !of_chips)
      return true;
    if (!money) return goals.tokens_per_gpu_s >= of_chips->tokens_per_gpu_s;
    return !cheaper(*of_chips, goals) &&
           !(of_chips_at_other_end && cheaper(*of_chips_at_other_end, goals));
  }

 private:
  /// A bar of a range of prices stands above its goals.
  [[nodiscard]] static bool cheaper(const Goals& bar, const Goals& goals) {
    return bar.usd_at_other_end > 0 ? no_dearer(bar, goals) : bar.usd_per_mtok < goals.usd_per_mtok;
  }
};

/// Made of some of the candidates of a search, in any order: whatever does not clear the bars is
/// beaten outright by one of these, so that what is found in the end is the same whichever they
/// were and however many.
class Bars {
 public:
  Bars(Objective objective, double tpot_limit_ms, size_t chips);

  /// By a candidate that fits its memory.
  void raise(const Candidate& candidate, bool feasible);
  void raise(const Found& found);

  /// Whether no candidate of the bars is at least as good everywhere and has a smaller TPOT.
  [[nodiscard]] bool clears(const Goals& goals) const {
    const Step& step = steps_[step_of(goals.tpot_ms)];
    return !beats(step.most, goals) && !beats(step.cheapest, goals) &&
           !(ranging_ && beats(step.cheapest_at_other_end, goals));
  }

  /// The best of two chips, and the fastest of all.
  [[nodiscard]] KeptBest kept(size_t attention, size_t ffn) const {
    KeptBest kept = of_chips_[attention * chips_ + ffn];
    kept.tpot_ms = fastest_ms_;
    return kept;
  }

 private:
  /// The best of all candidates whose TPOT is in an earlier step.
  struct Step {
    Goals most, cheapest, cheapest_at_other_end;
  };

  /// Never falls as the TPOT rises, so that an earlier step means a smaller TPOT.
  [[nodiscard]] size_t step_of(double tpot_ms) const {
    const double at = tpot_ms * steps_a_ms_;
    return at < last_ ? static_cast<size_t>(at) : steps_.size() - 1;
  }
  [[nodiscard]] bool beats(const Goals& bar, const Goals& goals) const {
    return (!tokens_ || bar.tokens_per_gpu_s >= goals.tokens_per_gpu_s) &&
           (!money_ || no_dearer(bar, goals));
  }
  void raise_steps(const Goals& by);
  void raise_chips(KeptBest& kept, const Goals& by) const;

  bool tokens_ = true, money_ = false;
  bool ranging_ = false;  // over prices
  double steps_a_ms_ = 0, last_ = 0;
  std::vector<Step> steps_;
  size_t chips_ = 0;
  std::vector<KeptBest> of_chips_;
  double fastest_ms_ = std::numeric_limits<double>::infinity();
};

}  // namespace afford
