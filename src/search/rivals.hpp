#pragma once
// A range of prices: candidates of which each may be the best of something at one of them.

#include <map>
#include <vector>

#include "search/candidate.hpp"

namespace afford {

/// USD at the other end of a range of prices by those at this one: `other` are the chips of the
/// space at that end. 0: there is no range.
[[nodiscard]] double price_ratio(const Candidate& candidate, const Space& space,
                                 const std::vector<HardwareSpec>* other);

/// Among feasible candidates whose goals tell what they cost at both ends of a range, all that are
/// on the frontier, or the cheapest of their chips, at any price between: costs are linear in
/// prices, so what is dearer at both ends of a stretch is dearer within.
class Rivals {
 public:
  explicit Rivals(Objective objective) : objective_(objective) {}

  void add(const Candidate& candidate);
  void add(const Rivals& other);

  /// Each once, in no order.
  [[nodiscard]] std::vector<Candidate> all() const;

 private:
  Objective objective_;
  std::vector<Candidate> frontier_;                     // by TPOT
  std::map<ChipsOf, std::vector<Candidate>> cheapest_;  // none is dearer everywhere than another
};

}  // namespace afford
