#include "search/family.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "deploy/pair_batches.hpp"
#include "search/ffn_times.hpp"

namespace afford {
namespace {

/// The FFN times of one unit at the batches of attention pools of so many units.
struct FfnRow {
  AttentionPool of{.side = {}, .units = 0};  // none has no units
  StageArrays times;
  size_t made = 0;
};

class FamilyTrial {
 public:
  FamilyTrial(Trial& trial, const Unit& first)
      : trial_(trial),
        shared_(trial.shared),
        kinds_(shared_.setting.shapes->size()),
        placement_(
            placement_for(shared_.setting, shared_.setting.routing_of_pools(), first.split.expert)),
        times_{FfnTimes(kinds_ + 1), FfnTimes(kinds_ + 1)},
        plain_(shared_.enumeration.batches, kinds_),
        tensor_(shared_.enumeration.tensor_batches, kinds_) {}

  void try_unit(const Unit& unit);

 private:
  void try_pool(const Unit& unit, const AttentionPool& pool);
  /// Two pools at hand with their arrays, and the number of the first batch.
  struct Pairing {
    const AttentionPool& pool;
    const PoolPair& pair;
    PairBatches& arrays;
    std::uint64_t first;
  };
  void try_ranges(const Pairing& at, size_t fit);
  void try_range(const Pairing& at, size_t first, size_t last);
  void file(const Pairing& at, size_t first, size_t last);
  PoolPair& pair_of(const AttentionPool& pool, const Disaggregated& d);
  void make_row(const Unit& unit, const AttentionPool& pool, size_t count);
  [[nodiscard]] KeptBest kept() const;

