#include "search/family.hpp"

#include <algorithm>

#include "deploy/pair_batches.hpp"
#include "search/attention_reach.hpp"
#include "search/crossing.hpp"
#include "search/family_row.hpp"

namespace afford {
namespace {

constexpr size_t few = 4;  // batches that are looked at one by one

class FamilyTrial {
 public:
  FamilyTrial(Trial& trial, const Unit& first)
      : trial_(trial),
        shared_(trial.shared),
        row_(shared_, first, trial.ffn_times),
        plain_(shared_.enumeration.batches, shared_.setting),
        tensor_(shared_.enumeration.tensor_batches, shared_.setting),
        reach_(shared_.enumeration.shapes * shared_.space.micro_batches.size()),
        crossings_(shared_.enumeration.attention.size() * shared_.space.micro_batches.size()) {}

  void try_unit(const Unit& unit);

 private:
  /// Of the unit with each shape of attention pool: the pair, and by micro-batches its room and how
  /// the limit was crossed with the last pool.
  struct ShapePair {
    std::optional<PoolPair> pair;
    std::vector<PairRoom> room;
    std::vector<Crossing> last;
  };
  /// Two pools at hand with their arrays, and the number of the first batch.
  struct Pairing {
    const AttentionPool& pool;
    size_t number;  // of that pool
    PairBatches& arrays;
    size_t micro_batches;  // which of the space's
    std::uint64_t first;
  };
  void try_pool(const AttentionPool& pool);
  void try_ranges(const Pairing& at, size_t fit, Crossing& last);
  void try_range(const Pairing& at, size_t first, size_t last);
  void count(const Pairing& at, size_t first, size_t last);
  void count_by_limits(const Pairing& at, size_t first, size_t last);
  void file(const Pairing& at, size_t first, size_t last);
  void go_round(const Pairing& at, size_t batch);
  ShapePair& pair_of(const AttentionPool& pool, const PairBatches& arrays);
  [[nodiscard]] bool may_change(const Pairing& at, size_t count);
  [[nodiscard]] KeptBest kept() const;

