#pragma once
// Several TPOT limits at once: what a search under the loosest keeps to answer each of them.

#include <cstdint>
#include <map>
#include <vector>

#include "search/candidate.hpp"

namespace afford {

/// Of the feasible candidates of a search: how many meet each limit, and those that one of them may
/// make the best of its chips. On the frontier under a limit is what is on that under a looser one
/// and meets it: whatever dominates it is no slower.
class MetLimits {
 public:
  MetLimits() = default;  // one limit: nothing is kept
  /// `limits`: the loosest is that of the search.
  MetLimits(std::vector<Seconds> limits, Objective objective, double tokens_per_step);

  [[nodiscard]] bool several() const { return !limits_.empty(); }
  /// The number of the tightest limit that is met; the TPOT meets the loosest.
  [[nodiscard]] size_t tightest(Seconds tpot) const;
  /// So many more candidates that meet no tighter one than that.
  void count(size_t tightest, std::uint64_t candidates) { met_[tightest] += candidates; }
  /// A feasible candidate whose step is known.
  void add(const Candidate& candidate);
  void add(const MetLimits& other);

  /// Candidates that meet one of the limits.
  [[nodiscard]] std::uint64_t feasible(Seconds limit) const;
  [[nodiscard]] bool meets(const Candidate& candidate, Seconds limit) const {
    return !(candidate.step / tokens_per_step_ > limit);
  }
  /// Whether it is one of the limits.
  [[nodiscard]] bool answers(Seconds limit) const;
  /// Some candidate may be dominated by one of equal TPOT in milliseconds that misses the limit it
  /// meets itself: rounding. All whose milliseconds are those of a limit, then.
  [[nodiscard]] const std::vector<Candidate>& at_limits() const { return at_limits_; }
  /// The best of each pair of chips that meets a limit, for each of them; in no order.
  [[nodiscard]] std::vector<Candidate> best_of_chips() const;

 private:
  struct Met {
    size_t tightest = 0;
    Candidate candidate;
  };
  /// By the tightest limit, one of each, which is better than those before it.
  using Staircase = std::vector<Met>;
  void keep(const Met& met);

  std::vector<Seconds> limits_;  // ascending
  std::vector<double> limits_ms_;
  std::vector<std::uint64_t> met_;  // by the number of the tightest
  Objective objective_ = Objective::throughput;
  double tokens_per_step_ = 1;
  std::map<ChipsOf, Staircase> best_;
  std::vector<Candidate> at_limits_;
};

}  // namespace afford
