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
  Replay(const ReplayFleet& fleet, const ReplayLoad& load) : load_(load) {
    for (const ServerGroup& group : fleet.servers) {
      for (std::int64_t i = 0; i < group.instances; ++i) {
        instances_.emplace_back(*group.server, out_.series);
        shares_.push_back({.group = out_.groups.size(), .weight = group.weight});
      }
      out_.groups.emplace_back();
    }
    for (PromptPool* pool : fleet.prompts) {
      for (std::int64_t i = 0; i < pool->instances; ++i) prompt_servers_.push_back({{}, pool});
    }
  }

  void open(const RequestSource& source) {
    while (std::optional<Request> request = source()) {
      const Seconds now(request->arrival_s);
      send(choose(now), std::move(*request), now);
    }
    for (size_t i = 0; i < instances_.size(); ++i) advance(i, end_of_time);
  }

  /// A client stays with its instance, which is the least loaded when its request has ended.
  void closed(const RequestSource& source, std::int64_t concurrency) {
    for (std::int64_t i = 0; i < concurrency; ++i) {
      const auto at = static_cast<size_t>(i) % instances_.size();
      if (!send_next(at, source, Seconds(0))) break;
    }
    while (const std::optional<size_t> at = earliest()) {
      done_.clear();
      instances_[*at].step(end_of_time, done_);
      for (const Outcome& outcome : done_) {
        record(outcome, *at);
        (void)send_next(*at, source, outcome.end);
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
  /// What an instance has of the requests.
  struct Share {
    size_t group = 0;
    double weight = 1;
    double sent = 0;  // requests
  };
  struct PromptEngine {
    Seconds free;  // from when on
    PromptPool* pool = nullptr;
  };

  void advance(size_t at, Seconds until) {
    done_.clear();
    while (instances_[at].step(until, done_)) {
      for (const Outcome& outcome : done_) record(outcome, at);
      done_.clear();
    }
  }

  /// In turn, by weight: the one that the next request leaves furthest behind its share.
  size_t choose(Seconds now) {
    const auto behind = [](const Share& a, const Share& b) {
      return (a.sent + 1) / a.weight < (b.sent + 1) / b.weight;
    };
    size_t at = 0;
    if (load_.routing == RequestRouting::round_robin) {
      at = static_cast<size_t>(std::min_element(shares_.begin(), shares_.end(), behind) -
                               shares_.begin());
      advance(at, now);
    } else {
      for (size_t i = 0; i < instances_.size(); ++i) advance(i, now);
      for (size_t i = 1; i < instances_.size(); ++i) {
        if (load_of(i) < load_of(at)) at = i;
      }
    }
    shares_[at].sent += 1;
    return at;
  }

  [[nodiscard]] double load_of(size_t at) const {
    return real(instances_[at].outstanding()) / shares_[at].weight;
  }

  [[nodiscard]] std::optional<size_t> earliest() const {
    std::optional<size_t> first;
    for (size_t i = 0; i < instances_.size(); ++i) {
      if (instances_[i].outstanding() == 0) continue;
      if (!first || instances_[i].now() < instances_[*first].now()) first = i;
    }
    return first;
  }

  /// The next of the source that can be served.
  bool send_next(size_t at, const RequestSource& source, Seconds now) {
    while (std::optional<Request> request = source()) {
      if (send(at, std::move(*request), now)) return true;
    }
    return false;
  }

  bool send(size_t at, Request request, Seconds now) {
    Instance& instance = instances_[at];
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
    if (!instance.works_on_prompts() && !prompt_servers_.empty()) work_off_prompt(arrival);
    instance.accept(std::move(arrival));
    return true;
  }

  /// By the prompt server that is free first. The first token is seen where the others will be.
  void work_off_prompt(Arrival& arrival) {
    PromptEngine& engine = *std::min_element(
        prompt_servers_.begin(), prompt_servers_.end(),
        [](const PromptEngine& a, const PromptEngine& b) { return a.free < b.free; });
    PromptPool& pool = *engine.pool;
    arrival.begun = std::max(engine.free, arrival.asked);
    const double prompt = real(arrival.prompt),
                 known = real(std::min(arrival.known, arrival.prompt - 1));
    engine.free = arrival.begun + pool.overhead + pool.prompts.alone(prompt - known, known);
    arrival.at = arrival.first_token = engine.free + pool.transfer.up_to(prompt);
  }

  void record(const Outcome& o, size_t at) {
    if (load_.ended) load_.ended(o, at);
    GroupTimes& group = out_.groups[shares_[at].group];
    ++out_.requests;
    out_.end = std::max(out_.end, o.end);
    out_.first_token.add((o.first_token - o.asked).base());
    group.first_token.add((o.first_token - o.asked).base());
    out_.whole.add((o.end - o.asked).base());
    out_.waited.add((o.begun - o.asked).base());
    if (o.output > 1) {
      const double tokens = real(o.output - 1);
      const double each = ((o.end - o.first_token) / tokens).base();
      out_.token.add(each);
      group.token.add(each, tokens);
    }
    out_.prompt_tokens += real(o.prompt);
    out_.cached_tokens += real(o.cached);
    out_.output_tokens += real(o.output);
  }

  Replayed out_;  // before the instances, which write into it
  ReplayLoad load_;
  std::vector<Instance> instances_;
  std::vector<Share> shares_;  // of each
  std::vector<PromptEngine> prompt_servers_;
  size_t asked_ = 0;
  std::vector<Outcome> done_;
};

}  // namespace

GroupTimes Replayed::times() const {
  GroupTimes all;
  for (const GroupTimes& group : groups) {
    all.first_token.add(group.first_token);
    all.token.add(group.token);
  }
  return all;
}

double Replayed::in_flight_of_tokens(double share) const {
  std::vector<std::pair<double, double>> seen;  // requests in flight, tokens made
  double tokens = 0;
  for (size_t i = 0; i < series.size(); ++i) {
    const Load load = series.at(i);
    seen.emplace_back(load.in_flight, load.tokens);
    tokens += load.tokens;
  }
  std::sort(seen.begin(), seen.end());
  double so_far = 0;
  for (const auto& [in_flight, made] : seen) {
    so_far += made;
    if (so_far >= share * tokens) return in_flight;
  }
  return 0;
}

Replayed replay(const ReplayFleet& fleet, const RequestSource& source, const ReplayLoad& load) {
  Replay run(fleet, load);
  if (load.concurrency) {
    run.closed(source, *load.concurrency);
  } else {
    run.open(source);
  }
  return run.result();
}

Replayed replay(Server& server, std::int64_t instances, PromptPool* prefill,
                const RequestSource& source, const ReplayLoad& load) {
  ReplayFleet fleet{.servers = {{&server, instances}}, .prompts = {}};
  if (prefill != nullptr) fleet.prompts.push_back(prefill);
  return replay(fleet, source, load);
}

}  // namespace afford
