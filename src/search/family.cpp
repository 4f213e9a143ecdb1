#include "search/family.hpp"

#include <algorithm>
#include <array>
#include <limits>
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

/// What a candidate must beat to be kept as the best of something. The numbers of a family rise, so
/// that an equal one stays behind.
struct KeptBest {
  double tpot_ms = std::numeric_limits<double>::infinity();
  std::optional<Goals> of_chips;
  double tokens_of_pools = -1;

  [[nodiscard]] bool beaten_by(const Goals& goals, bool money) const {
    if (goals.tpot_ms < tpot_ms || goals.tokens_per_gpu_s > tokens_of_pools || !of_chips)
      return true;
    return money ? goals.usd_per_mtok < of_chips->usd_per_mtok
                 : goals.tokens_per_gpu_s > of_chips->tokens_per_gpu_s;
  }
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
  void file(const AttentionPool& pool, const PoolPair& pair, size_t fit, PairBatches& arrays);
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
  const size_t fan = shared_.attention.index(unit, shared_.space);
  arrays.go_round(pair, shared_.attention.of(pool.shape, fan), row_.times, most);
  const size_t batches = shared_.enumeration.batches_of(pool.split).size();
  const bool money = counts_money(shared_.options.objective);
  for (size_t i = 0; i < micro_batches.size(); ++i) {
    c_.micro_batches = micro_batches[i];
    arrays.take_steps(pair, c_.micro_batches, fit_[i]);
    if (money) arrays.price(pair, c_.micro_batches, 0, fit_[i]);
    file(pool, pair, fit_[i], arrays);
    if (fit_[i] < batches)
      trial_.found.skip(arrays.lacking(pair, memory[i], fit_[i]), batches - fit_[i], watched_);
    c_.number += batches;
  }
}

KeptBest FamilyTrial::kept() const {
  const UnitFound& found = trial_.found;
  KeptBest kept;
  if (found.fastest) kept.tpot_ms = found.fastest->goals.tpot_ms;
  if (const auto& best = found.best.pair(c_.attention.chip, c_.ffn.chip))
    kept.of_chips = best->goals;
  kept.tokens_of_pools = found.best_of_pools().tokens_per_gpu_s;
  return kept;
}

void FamilyTrial::file(const AttentionPool& pool, const PoolPair& pair, size_t fit,
                       PairBatches& arrays) {
  const auto& batches = shared_.enumeration.batches_of(pool.split);
  const BatchOutcomes& outcomes = arrays.outcomes();
  const double limit = shared_.setting.tpot_limit.base();
  const bool money = counts_money(shared_.options.objective);
  const std::uint64_t first = c_.number;
  UnitFound& found = trial_.found;
  KeptBest best = kept();
  std::uint64_t slow = 0, feasible = 0;  // of those counted alone
  for (size_t b = 0; b < fit; ++b) {
    const bool meets = !(outcomes.tpot[b] > limit);
    const Goals goals = {outcomes.tpot_ms[b], outcomes.tokens_per_gpu_s[b],
                         outcomes.usd_per_mtok[b]};
    const bool changes = meets ? best.beaten_by(goals, money) || trial_.bars.clears(goals)
                               : goals.tpot_ms < best.tpot_ms;
    if (!changes && !watched_) {
      ++(meets ? feasible : slow);
      continue;
    }
    arrays.price(pair, c_.micro_batches, b, 1);
    c_.goals = goals;
    c_.goals.usd_per_mtok = outcomes.usd_per_mtok[b];
    c_.number = first + b;
    c_.batch = batches[b] * pool.units * c_.micro_batches;
    found.file(c_, meets ? Verdict::feasible : Verdict::slow, watched_);
    if (meets) trial_.bars.raise(goals);
    best = kept();
  }
  c_.number = first;
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
