#pragma once
// What works off prompts beside the servers that decode, and sends them the caches.

#include <vector>

#include "plan/workload.hpp"
#include "search/candidate.hpp"

namespace afford {

/// As many whole servers of one chip as hold the model: experts spread over them, else every matrix
/// sharded inside the one. It works off one prompt after another.
struct PromptServer {
  size_t chip = 0;  // index among the chips of the space
  std::int64_t gpus = 0;
  Seconds mean, deviation;    // of a prompt's time on it
  Seconds sending;            // of a cache of the mean prompt
  double requests_per_s = 0;  // whose prompts it works off, headroom left free
};

/// One of each chip that has NICs to send caches and holds the model in at most space.max_gpus;
/// none where the traffic has no prompts to work off.
///
/// The time of p tokens of which a cache holds the share h is a (1 - h) p + b (1 - h^2) p^2 and the
/// time of the launches, a and b from prompt_time() of the mean prompt and of twice that.
[[nodiscard]] std::vector<PromptServer> prompt_servers(const Space& space, const Setting& setting,
                                                       const Workload& workload);

/// Mean time a prompt waits for one of `servers` alike, at `requests_per_s` in all: Erlang's C and
/// half of 1 + cv^2 (Allen and Cunneen's M/G/c). Infinite where they do not keep up.
[[nodiscard]] Seconds mean_wait(const PromptServer& server, std::int64_t servers,
                                double requests_per_s);

}  // namespace afford
