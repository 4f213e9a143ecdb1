#pragma once
// Requests one by one through a deployment: how long each waits for its first token and for every
// further one, and what was there over time.

#include <functional>
#include <optional>
#include <vector>

#include "replay/server.hpp"
#include "traffic/arrivals.hpp"

namespace afford {

/// How requests find their instance: in turn, or the one with the fewest.
enum class RequestRouting { round_robin, least_loaded };

/// Hears of every request when it has ended, and where.
using RequestEnded = std::function<void(const Outcome& outcome, size_t instance)>;

struct ReplayLoad {
  /// Requests of a closed loop: each that ends is followed by the next of the source at once.
  /// Nothing: they come when the source says.
  std::optional<std::int64_t> concurrency;
  RequestRouting routing = RequestRouting::round_robin;
  /// Share of every prompt that is found in a cache, where blocks do not say.
  double prefix_hit_rate = 0;
  RequestEnded ended = {};
};

/// Equal instances. `weight`: what each has of the requests, against those of other groups.
struct ServerGroup {
  Server* server = nullptr;
  std::int64_t instances = 1;
  double weight = 1;
};

/// What serves requests together: servers, and pools that work off the prompts of those that do
/// not. Without pools such prompts come worked off.
struct ReplayFleet {
  std::vector<ServerGroup> servers;
  std::vector<PromptPool*> prompts;
};

/// What the requests of one group saw, in seconds.
struct GroupTimes {
  Histogram first_token;  // from asking to the first token
  Histogram token;        // a request's mean time from one token to the next; by token
};

/// What became of the requests. Times in seconds.
struct Replayed {
  std::int64_t requests = 0;  // done
  std::int64_t too_long = 0;  // alone they do not fit the memory
  Histogram first_token;      // from asking to the first token
  Histogram token;            // of a request: its mean time from one token to the next
  Histogram whole;            // from asking to the last token
  Histogram waited;           // from asking to the start of its prompt
  std::vector<GroupTimes> groups;
  double prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
  Seconds begin, end;  // the first request asked, the last one done
  Usage usage;         // of an instance
  TimeSeries series;   // all instances, from the first step on

  [[nodiscard]] Seconds span() const { return end - begin; }
  /// Requests in flight over all instances, and waiting, on average: by Little's law.
  [[nodiscard]] double in_flight() const { return (whole.sum() - waited.sum()) / span().base(); }
  [[nodiscard]] double waiting() const { return waited.sum() / span().base(); }
  /// Of all groups.
  [[nodiscard]] GroupTimes times() const;
  /// Requests in flight over all instances that this share of the tokens do not see exceeded.
  [[nodiscard]] double in_flight_of_tokens(double share) const;
};

/// Memory does not grow with the source, but with the requests that are there at a time.
[[nodiscard]] Replayed replay(const ReplayFleet& fleet, const RequestSource& source,
                              const ReplayLoad& load);

/// `instances` equal servers, with prompts worked off by a pool of their own if there is one.
[[nodiscard]] Replayed replay(Server& server, std::int64_t instances, PromptPool* prefill,
                              const RequestSource& source, const ReplayLoad& load);

}  // namespace afford
