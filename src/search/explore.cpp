#include "search/explore.hpp"

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>

#include "deploy/pool_pair.hpp"

namespace afford {
namespace {

/// Times of the attention pools, by shape, fan-out and batch: they do not depend on how many
/// instances.
class AttentionTables {
 public:
  AttentionTables(const Enumeration& e, const Space& space, const Setting& setting) {
    for (const Unit& unit : e.units) {
      if (unit.way == Way::disaggregated) fans_.push_back(fan(unit, space));
    }
    std::sort(fans_.begin(), fans_.end());
    fans_.erase(std::unique(fans_.begin(), fans_.end()), fans_.end());
    std::vector<const AttentionPool*> shapes(e.shapes);
    for (const AttentionPool& pool : e.attention) shapes[pool.shape] = &pool;
    // One FFN unit of each fan-out stands for all.
    std::vector<const Unit*> units(fans_.size());
    for (const Unit& unit : e.units) {
      if (unit.way == Way::disaggregated) units[index(unit, space)] = &unit;
    }
    tables_.resize(shapes.size() * fans_.size());
    tbb::parallel_for(size_t{0}, tables_.size(), [&](size_t i) {
      const AttentionPool& shape = *shapes[i / fans_.size()];
      const Unit& unit = *units[i % fans_.size()];
      const bool tensor = shape.split == AttentionSplit::tensor;
      Candidate c{.way = Way::disaggregated};
      c.attention = shape.side;
      c.attention.instances = 1;
      c.attention_split = shape.split;
      c.boundary = shape.boundary;
      c.ffn = unit.side;
      c.micro_batches = 1;
      c.tensor = static_cast<std::uint32_t>(unit.split.tensor);
      c.expert = static_cast<std::uint32_t>(unit.split.expert);
      for (const std::int64_t batch : tensor ? e.tensor_batches : e.batches) {
        c.batch = batch * (tensor ? 1 : c.attention.accelerators);
        tables_[i].push_back(attention_part(disaggregated(c, space), setting));
      }
    });
  }

  [[nodiscard]] const std::vector<AttentionPart>& of(size_t shape, size_t fan_index) const {
    return tables_[shape * fans_.size() + fan_index];
  }
  [[nodiscard]] size_t index(const Unit& unit, const Space& space) const {
    return static_cast<size_t>(std::lower_bound(fans_.begin(), fans_.end(), fan(unit, space)) -
                               fans_.begin());
  }

 private:
  [[nodiscard]] static double fan(const Unit& unit, const Space& space) {
    return fan_out(unit.split,
                   {&(*space.chips)[unit.side.chip], unit.side.instances, unit.side.accelerators});
  }

