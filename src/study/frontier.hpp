#pragma once
// The frontier of time per output token against throughput or cost, over all deployments of a
// space.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "search/prompt_forms.hpp"
#include "study/search.hpp"
#include "study/served.hpp"
#include "study/sweep.hpp"

namespace afford::study {

/// Requests to serve whole, prompts included. The context is theirs while they decode.
struct RequestsAsked {
  std::int64_t prompt = 0, output = 0;  // tokens
  double prefix_hit_rate = 0;
  std::optional<Seconds> ttft_limit;
  std::vector<std::string> prompt_chips;  // empty: those that decode
};

struct FrontierRequest : SearchRequest {
  std::vector<SweepPoint> sweep{{}};  // one empty point: no sweep
  Shard shard;
  std::string watch;  // a label whose absence from the frontier is to be explained; empty: none
  std::optional<RequestsAsked> requests{};  // none: prompts come worked off
};

/// One model at one context and one point of the sweep, with everything its search points into.
struct FrontierCase {
  size_t number = 0;  // in its run, from one
  SweepPoint swept;
  std::shared_ptr<const std::vector<HardwareSpec>> chips;
  std::shared_ptr<const Prepared> prepared;
  Space space;
  std::optional<bool> widened{};  // by widen()
  Setting setting, ideal;         // ideal: with no engine
  Objective objective = Objective::throughput;
  Shard shard;
  double pue = 1;                 // power of the site over that of the accelerators
  std::string search;             // what tells the run from others: of all its cases together
  LeftOut left_out;               // of "all", in the whole run
  std::string shipped_engines{};  // the folder of those that a command names without it
};

/// Verdicts of rows that are no candidate: a search that was stopped before it had written all,
/// and a part in which nothing is feasible.
inline constexpr std::string_view interrupted_mark = "interrupted", nothing_found_mark = "none";

/// Models and contexts of every point; none once `stop` is set. Throws InputError or UsageError.
[[nodiscard]] std::vector<FrontierCase> frontier_cases(const FrontierRequest& request,
                                                       const std::atomic<bool>* stop = nullptr);

/// A candidate as a row: of the frontier, or of everything that is tried.
struct FrontierPoint {
  const FrontierCase* of = nullptr;
  Candidate candidate;
  Evaluation evaluation;           // with prompts, where they count
  std::optional<Seconds> ideal{};  // the TPOT with no engine, of points of the frontier
  bool winner = false;
  bool complete = true;    // the run behind it, as far as it is known when the row is written
  std::uint64_t rows = 0;  // of the whole file the row stands in
  Served served{};         // by with_served()
  [[nodiscard]] const HardwareSpec& attention_chip() const {
    return (*of->chips)[candidate.attention.chip];
  }
  [[nodiscard]] const HardwareSpec& ffn_chip() const { return (*of->chips)[candidate.ffn.chip]; }
  /// Of a search in which prompts count.
  [[nodiscard]] WholeOutcome whole() const;
};
/// With what it has in common with what simulate and plan show, which takes the rest of the point.
[[nodiscard]] FrontierPoint with_served(FrontierPoint point);

/// As many as a replica has requests, where these are fewer.
[[nodiscard]] std::int64_t micro_batches_in_use(const Candidate& candidate);

/// Whether two points differ in their batches alone, and what follows from these.
[[nodiscard]] bool same_but_batch(const FrontierPoint& a, const FrontierPoint& b);
[[nodiscard]] bool same_but_batch(const Candidate& a, const Candidate& b);  // of one case

/// What became of one case.
struct FrontierResult {
  const FrontierCase* of = nullptr;
  Explored found;
  std::vector<FrontierPoint> points;
  std::optional<size_t> winner;  // among the points
  double worst_deviation = 0;    // of the closed form from the events, over the points
};

class KeptFrontiers;  // study/kept_frontiers.hpp

/// How a run is watched and stopped. Anything may be left out.
struct FrontierHooks {
  const std::atomic<bool>* stop = nullptr;
  std::function<void(const Found&)> tried;  // of this case so far, now and then
  /// Called once, before the first case has any: what a few of its candidates come to.
  std::function<void(const Found&)> first;
  std::function<void(std::uint64_t)> finished;  // a case, with the candidates it had
  /// Every candidate as text, appended, by several threads at once; and where the text goes, in the
  /// order of the numbers.
  std::function<void(const FrontierPoint&, std::string&)> describe;
  std::function<void(const std::string&)> write;
  std::uint64_t rows = 0;  // of everything that is tried
  /// Of a run before that differs in the TPOT limit alone, and for the next one.
  KeptFrontiers* kept = nullptr;
};

/// All cases of a run, in order; those after an interrupt are missing.
struct Frontiers {
  std::vector<FrontierResult> results;
  std::vector<SweptCost> swept_costs;  // the cheapest of every pair of chips at each swept value
  double worst_deviation = 0;
  bool complete = true, found_everywhere = true;
};
[[nodiscard]] Frontiers frontiers(const FrontierRequest& request,
                                  const std::vector<FrontierCase>& cases,
                                  const FrontierHooks& hooks);
Frontiers frontiers(const FrontierRequest& request, std::vector<FrontierCase>&& cases,
                    const FrontierHooks& hooks) = delete;  // it would point into what is gone

/// The candidates all cases will go through; 0 from when `stop` is set.
[[nodiscard]] std::uint64_t candidates_of(const std::vector<FrontierCase>& cases,
                                          const std::atomic<bool>* stop = nullptr);

/// Why the watched label is not on the frontier.
struct WhyNot {
  enum class Kind { not_in_space, on_frontier, no_room, too_slow, dominated, tied };
  Kind kind = Kind::not_in_space;
  std::optional<Candidate> best, dominating;  // best: its own, or the fastest where all are slow
};
[[nodiscard]] WhyNot why_not(const FrontierResult& result, const std::string& label);

}  // namespace afford::study