  Trial& trial_;
  const Shared& shared_;
  FamilyRow row_;
  PairBatches plain_, tensor_;  // batches on accelerators and on instances of attention
  std::vector<ShapePair> pairs_;
  std::vector<size_t> fit_;  // by micro-batches
  /// By shape of attention pool, then micro-batches. Units of a family have one fan-out, but for
  /// rounding.
  std::vector<std::optional<AttentionReach>> reach_;
  const AttentionTables::ByShape* tables_ = nullptr;  // beside the unit at hand
  const StageArrays* attention_ = nullptr;            // of the pool at hand
  std::vector<Crossing> crossings_;  // by attention pool, then micro-batches: with the last unit
  Candidate c_;                      // at hand
  double price_ratio_ = 0;           // of the pools at hand, by price_ratio()
  KeptBest best_;                    // of what is found, as far as the pools at hand can change it
  bool watched_ = false;
};

void FamilyTrial::try_unit(const Unit& unit) {
  const Space& space = shared_.space;
  pairs_.clear();
  pairs_.resize(shared_.enumeration.shapes);
  tables_ = &shared_.attention.beside(unit);
  c_ = first_of(unit);
  c_.places = space.places;
  for (const AttentionPool& pool : shared_.enumeration.attention) {
    if (!pair_up(space, pool, unit)) continue;
    if (!trial_.ring.holds(pool.side, unit.side)) {
      c_.number += deployments_of(shared_.enumeration, space, pool, unit);
      continue;
    }
    c_.attention = pool.side;
    c_.attention_split = pool.split;
    c_.boundary = pool.boundary;
    watched_ = trial_.watches(c_);
    try_pool(pool);
    trial_.found.close_pools();
  }
}

FamilyTrial::ShapePair& FamilyTrial::pair_of(const AttentionPool& pool, const PairBatches& arrays) {
  ShapePair& known = pairs_[pool.shape];
  if (!known.pair) {
    c_.micro_batches = shared_.space.micro_batches.front();
    const Disaggregated d = disaggregated(c_, shared_.space);
    known.pair.emplace(d, shared_.setting, held_part(d, shared_.setting));
    for (const int micro_batches : shared_.space.micro_batches) {
      known.room.push_back(
          arrays.room(*known.pair, known.pair->memory_of(micro_batches), shared_.space.max_gpus));
    }
    known.last.resize(known.room.size());
  }
  return known;
}

void FamilyTrial::try_pool(const AttentionPool& pool) {
  const std::vector<int>& micro_batches = shared_.space.micro_batches;
  PairBatches& arrays = pool.split == AttentionSplit::tensor ? tensor_ : plain_;
  ShapePair& shape = pair_of(pool, arrays);
  fit_.clear();
  for (const PairRoom& room : shape.room) fit_.push_back(arrays.fitting(room, pool.units));
  const size_t most = *std::max_element(fit_.begin(), fit_.end());
  bool rising = true;
  if (most > 0) {
    shape.pair->take_attention_instances(pool.side.instances);
    attention_ = &(*tables_)[pool.shape];
    row_.start(c_, pool);
    arrays.face(*shape.pair, *attention_, row_.times());
    // On measured curves a larger batch may be the faster one: then every batch is looked at.
    rising = row_.rises(most) && attention_->rising() >= most;
    best_ = kept();
    price_ratio_ = price_ratio(c_, shared_.space, shared_.options.other_prices);
  }
  const size_t batches = shared_.enumeration.batches_of(pool.split).size();
  Pairing at{pool, static_cast<size_t>(&pool - shared_.enumeration.attention.data()), arrays, 0,
             c_.number};
  for (size_t i = 0; i < micro_batches.size(); ++i) {
    at.micro_batches = i;
    c_.micro_batches = micro_batches[i];
    if (fit_[i] > 0 && rising && !watched_) {
      try_ranges(at, fit_[i], shape.last[i]);
    } else if (fit_[i] > 0) {
      file(at, 0, fit_[i]);
    }
    if (fit_[i] < batches) {
      trial_.found.skip(arrays.lacking(shape.room[i], pool.units, fit_[i]), batches - fit_[i],
                        watched_);
    }
    at.first += batches;
  }
  c_.number = at.first;
}

void FamilyTrial::go_round(const Pairing& at, size_t batch) {
  if (at.arrays.went_round(batch)) return;
  row_.make(batch);
  at.arrays.go_round(batch);
}

/// Batches whose times never fall as they grow: those certain to keep the limit are the first ones,
/// those certain not to the last ones. `last`: with the last pool of this shape.
void FamilyTrial::try_ranges(const Pairing& at, size_t fit, Crossing& last) {
  const Seconds limit = shared_.setting.tpot_limit;
  Crossing& here = crossings_[at.number * shared_.space.micro_batches.size() + at.micro_batches];
  const auto least = [&](size_t b) {
    go_round(at, b);
    return at.arrays.least_tpot(c_.micro_batches, b).base();
  };
  const size_t slow_from = first_beyond(limit.base(), fit, expected(here, last), least, here);
  last = here;
  size_t fast_to = slow_from;
  for (; fast_to > 0; --fast_to) {
    go_round(at, fast_to - 1);
    if (!(at.arrays.most_tpot(c_.micro_batches, fast_to - 1) > limit)) break;
  }
  if (fast_to > 0 && may_change(at, fast_to)) {
    try_range(at, 0, fast_to);
  } else if (fast_to > 0) {
    count(at, 0, fast_to);
  }
  if (fast_to < slow_from) file(at, fast_to, slow_from);
  if (slow_from == fit) return;
  if (best_.tpot_ms < shared_.setting.tpot_limit / millisecond) {
    trial_.found.skip(Verdict::slow, fit - slow_from, false);
  } else {
    file(at, slow_from, fit);
  }
}

/// Whether any of the first batches may, by what attention does alone.
bool FamilyTrial::may_change(const Pairing& at, size_t count) {
  if (shared_.options.other_prices != nullptr) return true;  // the bars are those of one end
  auto& reach = reach_[at.pool.shape * shared_.space.micro_batches.size() + at.micro_batches];
  if (!reach) {
    const std::vector<double> alone = at.arrays.alone(*attention_);
    reach.emplace(
        AttentionReach::Batches{.requests = at.arrays.each(),
                                .seconds = alone,
                                .micro_batches = static_cast<double>(c_.micro_batches),
                                .tokens_per_step = tokens_per_step(shared_.setting.speculation),
                                .limit_ms = shared_.setting.tpot_limit / millisecond},
        trial_.bars);
  }
  return reach->clears(count, at.arrays.size(), best_);
}

/// Batches that keep the limit, by halves until none can change anything or a few are left. The
/// largest first, which raise the bars for the others.
void FamilyTrial::try_range(const Pairing& at, size_t first, size_t last) {
  go_round(at, first);
  Goals best = goals_of(at.arrays.bound(c_.micro_batches, first, last - 1));
  best.usd_at_other_end = price_ratio_ * best.usd_per_mtok;
  if (!best_.reached_by(best, counts_money(shared_.options.objective)) && !trial_.bars.clears(best))
    return count(at, first, last);
  if (last - first <= few) return file(at, first, last);
  const size_t middle = roundest(first + 2, last) - 1;
  try_range(at, middle, last);
  try_range(at, first, middle);
}

/// Batches that keep the limit and change nothing else.
void FamilyTrial::count(const Pairing& at, size_t first, size_t last) {
  trial_.found.skip(Verdict::feasible, last - first, false);
  if (trial_.found.limits.several()) count_by_limits(at, first, last);
}

/// Those that keep the loosest limit and change nothing else: by halves until all of one meet the
/// same limits or a few are left.
void FamilyTrial::count_by_limits(const Pairing& at, size_t first, size_t last) {
  MetLimits& limits = trial_.found.limits;
  go_round(at, first);
  go_round(at, last - 1);
  const size_t least = limits.tightest(at.arrays.least_tpot(c_.micro_batches, first)),
               most = limits.tightest(at.arrays.most_tpot(c_.micro_batches, last - 1));
  if (least == most) return limits.count(least, last - first);
  if (last - first > few) {
    const size_t middle = roundest(first + 2, last) - 1;
    count_by_limits(at, first, middle);
    count_by_limits(at, middle, last);
    return;
  }
  for (size_t b = first; b < last; ++b) go_round(at, b);
  at.arrays.take_steps(c_.micro_batches, first, last - first);
  for (size_t b = first; b < last; ++b)
    limits.count(limits.tightest(Seconds(at.arrays.outcomes().tpot[b])), 1);
}

KeptBest FamilyTrial::kept() const {
  KeptBest kept = trial_.bars.kept(c_.attention.chip, c_.ffn.chip);
  kept.tokens_of_pools = trial_.found.best_of_pools().tokens_per_gpu_s;
  return kept;
}

void FamilyTrial::file(const Pairing& at, size_t first, size_t last) {
  const auto& batches = shared_.enumeration.batches_of(at.pool.split);
  const BatchOutcomes& outcomes = at.arrays.outcomes();
  const double limit = shared_.setting.tpot_limit.base();
  const bool money = counts_money(shared_.options.objective);
  for (size_t b = first; b < last; ++b) go_round(at, b);
  at.arrays.take_steps(c_.micro_batches, first, last - first);
  if (money) at.arrays.price(c_.micro_batches, first, last - first);
  UnitFound& found = trial_.found;
  std::uint64_t slow = 0, feasible = 0;  // of those counted alone
  for (size_t b = first; b < last; ++b) {
    const bool meets = !(outcomes.tpot[b] > limit);
    const Goals goals = {outcomes.tpot_ms[b], outcomes.tokens_per_gpu_s[b],
                         outcomes.usd_per_mtok[b], price_ratio_ * outcomes.usd_per_mtok[b]};
    const bool changes = meets ? best_.reached_by(goals, money) || trial_.bars.clears(goals)
                               : goals.tpot_ms <= best_.tpot_ms;
    if (!changes && !watched_) {
      ++(meets ? feasible : slow);
      if (meets && found.limits.several())
        found.limits.count(found.limits.tightest(Seconds(outcomes.tpot[b])), 1);
      continue;
    }
    at.arrays.price(c_.micro_batches, b, 1);
    c_.goals = goals;
    c_.goals.usd_per_mtok = outcomes.usd_per_mtok[b];
    c_.step = Seconds(outcomes.step[b]);
    c_.number = at.first + b;
    c_.batch = batches[b] * at.pool.units * c_.micro_batches;
    found.file(c_, meets ? Verdict::feasible : Verdict::slow, watched_);
    trial_.bars.raise(c_, meets);
    best_ = kept();
  }
  found.count(Verdict::slow, slow);
  found.count(Verdict::feasible, feasible);
}

}  // namespace

bool try_family(Trial& trial, const UnitNumbers& units) {
  const std::vector<Unit>& all = trial.shared.enumeration.units;
  const std::atomic<bool>* stop = trial.shared.options.stop;
  FamilyTrial family(trial, all[units.front()]);
  for (const std::uint32_t unit : units) {
    if (stop != nullptr && *stop) return false;
    family.try_unit(all[unit]);
  }
  return true;
}

}  // namespace afford