  std::vector<double> fans_;
  std::vector<std::vector<AttentionPart>> tables_;
};

/// Everything the units of one search share.
struct Shared {
  const Space& space;
  const Setting& setting;
  const ExploreOptions& options;
  Enumeration enumeration;
  AttentionTables attention;
};

/// What trying a unit gives.
struct Found {
  Found(Objective objective, size_t chips) : frontier(objective), best(chips) {}
  Frontier<Candidate> frontier;
  Tally tally;
  std::uint64_t evaluated = 0;
  Watched watched;
  std::optional<Candidate> fastest;
  BestOfPairs best;
  std::map<Shape, Candidate> shapes;
  std::optional<Candidate> here;  // most tokens of the pools at hand
  std::string text;
};

void keep_fastest(std::optional<Candidate>& fastest, const Candidate& c) {
  if (!fastest || c.goals.tpot_ms < fastest->goals.tpot_ms) fastest = c;
}

bool preferred(const Candidate& a, const Candidate& b, Objective objective) {
  return counts_money(objective) ? a.goals.usd_per_mtok < b.goals.usd_per_mtok
                                 : a.goals.tokens_per_gpu_s > b.goals.tokens_per_gpu_s;
}

void tally(Tally& tally, Verdict verdict, std::uint64_t candidates) {
  tally.tried += candidates;
  switch (verdict) {
    case Verdict::feasible:
      tally.feasible += candidates;
      break;
    case Verdict::slow:
      tally.slow += candidates;
      break;
    case Verdict::attention_memory:
      tally.attention_memory += candidates;
      break;
    case Verdict::ffn_memory:
      tally.ffn_memory += candidates;
      break;
  }
}

bool fits(Verdict verdict) { return verdict == Verdict::feasible || verdict == Verdict::slow; }

/// Files one evaluated candidate. `watched`: it bears the label asked about.
void file(Found& found, Candidate& c, const StepOutcome& e, bool watched,
          const ExploreOptions& options) {
  tally(found.tally, e.verdict, 1);
  ++found.evaluated;
  if (watched) tally(found.watched.tally, e.verdict, 1);
  if (!fits(e.verdict)) return;
  c.goals = goals_of(e);
  keep_fastest(found.fastest, c);
  if (watched) keep_fastest(found.watched.fastest, c);
  if (e.verdict != Verdict::feasible) return;
  found.frontier.add(c);
  found.best.add(c, options.objective);
  if (!found.here || c.goals.tokens_per_gpu_s > found.here->goals.tokens_per_gpu_s) found.here = c;
  if (!watched) return;
  std::optional<Candidate>& best = found.watched.best;
  if (!best || preferred(c, *best, options.objective)) best = c;
}

void keep_most_tokens(std::map<Shape, Candidate>& shapes, const Candidate& c) {
  const auto [known, added] = shapes.emplace(shape_of(c), c);
  if (!added && c.goals.tokens_per_gpu_s > known->second.goals.tokens_per_gpu_s) known->second = c;
}

/// Done with the pools at hand.
void close_pools(Found& found, const ExploreOptions& options) {
  if (options.shapes && found.here) keep_most_tokens(found.shapes, *found.here);
  found.here.reset();
}

/// A batch that does not fit is followed only by larger ones, which do not fit either: weights
/// stay, cache and buffers grow with the batch. They are counted, not evaluated.
void skip(Found& found, Verdict verdict, std::uint64_t candidates, bool watched) {
  tally(found.tally, verdict, candidates);
  if (watched) tally(found.watched.tally, verdict, candidates);
}

void describe(Found& found, Candidate& c, const Evaluation& e, const ExploreOptions& options) {
  c.goals = goals_of(e);
  options.describe(c, e, found.text);
}

/// Files the smallest of the `left` batches still to try. False: it does not fit, and the others
/// are skipped, their numbers too.
bool file_or_skip(Found& found, Candidate& c, const StepOutcome& e, std::uint64_t left,
                  bool watched, const ExploreOptions& options) {
  file(found, c, e, watched, options);
  if (fits(e.verdict) || options.describe) return true;
  skip(found, e.verdict, left - 1, watched);
  c.number += left;
  return false;
}

/// FFN times of one unit for one number of attention units, by batch, made when asked for.
class FfnRow {
 public:
  FfnRow(const Setting& setting, const Placement* placement)
      : setting_(setting), placement_(placement) {}
  void start(const AttentionPool& pool) {
    if (pool.units == of_.units && pool.split == of_.split && pool.boundary == of_.boundary) return;
    of_ = pool;
    parts_.clear();
  }
  [[nodiscard]] const FfnPart& at(size_t batch, const Disaggregated& d) {
    if (batch == parts_.size()) parts_.push_back(ffn_part(d, setting_, placement_));
    return parts_[batch];
  }

