#pragma once
// Tries every candidate of a space for one model at one context. All cores; the result does not
// depend on how many. Memory holds the frontier, the tables of one search and a few units, however
// large the space.

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "search/found.hpp"
#include "search/rings.hpp"
#include "search/space.hpp"

namespace afford {

class LeftTimes;

struct Shard {
  std::uint64_t index = 0, of = 1;
};

struct ExploreOptions {
  Objective objective = Objective::throughput;
  Shard shard;
  bool shapes = false;                      // keep the best of each shape
  int threads = 0;                          // 0: every core
  std::string watch;                        // a label; empty: none
  const std::atomic<bool>* stop = nullptr;  // set: finish what is begun and return
  std::function<void(const Found&)> tried;  // called now and then, with what is found so far
  /// The chips of the space with prices at the other end of a range: what may be the best of
  /// something at a price between stands among Found::rivals. Only where money counts and prompts
  /// do not.
  const std::vector<HardwareSpec>* other_prices = nullptr;
  /// TPOT limits, the loosest that of the setting: what each of them comes to stands among
  /// Found::limits. Only where prompts do not count, no label is watched and prices do not range.
  std::vector<Seconds> limits;
  /// Spaces within this one: what each of them comes to stands among Explored::within. Only of a
  /// search that is no shard, does not describe its candidates and has the batches of all of them.
  Bounds bounds;
  /// What searches before this one left of FFN times, and what it leaves. They may differ from it
  /// in prices, TPOT limits and, where AFD is not cut at the core, the context: FFN pools do not
  /// look at these. Null: nothing.
  LeftTimes* ffn_times = nullptr;
  /// Every candidate with its evaluation, as text to `write` in the order of the numbers. Called by
  /// several threads at once.
  std::function<void(const Candidate&, const Evaluation&, std::string&)> describe;
  std::function<void(const std::string&)> write;
};

struct Explored : Found {
  using Found::Found;
  std::uint64_t candidates = 0;  // of the shard
  bool complete = true;
  std::vector<std::shared_ptr<const Found>> within;  // each of several bounds
};

/// `stop` leaves whole units out, so what is there is right; `complete` says that something is
/// missing.
[[nodiscard]] Explored explore(const Space& space, const Setting& setting,
                               const ExploreOptions& options);

/// Whether any deployment of the smallest batches fits its memory and meets the TPOT limit: where
/// none does, larger ones will not either. False once `stop` is set.
[[nodiscard]] bool any_feasible(const Space& space, const Setting& setting,
                                const std::atomic<bool>* stop = nullptr);

/// The candidates explore() will go through.
[[nodiscard]] std::uint64_t candidates_of(const Enumeration& enumeration, const Shard& shard);

}  // namespace afford
