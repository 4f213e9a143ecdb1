#include "search/explore.hpp"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>

#include "search/family.hpp"
#include "search/parallel.hpp"
#include "search/trial.hpp"

namespace afford {
namespace {

/// The bars that all that is found so far sets.
class SharedBars {
 public:
  SharedBars(Objective objective, double tpot_limit_ms) : bars_(objective, tpot_limit_ms) {}
  [[nodiscard]] Bars now() const {
    const std::lock_guard lock(mutex_);
    return bars_;
  }
  void raise(const std::vector<Candidate>& feasible) {
    const std::lock_guard lock(mutex_);
    bars_.raise(feasible);
  }

 private:
  mutable std::mutex mutex_;
  Bars bars_;
};

/// What the units of one family come to. Not complete: the last ones are left out.
struct Tried {
  Trial trial;
  bool complete = true;
};

std::unique_ptr<Tried> try_units(const UnitNumbers& units, const Shared& shared, Bars bars) {
  const ExploreOptions& options = shared.options;
  auto tried = std::make_unique<Tried>(Tried{
      {shared, std::move(bars), {options.objective, shared.space.chips->size(), options.shapes}}});
  const Unit& first = shared.enumeration.units[units.front()];
  if (first.way != Way::disaggregated) {
    try_colocated(tried->trial, first);
  } else if (by_arrays(shared.space, shared.setting, options)) {
    tried->complete = try_family(tried->trial, units);
  } else {
    try_disaggregated(tried->trial, first);
  }
  return tried;
}

Explored explore_here(const Space& space, const Setting& setting, const ExploreOptions& options) {
  Enumeration enumeration = enumerate(space, setting, options.stop);
  AttentionTables tables(enumeration, space, setting);
  tbb::enumerable_thread_specific<KnownTimes> known;
  const Shared shared{space, setting, options, std::move(enumeration), std::move(tables), known};
  const std::vector<UnitNumbers> families =
      families_of(shared.enumeration, options.shard, by_arrays(space, setting, options));
  SharedBars bars(options.objective, setting.tpot_limit / millisecond);
  Explored out(options.objective, space.chips->size());
  out.candidates = candidates_of(shared.enumeration, options.shard);
  // Thrown on a thread of the search, it would end the others without their results.
  std::exception_ptr failure;
  std::atomic<bool> failed = false;
  const auto stopped = [&] { return failed || (options.stop != nullptr && options.stop->load()); };
  if (stopped()) out.complete = false;  // the enumeration itself may have been cut short
  const auto more = [&](size_t i) {
    if (i >= families.size()) return false;
    if (!stopped()) return true;
    return out.complete = false;
  };
  const auto work = [&](size_t i) { return try_units(families[i], shared, bars.now()); };
  std::atomic<bool> cut = false;
  const auto finish = [&](const std::unique_ptr<Tried>& tried) {
    if (failed) return;
    try {
      out.add(tried->trial.found);
      if (!tried->complete) cut = true;
      bars.raise(tried->trial.found.frontier.points());
      if (options.write) options.write(tried->trial.text);
      if (options.tried) options.tried(out.tally.tried);
    } catch (...) {
      failure = std::current_exception();
      failed = true;
    }
  };
  work_in_order(more, work, finish);
  if (failure) std::rethrow_exception(failure);
  if (cut) out.complete = false;
  return out;
}
}  // namespace

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
