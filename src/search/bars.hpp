#pragma once
// What a candidate must clear to change anything of what a search has found: most do not, and need
// no more than to be counted.

#include <array>
#include <limits>
#include <optional>
#include <vector>

#include "search/found.hpp"

namespace afford {

/// Of a candidate, the least is best: USD at a price of a range, or the tokens lost.
struct Measure {
  std::optional<int> price{};  // as usd_at() has it
  [[nodiscard]] double of(const Goals& goals) const {
    return price ? usd_at(goals, *price) : -goals.tokens_per_gpu_s;
  }
};

/// What any candidate beats.
inline constexpr Goals no_goals = {.tpot_ms = 0,
                                   .tokens_per_gpu_s = -1,
                                   .usd_per_mtok = std::numeric_limits<double>::infinity(),
                                   .usd_at_other_end = std::numeric_limits<double>::infinity()};

/// The best by one measure of all candidates that are quicker, by steps of TPOT. Of some candidates
/// of a search, in any order.
class BestBySteps {
 public:
  BestBySteps(Measure measure, double tpot_limit_ms, size_t steps);

  void raise(const Goals& goals);
  /// Of all candidates whose TPOT is in an earlier step than that one.
  [[nodiscard]] const Goals& before(double tpot_ms) const { return best_[step_of(tpot_ms)]; }

 private:
  /// Never falls as the TPOT rises, so that an earlier step means a smaller TPOT.
  [[nodiscard]] size_t step_of(double tpot_ms) const {
    const double at = tpot_ms * steps_a_ms_;
    return at < last_ ? static_cast<size_t>(at) : best_.size() - 1;
  }

  Measure measure_;
  double steps_a_ms_ = 0, last_ = 0;
  std::vector<Goals> best_;
};

/// What a candidate must be as good as to be kept as the best of something: of equal ones the
/// numbers decide, whichever comes first.
struct KeptBest {
  double tpot_ms = std::numeric_limits<double>::infinity();
  size_t prices = 1;  // at which one is kept
  std::array<Goals, price_stretches + 1> of_chips{no_goals};
  const BestBySteps* of_chips_if_quicker = nullptr;  // instead, under several TPOT limits
  double tokens_of_pools = -1;

  [[nodiscard]] bool reached_by(const Goals& goals, bool money) const {
    if (goals.tpot_ms <= tpot_ms || goals.tokens_per_gpu_s >= tokens_of_pools) return true;
    if (of_chips_if_quicker != nullptr) {
      const Goals& quicker = of_chips_if_quicker->before(goals.tpot_ms);
      return money ? goals.usd_per_mtok <= quicker.usd_per_mtok
                   : goals.tokens_per_gpu_s >= quicker.tokens_per_gpu_s;
    }
    if (!money) return goals.tokens_per_gpu_s >= of_chips.front().tokens_per_gpu_s;
    if (prices == 1) return goals.usd_per_mtok <= of_chips.front().usd_per_mtok;
    Stretches dearer = 0;  // a bar of a range of prices stands above its goals
    for (size_t i = 0; i < prices && dearer != all_stretches; ++i)
      dearer |= no_dearer(of_chips[i], goals);
    return dearer != all_stretches;
  }
};

/// Of which kind of search bars are.
struct BarsOf {
  Objective objective = Objective::throughput;
  double tpot_limit_ms = 0;
  size_t chips = 0;
  bool prices = false;  // over a range of them
  bool limits = false;  // under several of TPOT
};

/// Made of some of the candidates of a search, in any order: whatever does not clear the bars is
/// beaten outright by one of these, so that what is found in the end is the same whichever they
/// were and however many.
class Bars {
 public:
  explicit Bars(const BarsOf& of);

  /// By a candidate that fits its memory.
  void raise(const Candidate& candidate, bool feasible);
  void raise(const Found& found);

  /// Whether at some price no candidate of the bars is at least as good everywhere and has a
  /// smaller TPOT.
  [[nodiscard]] bool clears(const Goals& goals) const {
    Stretches beaten = 0;
    for (const BestBySteps& best : best_) {
      beaten |= beats(best.before(goals.tpot_ms), goals);
      if (beaten == all_stretches) return false;
    }
    return true;
  }

  /// The bar that a candidate of this TPOT must clear in what counts, tokens first. Where there is
  /// none, fewer tokens than any and dearer than any.
  [[nodiscard]] const Goals& before(double tpot_ms) const { return best_.front().before(tpot_ms); }
  [[nodiscard]] bool count_tokens() const { return tokens_; }
  [[nodiscard]] bool count_money() const { return money_; }

  /// The best of two chips, and the fastest of all; as long as these bars stand where they are.
  [[nodiscard]] KeptBest kept(size_t attention, size_t ffn) const {
    KeptBest kept = of_chips_[attention * chips_ + ffn];
    kept.tpot_ms = fastest_ms_;
    if (!if_quicker_.empty()) kept.of_chips_if_quicker = &if_quicker_[attention * chips_ + ffn];
    return kept;
  }

 private:
  [[nodiscard]] Stretches beats(const Goals& bar, const Goals& goals) const {
    if (tokens_ && bar.tokens_per_gpu_s < goals.tokens_per_gpu_s) return 0;
    return money_ ? no_dearer(bar, goals) : all_stretches;
  }

  bool tokens_ = true, money_ = false;
  std::vector<BestBySteps> best_;
  size_t chips_ = 0;
  std::vector<Measure> measures_;  // of the best of chips
  std::vector<KeptBest> of_chips_;
  std::vector<BestBySteps> if_quicker_;  // of chips, where there are several limits
  double fastest_ms_ = std::numeric_limits<double>::infinity();
};

}  // namespace afford
