#pragma once
// Tries every candidate of a space for one model at one context. All cores; the result does not
// depend on how many. Memory holds the frontier, the tables of one search and a few units, however
// large the space.

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <optional>

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

struct Shard {
  std::uint64_t index = 0, of = 1;
};

struct ExploreOptions {
  Objective objective = Objective::throughput;
  Shard shard;
  bool shapes = false;                       // keep the best of each shape
  int threads = 0;                           // 0: every core
  std::string watch;                         // a label; empty: none
  const std::atomic<bool>* stop = nullptr;   // set: finish what is begun and return
  std::function<void(std::uint64_t)> tried;  // called now and then, with the candidates done so far
  /// Every candidate with its evaluation, as text to `write` in the order of the numbers. Called by
  /// several threads at once.
  std::function<void(const Candidate&, const Evaluation&, std::string&)> describe;
  std::function<void(const std::string&)> write;
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

struct Explored {
  Frontier<Candidate> frontier{Objective::throughput};
  Tally tally;
  std::uint64_t candidates = 0;  // of the shard
  std::uint64_t evaluated =
      0;  // in full; the rest are larger batches of pools known not to hold them
  bool complete = true;
  Watched watched;
  std::optional<Candidate> fastest;  // that fits the memory, whatever its TPOT
  BestOfPairs best{0};
  std::map<Shape, Candidate> shapes;  // feasible, most tokens of each (ExploreOptions::shapes)
};

/// `stop` leaves whole units out, so what is there is right; `complete` says that something is
/// missing.
[[nodiscard]] Explored explore(const Space& space, const Setting& setting,
                               const ExploreOptions& options);

/// The candidates explore() will go through.
[[nodiscard]] std::uint64_t candidates_of(const Enumeration& enumeration, const Shard& shard);

}  // namespace afford
