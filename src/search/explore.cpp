#include "search/explore.hpp"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "count/decode.hpp"
#include "search/family.hpp"
#include "search/parallel.hpp"
#include "search/trial.hpp"

namespace afford {
namespace {

/// The bars that all that is found so far sets.
class SharedBars {
 public:
  explicit SharedBars(Bars none) : bars_(std::move(none)) {}
  [[nodiscard]] Bars now() const {
    const std::lock_guard lock(mutex_);
    return bars_;
  }
  void raise(const Found& found) {
    const std::lock_guard lock(mutex_);
    bars_.raise(found);
  }

 private:
  mutable std::mutex mutex_;
  Bars bars_;
};

/// What one thread tries in a row: units of one family or, of one of AFD that is described, some
/// of its attention pools, so that what is said of them takes little memory.
struct Part {
  UnitNumbers units;
  std::optional<PoolRange> pools{};  // none: all
};

PoolRange all_pools(const Enumeration& e, const Unit& unit) {
  return {.first = 0, .last = e.attention.size(), .candidate = unit.first};
}

/// The same in ranges of some `most` candidates.
std::vector<PoolRange> ranges_of(const Enumeration& e, const Space& space, const Unit& unit,
                                 std::uint64_t most) {
  const std::uint64_t forms = prompt_forms(space, unit.way);
  std::vector<PoolRange> ranges;
  std::uint64_t candidate = unit.first;
  for (size_t first = 0; first < e.attention.size();) {
    PoolRange range{.first = first, .last = first, .candidate = candidate};
    while (range.last < e.attention.size() && candidate - range.candidate < most)
      candidate += forms * deployments_of(e, space, e.attention[range.last++], unit);
    ranges.push_back(range);
    first = range.last;
  }
  return ranges;
}

bool is_afd(const Unit& unit) { return unit.way == Way::disaggregated; }

/// Calls it with each unit of AFD of a part.
template <class Call>
void for_each_afd(const Part& part, const Enumeration& all, const Call& call) {
  for (const std::uint32_t number : part.units) {
    if (is_afd(all.units[number])) call(all.units[number]);
  }
}

/// Those of one fan-out one after another, so that few tables of attention stand at a time.
void sort_by_fan_out(std::vector<Part>& parts, const Shared& shared) {
  const auto fan_out = [&](const Part& part) {
    const Unit& unit = shared.enumeration.units[part.units.front()];
    return is_afd(unit) ? shared.attention.index(unit) : std::numeric_limits<size_t>::max();
  };
  std::stable_sort(parts.begin(), parts.end(),
                   [&](const Part& a, const Part& b) { return fan_out(a) < fan_out(b); });
}

std::vector<Part> parts_of(const Shared& shared) {
  constexpr std::uint64_t described_together = 1024;  // some 400 KiB of CSV
  const Enumeration& all = shared.enumeration;
  std::vector<Part> parts;
  for (UnitNumbers& units : families_of(all, shared.options.shard,
                                        by_arrays(shared.space, shared.setting, shared.options))) {
    const Unit& first = all.units[units.front()];
    if (!shared.options.describe || !is_afd(first)) {
      parts.push_back({.units = std::move(units)});
      continue;
    }
    for (const PoolRange& pools : ranges_of(all, shared.space, first, described_together))
      parts.push_back({.units = units, .pools = pools});
  }
  if (!shared.options.describe) sort_by_fan_out(parts, shared);
  for (const Part& part : parts)
    for_each_afd(part, all, [&](const Unit& unit) { shared.attention.expect(unit); });
  return parts;
}

/// Texts of parts that have been written, whose memory the next ones take.
class Texts {
 public:
  [[nodiscard]] std::string take() {
    const std::lock_guard lock(mutex_);
    if (left_.empty()) return {};
    std::string text = std::move(left_.back());
    left_.pop_back();
    return text;
  }
  void give_back(std::string text) {
    text.clear();
    const std::lock_guard lock(mutex_);
    left_.push_back(std::move(text));
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> left_;
};

MetLimits no_limit_met(const Setting& setting, const ExploreOptions& options) {
  if (options.limits.empty()) return {};
  return {options.limits, options.objective, tokens_per_step(setting.speculation)};
}

/// What the units of one family come to. Not complete: the last ones are left out.
struct Tried {
  Trial trial;
  bool complete = true;
};

std::unique_ptr<Tried> try_part(const Part& part, const Shared& shared, Bars bars,
                                std::string text) {
  const ExploreOptions& options = shared.options;
  auto tried = std::make_unique<Tried>(Tried{
      {shared, std::move(bars), {options.objective, shared.space.chips->size(), options.shapes}}});
  tried->trial.text = std::move(text);
  tried->trial.found.limits = no_limit_met(shared.setting, options);
  const Unit& first = shared.enumeration.units[part.units.front()];
  if (!is_afd(first)) {
    try_colocated(tried->trial, first);
  } else if (by_arrays(shared.space, shared.setting, options)) {
    tried->complete = try_family(tried->trial, part.units);
  } else {
    try_disaggregated(tried->trial, first,
                      part.pools.value_or(all_pools(shared.enumeration, first)));
  }
  for_each_afd(part, shared.enumeration,
               [&](const Unit& unit) { shared.attention.done_with(unit); });
  return tried;
}

Explored explore_here(const Space& space, const Setting& setting, const ExploreOptions& options) {
  const Enumeration enumeration = enumerate(space, setting, options.stop);
  AttentionTables attention(enumeration, space, setting);
  tbb::enumerable_thread_specific<KnownTimes> known;
  const Shared shared{space, setting, options, enumeration, attention, known};
  const std::vector<Part> parts = parts_of(shared);
  SharedBars bars(Bars({.objective = options.objective,
                        .tpot_limit_ms = setting.tpot_limit / millisecond,
                        .chips = space.chips->size(),
                        .prices = options.other_prices != nullptr,
                        .limits = !options.limits.empty()}));
  Explored out(options.objective, space.chips->size());
  out.limits = no_limit_met(setting, options);
  out.candidates = candidates_of(shared.enumeration, options.shard);
  // Thrown on a thread of the search, it would end the others without their results.
  std::exception_ptr failure;
  std::atomic<bool> failed = false;
  const auto stopped = [&] { return failed || (options.stop != nullptr && options.stop->load()); };
  if (stopped()) out.complete = false;  // the enumeration itself may have been cut short
  const auto more = [&](size_t i) {
    if (i >= parts.size()) return false;
    if (!stopped()) return true;
    return out.complete = false;
  };
  Texts texts;
  const auto work = [&](size_t i) { return try_part(parts[i], shared, bars.now(), texts.take()); };
  std::atomic<bool> cut = false;
  const auto finish = [&](const std::unique_ptr<Tried>& tried) {
    if (failed) return;
    try {
      out.add(tried->trial.found);
      if (!tried->complete) cut = true;
      bars.raise(tried->trial.found);
      if (options.write) options.write(tried->trial.text);
      texts.give_back(std::move(tried->trial.text));
      if (options.tried) options.tried(out);
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
