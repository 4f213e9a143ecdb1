#pragma once
// What works off prompts: servers of their own, which send the caches on, or those that decode.

#include <vector>

#include "plan/workload.hpp"
#include "search/candidate.hpp"

namespace afford {

/// Time of a prompt by its length in tokens, cached ones included: `linear` a token, `square` a
/// token squared, and what any prompt takes.
struct PromptLaw {
  Seconds launches;
  double linear = 0, square = 0;  // seconds
  [[nodiscard]] Seconds of(double tokens) const {
    return launches + Seconds(linear * tokens + square * tokens * tokens);
  }
};

/// One engine, which works off one prompt after another: as many whole servers of one chip as hold
/// the model, experts spread over them, else every matrix sharded inside the one. Or an engine of a
/// deployment that decodes too.
struct PromptServer {
  size_t chip = 0;  // index among the chips of the space
  Colocated pool;   // a prompt on each of its engines
  std::int64_t gpus = 0;
  PromptLaw time;
  Seconds mean, deviation;    // of a prompt's time
  Seconds sending;            // of a cache of the mean prompt, and what else a first token takes
  double first_token = 0;     // PromptRates'
  double requests_per_s = 0;  // whose prompts it works off, headroom left free
};

/// Of each chip that has NICs to send caches the smallest that holds the model, in at most
/// space.max_gpus; none where the traffic has no prompts to work off. With a target for the TTFT,
/// larger ones too, as each prompt takes less on them, and only those that meet it.
///
/// The time of p tokens is a p + b p^2 and the time of the launches, a and b from prompt_time() of
/// the mean prompt and of twice that, behind the share of each that a cache holds.
[[nodiscard]] std::vector<PromptServer> prompt_servers(const Space& space, const Setting& setting,
                                                       const Workload& workload);

/// The time of prompts on each engine of a deployment that decodes.
[[nodiscard]] PromptServer prompts_on(const Colocated& pool, const Setting& setting,
                                      const Traffic& traffic);

/// The same with another law.
[[nodiscard]] PromptServer with_law(PromptServer server, const PromptLaw& law,
                                    const Traffic& traffic);

/// What a prompt waits for one of so many servers alike: Erlang's C, and half of 1 + cv^2 (Allen
/// and Cunneen's M/G/c). The time of those that wait is taken to be exponential.
struct Waiting {
  double share = 0;  // of prompts that wait at all
  Seconds mean;      // over all prompts; infinite where the servers do not keep up
};
/// `requests_per_s` of all servers together.
[[nodiscard]] Waiting waiting(const PromptServer& server, std::int64_t servers,
                              double requests_per_s);

/// The share of requests whose first token takes longer: waiting, the prompt, the sending of its
/// cache.
[[nodiscard]] double share_later(const PromptServer& server, const Waiting& waiting,
                                 const Traffic& traffic, Seconds limit);

/// Requests a second whose prompts a kind of server works off.
struct PromptShare {
  PromptServer server;
  Waiting waiting;
  double requests_per_s = 0;
};
/// From asking to the first token, of all of them.
struct FirstToken {
  Seconds mean, at_percentile;
};
[[nodiscard]] FirstToken first_token(const std::vector<PromptShare>& shares,
                                     const Workload& workload);

/// Servers alike, and the requests a second that they share.
struct SharedLoad {
  std::int64_t servers = 1;
  double requests_per_s = 0;
};
/// Whether first tokens meet the TTFT target, which there is.
[[nodiscard]] bool in_time(const PromptServer& server, const SharedLoad& load,
                           const Workload& workload);

}  // namespace afford
