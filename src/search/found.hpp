#pragma once
// What trying candidates finds: the frontier, the best of every pair of chips and of every shape,
// and how many met which end.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "search/frontier.hpp"
#include "search/met_limits.hpp"
#include "search/rivals.hpp"
#include "search/space.hpp"

namespace afford {

/// How many candidates met which end.
struct Tally {
  std::uint64_t tried = 0, feasible = 0, slow = 0, attention_memory = 0, ffn_memory = 0;
  Tally& operator+=(const Tally& other);
};

/// What became of all candidates of one label (--why-not).
struct Watched {
  Tally tally;
  std::optional<Candidate> best;     // feasible, by the objective
  std::optional<Candidate> fastest;  // that fits the memory, whatever its TPOT
};

/// The best feasible candidate of each pair of chips, by the objective.
class BestOfPairs {
 public:
  explicit BestOfPairs(size_t chips) : chips_(chips), best_(chips * chips + chips) {}
  void add(const Candidate& candidate, Objective objective);
  void add(const BestOfPairs& other, Objective objective);
  [[nodiscard]] const std::optional<Candidate>& pair(size_t attention, size_t ffn) const {
    return best_[attention * chips_ + ffn];
  }
  [[nodiscard]] const std::optional<Candidate>& colocated(size_t chip) const {
    return best_[chips_ * chips_ + chip];
  }
  /// Calls it with each of them.
  template <class Call>
  void for_each(const Call& call) const {
    for (const std::optional<Candidate>& best : best_) {
      if (best) call(*best);
    }
  }
  /// Of all pairs, and of every chip that has everything.
  [[nodiscard]] std::optional<Candidate> best_afd(Objective objective) const;
  [[nodiscard]] std::optional<Candidate> best_colocated(Objective objective) const;

 private:
  size_t chips_;
  std::vector<std::optional<Candidate>> best_;
};

/// Chips and accelerators of a deployment, whatever its splits and batch: what is paid for.
struct Shape {
  Way way = Way::disaggregated;
  std::uint32_t attention_chip = 0, attention_gpus = 0, ffn_chip = 0,
                ffn_gpus = 0;  // co-located: no FFN
  auto operator<=>(const Shape&) const = default;
};
[[nodiscard]] Shape shape_of(const Candidate& candidate);

/// Of all candidates tried.
struct Found {
  explicit Found(Objective by = Objective::throughput, size_t chips = 0)
      : objective(by), frontier(by), best(chips), rivals(by) {}
  /// What was found of other candidates. Between equally good ones the smaller number stays, so
  /// that it does not matter in which order they come.
  void add(const Found& other);

  Objective objective;
  Frontier<Candidate> frontier;
  Tally tally;
  std::uint64_t evaluated = 0;  // the others are larger batches of pools known not to hold them
  Watched watched;
  std::optional<Candidate> fastest;  // that fits the memory, whatever its TPOT
  BestOfPairs best;
  /// The best of AFD and of co-located deployments with prompts apart, and of those with prompts
  /// beside their tokens.
  std::array<std::optional<Candidate>, 3> forms;
  Rivals rivals;                      // where prices range
  MetLimits limits;                   // where there are several of TPOT
  std::map<Shape, Candidate> shapes;  // feasible, most tokens of each, where these are asked for
};

/// What is found of one unit of a search, candidate by candidate.
class UnitFound : public Found {
 public:
  /// `keep_shapes`: the best of each shape too.
  UnitFound(Objective by, size_t chips, bool keep_shapes)
      : Found(by, chips), keep_shapes_(keep_shapes) {}
  /// One evaluated candidate, whose goals are set. `watched`: it bears the label asked about.
  void file(const Candidate& candidate, Verdict verdict, bool watched_one);
  /// So many more meet the same end, unevaluated.
  void skip(Verdict verdict, std::uint64_t candidates, bool watched_one);
  /// So many candidates that change nothing else.
  void count(Verdict verdict, std::uint64_t candidates);
  /// Done with the pools at hand.
  void close_pools();
  /// The most tokens of the pools at hand, where shapes are kept; else no candidate need beat any.
  [[nodiscard]] Goals best_of_pools() const;

 private:
  bool keep_shapes_;
  std::optional<Candidate> here_;  // most tokens of the pools at hand
};

[[nodiscard]] inline bool fits(Verdict verdict) {
  return verdict == Verdict::feasible || verdict == Verdict::slow;
}

}  // namespace afford
