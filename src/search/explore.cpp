#include "search/explore.hpp"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "count/decode.hpp"
#include "search/family.hpp"
#include "search/parallel.hpp"
#include "search/parts.hpp"
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
  tried->trial.ring = shared.rings.ring(part.ring);
  tried->trial.text = std::move(text);
  tried->trial.found.limits = no_limit_met(shared.setting, options);
  const Unit& first = shared.enumeration.units[part.units.front()];
  if (!is_afd(first)) {
    try_colocated(tried->trial, first);
  } else if (by_arrays(shared.space, shared.setting, options)) {
    tried->trial.ffn_times = shared.left.take(part.family);
    tried->complete = try_family(tried->trial, part.units);
    LeftTimes::Times times = std::exchange(tried->trial.ffn_times, {});
    if (options.bounds.several() || options.ffn_times != nullptr)
      shared.left.leave(part.family, std::move(times));
  } else {
    try_disaggregated(tried->trial, first,
                      part.pools.value_or(all_pools(shared.enumeration, first)));
  }
  tried->trial.found.rivals.tidy();
  for_each_afd(part, shared.enumeration,
               [&](const Unit& unit) { shared.attention.done_with(unit); });
  return tried;
}

/// What is found, space within space: once the last part of a ring is there, all of its space is.
class Growing {
 public:
  Growing(Explored& out, const std::vector<Part>& parts, const Bounds& bounds)
      : out_(out), parts_(parts), rings_(bounds.several() ? bounds.rings() : 0) {}
  /// The parts come in their order.
  void add(const Found& found) {
    if (rings_ > 0) close(parts_[added_].ring);
    ++added_;
    out_.add(found);
  }
  void close() { close(rings_); }

 private:
  /// The rings before one.
  void close(size_t ring) {
    if (out_.within.size() >= ring) return;
    out_.rivals.tidy();
    out_.within.resize(ring, std::make_shared<const Found>(out_));
  }

  Explored& out_;
  const std::vector<Part>& parts_;
  size_t rings_, added_ = 0;
};

Explored explore_here(const Space& space, const Setting& setting, const ExploreOptions& options) {
  const Enumeration enumeration = enumerate(space, setting, options.stop);
  AttentionTables attention(enumeration, space, setting);
  tbb::enumerable_thread_specific<KnownTimes> known;
  LeftTimes own;
  LeftTimes& left = options.ffn_times != nullptr ? *options.ffn_times : own;
  const Bounds rings = rings_of(space, setting, options);
  const Shared shared{space, setting, options, enumeration, attention, rings, known, left};
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
  Growing growing(out, parts, options.bounds);
  std::atomic<bool> cut = false;
  const auto finish = [&](const std::unique_ptr<Tried>& tried) {
    if (failed) return;
    try {
      growing.add(tried->trial.found);
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
  out.rivals.tidy();
  growing.close();
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
