#pragma once
// What a run leaves for the next that asks the same under another TPOT limit.

#include <map>
#include <utility>
#include <vector>

#include "search/kept_limits.hpp"
#include "study/case_searches.hpp"

namespace afford::study {

/// For whoever asks again and again, of runs without a sweep. That nothing but the limit differs
/// between them is the holder's to see to.
class KeptFrontiers {
 public:
  struct Kept {
    KeptLimits limits;
    KnownPoints known;
  };
  /// What is kept of the case. Models that few ways serve are searched in others under some limits.
  [[nodiscard]] Kept& of(const FrontierCase& c) { return cases_[{c.number, c.space.ways}]; }

 private:
  std::map<std::pair<size_t, std::vector<Way>>, Kept> cases_;
};

}  // namespace afford::study