  Trial& trial_;
  const Shared& shared_;
  size_t kinds_;
  std::optional<Placement> placement_;
  std::array<FfnTimes, 2> times_;  // by boundary
  PairBatches plain_, tensor_;     // batches on accelerators and on instances of attention
  FfnRow row_;
  /// Of the unit with each shape of attention pool, and their memory by micro-batches.
  struct ShapePair {
    std::optional<PoolPair> pair;
    std::vector<PairMemory> memory;
  };
  std::vector<ShapePair> pairs_;
  std::vector<size_t> fit_;  // by micro-batches
  Candidate c_;              // at hand
  double price_ratio_ = 0;   // of the pools at hand, by price_ratio()
  KeptBest best_;            // of what is found, as far as the pools at hand can change it
  bool watched_ = false;
};

void FamilyTrial::try_unit(const Unit& unit) {
  const Space& space = shared_.space;
  pairs_.clear();
  pairs_.resize(shared_.enumeration.shapes);
  row_.of.units = 0;
  c_ = first_of(unit);
  c_.places = space.places;
  for (const AttentionPool& pool : shared_.enumeration.attention) {
    if (!pair_up(space, pool, unit)) continue;
    c_.attention = pool.side;
    c_.attention_split = pool.split;
    c_.boundary = pool.boundary;
    watched_ = trial_.watches(c_);
    try_pool(unit, pool);
    trial_.found.close_pools();
  }
}

PoolPair& FamilyTrial::pair_of(const AttentionPool& pool, const Disaggregated& d) {
  ShapePair& known = pairs_[pool.shape];
  if (!known.pair) {
    known.pair.emplace(d, shared_.setting, held_part(d, shared_.setting));
    for (const int micro_batches : shared_.space.micro_batches)
      known.memory.push_back(known.pair->memory_of(micro_batches));
  }
  known.pair->take_attention_instances(pool.side.instances);
  return *known.pair;
}

void FamilyTrial::make_row(const Unit& unit, const AttentionPool& pool, size_t count) {
  const auto& batches = shared_.enumeration.batches_of(pool.split);
  const AttentionPool& of = row_.of;
  if (pool.units != of.units || pool.split != of.split || pool.boundary != of.boundary) {
    row_.of = pool;
    row_.made = 0;
    row_.times.start_over();
    if (row_.times.batches() != batches.size()) row_.times = StageArrays(kinds_, batches.size());
  }
  Disaggregated d = disaggregated(c_, shared_.space);
  d.micro_batches = 1;
  const double replicas = real(unit.side.size()) / real(unit.split.tensor * unit.split.expert);
  FfnTimes& times = times_[static_cast<size_t>(pool.boundary)];
  for (size_t& b = row_.made; b < count; ++b) {
    d.batch = batches[b] * pool.units;
    const double* known = times.of(real(d.batch) / replicas, [&](double* made) {
      const FfnPart part = ffn_part(d, shared_.setting, placement_ ? &*placement_ : nullptr);
      for (size_t kind = 0; kind < kinds_; ++kind) made[kind] = part.stage[kind].base();
      made[kinds_] = part.head.base();
    });
    for (size_t kind = 0; kind < kinds_; ++kind) row_.times.stage(kind)[b] = known[kind];
    row_.times.head()[b] = known[kinds_];
  }
  row_.times.rising(row_.made);
}

void FamilyTrial::try_pool(const Unit& unit, const AttentionPool& pool) {
  const std::vector<int>& micro_batches = shared_.space.micro_batches;
  PairBatches& arrays = pool.split == AttentionSplit::tensor ? tensor_ : plain_;
  c_.micro_batches = micro_batches.front();
  PoolPair& pair = pair_of(pool, disaggregated(c_, shared_.space));
  const std::vector<PairMemory>& memory = pairs_[pool.shape].memory;
  fit_.clear();
  for (const PairMemory& each : memory) fit_.push_back(arrays.fitting(pair, each));
  const size_t most = *std::max_element(fit_.begin(), fit_.end());
  make_row(unit, pool, most);
  const StageArrays& attention =
      shared_.attention.of(pool.shape, shared_.attention.index(unit, shared_.space));
  arrays.go_round(pair, attention, row_.times, most);
  // On measured curves a larger batch may be the faster one: then every batch is looked at.
  const bool rising = std::min(attention.rising(), row_.times.rising()) >= most;
  const size_t batches = shared_.enumeration.batches_of(pool.split).size();
  Pairing at{pool, pair, arrays, c_.number};
  best_ = kept();
  price_ratio_ = price_ratio(c_, shared_.space, shared_.options.other_prices);
  for (size_t i = 0; i < micro_batches.size(); ++i) {
    c_.micro_batches = micro_batches[i];
    if (rising && !watched_) {
      try_ranges(at, fit_[i]);
    } else {
      file(at, 0, fit_[i]);
    }
    if (fit_[i] < batches)
      trial_.found.skip(arrays.lacking(pair, memory[i], fit_[i]), batches - fit_[i], watched_);
    at.first += batches;
  }
  c_.number = at.first;
}

/// Batches whose times never fall as they grow: those certain to keep the limit are the first ones,
/// those certain not to the last ones.
void FamilyTrial::try_ranges(const Pairing& at, size_t fit) {
  const Seconds limit = shared_.setting.tpot_limit;
  const auto slow = [&](size_t b) {
    return at.arrays.least_tpot(at.pair, c_.micro_batches, b) > limit;
  };
  size_t slow_from = 0;
  for (size_t beyond = fit; slow_from < beyond;) {
    const size_t middle = slow_from + (beyond - slow_from) / 2;
    if (slow(middle)) {
      beyond = middle;
    } else {
      slow_from = middle + 1;
    }
  }
  size_t fast_to = slow_from;
  while (fast_to > 0 && at.arrays.most_tpot(at.pair, c_.micro_batches, fast_to - 1) > limit)
    --fast_to;
  if (fast_to > 0) try_range(at, 0, fast_to);
  file(at, fast_to, slow_from);
  if (slow_from == fit) return;
  const double fastest = at.arrays.least_tpot(at.pair, c_.micro_batches, slow_from) / millisecond;
  if (fastest < best_.tpot_ms) {
    file(at, slow_from, fit);
  } else {
    trial_.found.skip(Verdict::slow, fit - slow_from, false);
  }
}

/// Batches that keep the limit, by halves until none can change anything or a few are left.
void FamilyTrial::try_range(const Pairing& at, size_t first, size_t last) {
  constexpr size_t few = 4;
  Goals best = goals_of(at.arrays.bound(at.pair, c_.micro_batches, first, last - 1));
  best.usd_at_other_end = price_ratio_ * best.usd_per_mtok;
  const bool money = counts_money(shared_.options.objective);
  if (!best_.beaten_by(best, money) && !trial_.bars.clears(best)) {
    trial_.found.skip(Verdict::feasible, last - first, false);
    return;
  }
  if (last - first <= few) return file(at, first, last);
  const size_t middle = first + (last - first) / 2;
  try_range(at, first, middle);
  try_range(at, middle, last);
}

KeptBest FamilyTrial::kept() const {
  const UnitFound& found = trial_.found;
  KeptBest kept;
  if (found.fastest) kept.tpot_ms = found.fastest->goals.tpot_ms;
  if (const auto& best = found.best.pair(c_.attention.chip, c_.ffn.chip))
    kept.of_chips = as_bar(best->goals);
  if (const Goals* cheapest = found.rivals.cheapest_at_other_end(c_))
    kept.of_chips_at_other_end = as_bar(*cheapest);
  kept.tokens_of_pools = found.best_of_pools().tokens_per_gpu_s;
  return kept;
}

void FamilyTrial::file(const Pairing& at, size_t first, size_t last) {
  const auto& batches = shared_.enumeration.batches_of(at.pool.split);
  const BatchOutcomes& outcomes = at.arrays.outcomes();
  const double limit = shared_.setting.tpot_limit.base();
  const bool money = counts_money(shared_.options.objective);
  at.arrays.take_steps(at.pair, c_.micro_batches, first, last - first);
  if (money) at.arrays.price(at.pair, c_.micro_batches, first, last - first);
  UnitFound& found = trial_.found;
  std::uint64_t slow = 0, feasible = 0;  // of those counted alone
  for (size_t b = first; b < last; ++b) {
    const bool meets = !(outcomes.tpot[b] > limit);
    const Goals goals = {outcomes.tpot_ms[b], outcomes.tokens_per_gpu_s[b],
                         outcomes.usd_per_mtok[b], price_ratio_ * outcomes.usd_per_mtok[b]};
    const bool changes = meets ? best_.beaten_by(goals, money) || trial_.bars.clears(goals)
                               : goals.tpot_ms < best_.tpot_ms;
    if (!changes && !watched_) {
      ++(meets ? feasible : slow);
      continue;
    }
    at.arrays.price(at.pair, c_.micro_batches, b, 1);
    c_.goals = goals;
    c_.goals.usd_per_mtok = outcomes.usd_per_mtok[b];
    c_.step = Seconds(outcomes.step[b]);
    c_.number = at.first + b;
    c_.batch = batches[b] * at.pool.units * c_.micro_batches;
    found.file(c_, meets ? Verdict::feasible : Verdict::slow, watched_);
    if (meets) trial_.bars.raise(c_.goals);
    best_ = kept();
  }
  found.count(Verdict::slow, slow);
  found.count(Verdict::feasible, feasible);
}

}  // namespace

bool by_arrays(const Space& space, const Setting& setting, const ExploreOptions& options) {
  return !options.describe && !space.requests && !setting.engine_of_pools().runtime.there() &&
         PairBatches::serve(setting);
}

std::vector<UnitNumbers> families_of(const Enumeration& e, const Shard& shard, bool by_arrays) {
  using Alike = std::tuple<std::uint32_t, std::uint32_t, std::int64_t, std::int64_t>;
  std::map<Alike, size_t> known;
  std::vector<UnitNumbers> families;
  for (size_t u = shard.index; u < e.units.size(); u += shard.of) {
    const Unit& unit = e.units[u];
    size_t family = families.size();
    if (by_arrays && unit.way == Way::disaggregated) {
      const Alike alike = {unit.side.chip, unit.side.accelerators, unit.split.tensor,
                           unit.split.expert};
      family = known.emplace(alike, family).first->second;
    }
    if (family == families.size()) families.emplace_back();
    families[family].push_back(static_cast<std::uint32_t>(u));
  }
  return families;
}

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
