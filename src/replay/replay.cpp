#include "replay/replay.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace afford {
namespace {

constexpr Seconds end_of_time{std::numeric_limits<double>::infinity()};

/// Instances with what becomes of their requests.
class Replay {
 public:
  Replay(Server& server, std::int64_t instances, PromptPool* prefill, const ReplayLoad& load)
      : load_(load),
        prefill_(prefill),
        instances_(static_cast<size_t>(instances), Instance(server, out_.series)) {
    if (prefill_ != nullptr) free_.resize(static_cast<size_t>(prefill_->instances));
  }

  void open(const RequestSource& source) {
    while (std::optional<Request> request = source()) {
      const Seconds now(request->arrival_s);
      Instance& instance = choose(now);
      send(instance, std::move(*request), now);
    }
    for (Instance& instance : instances_) advance(instance, end_of_time);
  }

  /// A client stays with its instance, which is the least loaded when its request has ended.
  void closed(const RequestSource& source, std::int64_t concurrency) {
    for (std::int64_t i = 0; i < concurrency; ++i) {
      const auto at = static_cast<size_t>(i) % instances_.size();
      if (!send_next(instances_[at], source, Seconds(0))) break;
    }
    while (Instance* instance = earliest()) {
      done_.clear();
      instance->step(end_of_time, done_);
      for (const Outcome& outcome : done_) {
        record(outcome);
        (void)send_next(*instance, source, outcome.end);
      }
    }
  }

  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  [[nodiscard]] Replayed result() {
    for (const Instance& instance : instances_) out_.usage.add(instance.usage());
    return std::move(out_);
  }

 private:
  void advance(Instance& instance, Seconds until) {
    done_.clear();
    while (instance.step(until, done_)) {
      for (const Outcome& outcome : done_) record(outcome);
      done_.clear();
    }
  }

  Instance& choose(Seconds now) {
    if (load_.routing == RequestRouting::round_robin) {
      Instance& instance = instances_[turn_++ % instances_.size()];
      advance(instance, now);
      return instance;
    }
    for (Instance& instance : instances_) advance(instance, now);
    return *std::min_element(
        instances_.begin(), instances_.end(),
        [](const Instance& a, const Instance& b) { return a.outstanding() < b.outstanding(); });
  }

  Instance* earliest() {
    Instance* first = nullptr;
    for (Instance& instance : instances_) {
      if (instance.outstanding() == 0) continue;
      if (first == nullptr || instance.now() < first->now()) first = &instance;
    }
    return first;
  }

  /// The next of the source that can be served.
  bool send_next(Instance& instance, const RequestSource& source, Seconds now) {
    while (std::optional<Request> request = source()) {
      if (send(instance, std::move(*request), now)) return true;
    }
    return false;
  }

  bool send(Instance& instance, Request request, Seconds now) {
    if (asked_++ == 0) out_.begin = now;
    out_.end = std::max(out_.end, now);
    Arrival arrival{.at = now,
                    .asked = now,
                    .prompt = request.prompt_tokens,
                    .output = request.output_tokens,
                    .known = std::llround(load_.prefix_hit_rate * real(request.prompt_tokens)),
                    .blocks = std::move(request.blocks),
                    .begun = now,
                    .first_token = now};
    if (!instance.fits(arrival)) {
      ++out_.too_long;
      return false;
    }
    if (prefill_ != nullptr) work_off_prompt(arrival);
    instance.accept(std::move(arrival));
    return true;
  }

  /// By the prompt server that is free first.
  void work_off_prompt(Arrival& arrival) {
    Seconds& free = *std::min_element(free_.begin(), free_.end());
    arrival.begun = std::max(free, arrival.asked);
    const double prompt = real(arrival.prompt),
                 known = real(std::min(arrival.known, arrival.prompt - 1));
    free = arrival.begun + prefill_->overhead + prefill_->prompts.up_to(prompt) -
           prefill_->prompts.up_to(known);
    arrival.first_token = free;
    arrival.at = free + prefill_->transfer.up_to(prompt);
  }

  void record(const Outcome& o) {
    ++out_.requests;
    out_.end = std::max(out_.end, o.end);
    out_.first_token.add((o.first_token - o.asked).base());
    out_.whole.add((o.end - o.asked).base());
    out_.waited.add((o.begun - o.asked).base());
    if (o.output > 1) out_.token.add(((o.end - o.first_token) / real(o.output - 1)).base());
    out_.prompt_tokens += real(o.prompt);
    out_.cached_tokens += real(o.cached);
    out_.output_tokens += real(o.output);
  }

  Replayed out_;  // before the instances, which write into it
  ReplayLoad load_;
  PromptPool* prefill_;
  std::vector<Instance> instances_;
  std::vector<Seconds> free_;  // when each prompt server is
  size_t turn_ = 0, asked_ = 0;
  std::vector<Outcome> done_;
};

}  // namespace

Replayed replay(Server& server, std::int64_t instances, PromptPool* prefill,
                const RequestSource& source, const ReplayLoad& load) {
  Replay run(server, instances, prefill, load);
  if (load.concurrency) {
    run.closed(source, *load.concurrency);
  } else {
    run.open(source);
  }
  return run.result();
}

}  // namespace afford
