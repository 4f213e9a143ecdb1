#pragma once
// A range of prices: candidates of which each may be the best of something at one of them.

#include <array>
#include <map>
#include <vector>

#include "search/candidate.hpp"

namespace afford {

/// USD at the other end of a range of prices by those at this one: `other` are the chips of the
/// space at that end. 0: there is no range.
[[nodiscard]] double price_ratio(const Candidate& candidate, const Space& space,
                                 const std::vector<HardwareSpec>* other);

/// The cheapest at every other price where a stretch of the range begins or ends, by TPOT: of all
/// that are no slower, whichever they are.
class CheapestByPrice {
 public:
  /// Whether at every price one of these that is no slower is cheaper.
  [[nodiscard]] bool undercut(double tpot_ms, const Goals& goals) const;
  void add(double tpot_ms, const Goals& goals);

 private:
  struct Step {
    double tpot_ms = 0;
    double usd = 0, usd_at_other_end = 0;  // of the bar that it sets
    [[nodiscard]] Goals bar() const {
      return {.usd_per_mtok = usd, .usd_at_other_end = usd_at_other_end};
    }
  };
  static constexpr int apart = 2;                                      // prices of stairs
  std::array<std::vector<Step>, price_stretches / apart + 1> stairs_;  // ever cheaper
};

/// Among feasible candidates whose goals tell what they cost at both ends of a range, all that are
/// on the frontier, or the cheapest of their chips, at any price between: costs are linear in
/// prices, so what is dearer at both ends of a stretch is dearer within.
class Rivals {
 public:
  explicit Rivals(Objective objective) : objective_(objective) {}

  void add(const Candidate& candidate);
  void add(const Rivals& other);
  /// Drops those that more recent ones have outdone.
  void tidy();

  /// All that may be on the frontier; none twice, by TPOT once tidy.
  [[nodiscard]] const std::vector<Candidate>& on_frontier() const { return frontier_.list; }
  /// Calls it with all that may be the cheapest of their chips.
  template <class Call>
  void for_each_cheapest(const Call& call) const {
    for (const auto& [chips, kept] : cheapest_) {
      for (const Candidate& candidate : kept.list) call(candidate);
    }
  }

 private:
  struct Kept {
    std::vector<Candidate> list;
    CheapestByPrice cheapest;
    size_t tidy_at = 64;  // candidates
  };
  /// `by_tpot`: a slower one undercuts none; else any does.
  static void add(const Candidate& candidate, bool by_tpot, Kept& to);
  static void tidy(Kept& kept, bool by_tpot);
  void add_to_frontier(const Candidate& candidate);
  void add_by_tokens(const Candidate& candidate);

  Objective objective_;
  Kept frontier_;  // where tokens count, the list alone and always tidy
  std::map<ChipsOf, Kept> cheapest_;
};

}  // namespace afford
