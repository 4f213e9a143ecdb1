#pragma once
// Requests that a search serves whole, their prompts included, and what may work those off.

#include <cstdint>
#include <optional>
#include <vector>

#include "deploy/evaluate.hpp"

namespace afford {

/// A pool that works off one prompt after another, for deployments that decode.
struct PrefillPool {
  Colocated pool;  // one engine
  std::uint32_t chip = 0;
  Seconds time, sending;  // of a prompt with what it takes besides its kernels; of its cache
};

/// Prompts and outputs of so many tokens each.
struct WholeRequests {
  double prompt = 0, output = 0;
  double hit_rate = 0;  // share of a prompt's tokens that a cache of prefixes holds
  std::optional<Seconds> ttft_limit;
  std::vector<PrefillPool> pools;

  [[nodiscard]] double cached() const { return hit_rate * prompt; }
};

/// The smallest pools of whole servers that hold the model, each twice the one before, at most
/// `most` of them: one engine each, experts spread over it, else every matrix sharded in the one
/// server.
[[nodiscard]] std::vector<Colocated> prompt_pools(const HardwareSpec& chip, std::int64_t max_gpus,
                                                  const Setting& setting, size_t most);

/// Where more than the smallest pool is tried, as each prompt takes less on a larger one.
inline constexpr size_t pools_for_ttft = 4;

/// Such a pool with the time of the requests' prompts. The chip has NICs to send caches.
[[nodiscard]] PrefillPool timed(const Colocated& pool, const Setting& setting,
                                const WholeRequests& requests);

}  // namespace afford
