#include "records/replay_trace.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "records/replay.hpp"

namespace afford {

ReplayTrace::ReplayTrace(std::function<void(std::string_view)> write) : write_(std::move(write)) {
  write_("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
}

void ReplayTrace::event(std::string_view text) {
  write_(first_ ? "\n" : ",\n");
  write_(text);
  first_ = false;
}

/// The one that was free last, so that few are needed; a new one where none is.
std::size_t ReplayTrace::track_of(const Outcome& outcome, std::size_t instance) {
  while (busy_until_.size() <= instance) {
    const std::size_t next = busy_until_.size();
    busy_until_.emplace_back();
    event(fmt::format(
        R"({{"name":"process_name","ph":"M","pid":{0},"args":{{"name":"instance {0}"}}}})", next));
  }
  std::vector<Seconds>& tracks = busy_until_[instance];
  std::size_t best = tracks.size();
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    if (tracks[i] <= outcome.asked && (best == tracks.size() || tracks[i] > tracks[best])) best = i;
  }
  if (best == tracks.size()) tracks.emplace_back();
  tracks[best] = outcome.end;
  return best;
}

void ReplayTrace::slice(const Outcome& outcome, std::size_t instance, std::size_t track,
                        const Slice& part) {
  if (!(part.end > part.begin)) return;
  event(fmt::format(R"({{"name":"{}","ph":"X","pid":{},"tid":{},"ts":{:.3f},"dur":{:.3f},)"
                    R"("args":{{"prompt_tokens":{},"cached_tokens":{},"output_tokens":{}}}}})",
                    part.name, instance, track, part.begin / microsecond,
                    (part.end - part.begin) / microsecond, outcome.prompt, outcome.cached,
                    outcome.output));
}

void ReplayTrace::add(const Outcome& outcome, std::size_t instance) {
  const std::size_t track = track_of(outcome, instance);
  slice(outcome, instance, track, {"waits", outcome.asked, outcome.begun});
  slice(outcome, instance, track, {"prompt", outcome.begun, outcome.first_token});
  slice(outcome, instance, track, {"decode", outcome.first_token, outcome.end});
}

void ReplayTrace::finish(const study::ReplayRow& row) {
  const std::size_t fleet = busy_until_.size();  // a process of its own, behind the instances
  event(fmt::format(
      R"({{"name":"process_name","ph":"M","pid":{},"args":{{"name":"all instances"}}}})", fleet));
  for (const LoadAt& each : loads_over_time(row)) {
    const double at = (row.replayed.series.origin() + each.begin) / microsecond;
    const auto counter = [&](std::string_view name, double value) {
      event(
          fmt::format(R"({{"name":"{}","ph":"C","pid":{},"ts":{:.3f},"args":{{"value":{:.6g}}}}})",
                      name, fleet, at, value));
    };
    counter("in flight", each.load.in_flight);
    counter("waiting", each.load.waiting);
    counter("memory for caches, %", 100 * each.load.memory / static_cast<double>(row.instances));
    counter("tokens/s", each.load.tokens);
  }
  write_("\n]}\n");
}

}  // namespace afford