 private:
  const Setting& setting_;
  const Placement* placement_;
  AttentionPool of_{.side = {}, .units = 0};  // none has no units
  std::vector<FfnPart> parts_;
};

/// The placement of skewed experts over the groups of a split, where one serves all MoE layers.
std::optional<Placement> placement_for(const Setting& setting, const Routing& routing,
                                       std::int64_t groups) {
  std::optional<ExpertLayout> layout;
  for (const FfnSpec& ffn : setting.model->ffns) {
    const Moe* moe = std::get_if<Moe>(&ffn.shape);
    if (moe == nullptr) continue;
    if (layout && (layout->experts != moe->experts || layout->active != moe->active))
      return std::nullopt;
    layout = {moe->experts, moe->active, groups, groups > 1 ? setting.redundant_experts : 0};
  }
  if (!layout) return std::nullopt;
  return place_experts(*layout, routing);
}

void try_disaggregated(Found& found, const Unit& unit, const Shared& shared) {
  const Space& space = shared.space;
  const Enumeration& e = shared.enumeration;
  const std::optional<Placement> placement =
      placement_for(shared.setting, shared.setting.routing_of_pools(), unit.split.expert);
  FfnRow row(shared.setting, placement ? &*placement : nullptr);
  const size_t fan = shared.attention.index(unit, space);
  std::vector<Round> rounds;  // of the pools at hand, by batch
  Candidate c{.way = Way::disaggregated};
  c.ffn = unit.side;
  c.number = unit.first;
  c.tensor = static_cast<std::uint32_t>(unit.split.tensor);
  c.expert = static_cast<std::uint32_t>(unit.split.expert);
  for (const AttentionPool& pool : e.attention) {
    if (!pair_up(space, pool, unit)) continue;
    c.attention = pool.side;
    c.attention_split = pool.split;
    c.boundary = pool.boundary;
    const auto& batches = pool.split == AttentionSplit::tensor ? e.tensor_batches : e.batches;
    const auto& attention = shared.attention.of(pool.shape, fan);
    const bool watched = !shared.options.watch.empty() && label(c) == shared.options.watch;
    row.start(pool);
    Disaggregated d = disaggregated(c, space);
    PoolPair pair(d, shared.setting, held_part(d, shared.setting));
    d.micro_batches = 1;
    size_t made = 0;  // rounds, which are the same whatever the micro-batches
    for (const int micro_batches : space.micro_batches) {
      c.micro_batches = micro_batches;
      pair.keep_in_flight(micro_batches);
      for (size_t b = 0; b < batches.size(); ++b, ++c.number) {
        if (b == made) {
          d.batch = batches[b] * pool.units;
          if (rounds.size() == made) rounds.emplace_back();
          pair.go_round(real(d.batch), attention[b], row.at(b, d), rounds[made++]);
        }
        c.batch = batches[b] * pool.units * micro_batches;
        const StepOutcome outcome = pair.outcome(rounds[b], c.batch);
        if (shared.options.describe)
          describe(found, c, pair.evaluation(rounds[b], c.batch), shared.options);
        if (!file_or_skip(found, c, outcome, batches.size() - b, watched, shared.options)) break;
      }
    }
    close_pools(found, shared.options);
  }
}

void try_colocated(Found& found, const Unit& unit, const Shared& shared) {
  const auto& batches = shared.enumeration.batches_of(unit.way);
  Candidate c = first_of(unit);
  const std::optional<Placement> placement =
      placement_for(shared.setting, shared.setting.routing, layout_of(c).expert_ep);
  Setting setting = shared.setting;
  setting.placement = placement ? &*placement : nullptr;
  const bool watched = !shared.options.watch.empty() && label(c) == shared.options.watch;
  for (const int on_each_stage : shared.space.colocated_micro_batches) {
    c.micro_batches = micro_batches_of(unit, on_each_stage);
    for (size_t b = 0; b < batches.size(); ++b, ++c.number) {
      // Of a mixed layout the micro-batches may be uneven, so that every batch is tried.
      c.batch = unit.way == Way::mixed ? batches[b] : batches[b] * c.micro_batches;
      const Evaluation result = evaluate(colocated(c, shared.space), setting);
      if (shared.options.describe) describe(found, c, result, shared.options);
      if (!file_or_skip(found, c, result, batches.size() - b, watched, shared.options)) break;
    }
  }
  close_pools(found, shared.options);
}

Found try_unit(const Unit& unit, const Shared& shared) {
  Found found(shared.options.objective, shared.space.chips->size());
  if (unit.way == Way::disaggregated) {
    try_disaggregated(found, unit, shared);
  } else {
    try_colocated(found, unit, shared);
  }
  return found;
}

void take_better(std::optional<Candidate>& ours, const std::optional<Candidate>& theirs,
                 auto better) {
  if (theirs && (!ours || better(*theirs, *ours))) ours = theirs;
}

/// Units arrive in their order, so equally good candidates are settled the same way every time.
void merge(Explored& out, const Found& found, Objective objective) {
  const auto faster = [](const Candidate& a, const Candidate& b) {
    return a.goals.tpot_ms < b.goals.tpot_ms;
  };
  out.frontier.add(found.frontier);
  out.best.add(found.best, objective);
  for (const auto& [shape, candidate] : found.shapes) keep_most_tokens(out.shapes, candidate);
  out.tally += found.tally;
  out.evaluated += found.evaluated;
  out.watched.tally += found.watched.tally;
  take_better(out.fastest, found.fastest, faster);
  take_better(out.watched.fastest, found.watched.fastest, faster);
  take_better(out.watched.best, found.watched.best,
              [&](const Candidate& a, const Candidate& b) { return preferred(a, b, objective); });
}

Explored explore_here(const Space& space, const Setting& setting, const ExploreOptions& options) {
  Enumeration enumeration = enumerate(space, setting, options.stop);
  AttentionTables tables(enumeration, space, setting);
  const Shared shared{space, setting, options, std::move(enumeration), std::move(tables)};
  Explored out{.frontier = Frontier<Candidate>(options.objective),
               .best = BestOfPairs(space.chips->size())};
  out.candidates = candidates_of(shared.enumeration, options.shard);
  size_t next = options.shard.index;
  // Thrown out of a filter, it would leave behind what is in flight.
  std::exception_ptr failure;
  std::atomic<bool> failed = false;
  const auto stopped = [&] { return failed || (options.stop != nullptr && options.stop->load()); };
  if (stopped()) out.complete = false;  // the enumeration itself may have been cut short
  const auto take = [&](tbb::flow_control& control) -> size_t {
    if (next >= shared.enumeration.units.size()) return control.stop(), next;
    if (stopped()) return out.complete = false, control.stop(), next;
    return std::exchange(next, next + options.shard.of);
  };
  const auto work = [&](size_t unit) {
    return std::make_shared<Found>(try_unit(shared.enumeration.units[unit], shared));
  };
  const auto finish = [&](const std::shared_ptr<Found>& found) {
    if (failed) return;
    try {
      merge(out, *found, options.objective);
      if (options.write) options.write(found->text);
      if (options.tried) options.tried(out.tally.tried);
    } catch (...) {
      failure = std::current_exception();
      failed = true;
    }
  };
  const auto in_flight = 4 * static_cast<size_t>(tbb::this_task_arena::max_concurrency());
  tbb::parallel_pipeline(
      in_flight,
      tbb::make_filter<void, size_t>(tbb::filter_mode::serial_in_order, take) &
          tbb::make_filter<size_t, std::shared_ptr<Found>>(tbb::filter_mode::parallel, work) &
          tbb::make_filter<std::shared_ptr<Found>, void>(tbb::filter_mode::serial_in_order,
                                                         finish));
  if (failure) std::rethrow_exception(failure);
  return out;
}
}  // namespace

Shape shape_of(const Candidate& c) {
  Shape shape{.way = c.way, .attention_chip = c.attention.chip};
  shape.attention_gpus = c.attention.instances * c.attention.accelerators;
  if (c.way != Way::disaggregated) return shape;
  shape.ffn_chip = c.ffn.chip;
  shape.ffn_gpus = c.ffn.instances * c.ffn.accelerators;
  return shape;
}

void BestOfPairs::add(const Candidate& c, Objective objective) {
  const bool pair = c.way == Way::disaggregated;
  std::optional<Candidate>& best =
      best_[pair ? c.attention.chip * chips_ + c.ffn.chip : chips_ * chips_ + c.attention.chip];
  if (!best || preferred(c, *best, objective)) best = c;
}

void BestOfPairs::add(const BestOfPairs& other, Objective objective) {
  for (const auto& candidate : other.best_) {
    if (candidate) add(*candidate, objective);
  }
}

Tally& Tally::operator+=(const Tally& other) {
  tried += other.tried;
  feasible += other.feasible;
  slow += other.slow;
  attention_memory += other.attention_memory;
  ffn_memory += other.ffn_memory;
  return *this;
}

std::uint64_t candidates_of(const Enumeration& enumeration, const Shard& shard) {
  std::uint64_t sum = 0;
  for (size_t u = shard.index; u < enumeration.units.size(); u += shard.of)
    sum += enumeration.units[u].count;
  return sum;
}

Explored explore(const Space& space, const Setting& setting, const ExploreOptions& options) {
  if (options.threads == 0) return explore_here(space, setting, options);
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  static_cast<size_t>(options.threads));
  tbb::task_arena arena(options.threads);
  return arena.execute([&] { return explore_here(space, setting, options); });
}

}  // namespace afford
