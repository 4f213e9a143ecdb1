#pragma once
// What a deployment is to the requests it works off.

#include "deploy/prompts.hpp"
#include "deploy/simulate.hpp"
#include "replay/instance.hpp"
#include "replay/prompt_table.hpp"

namespace afford {

/// How requests are handed to what works them off.
struct ServerOptions {
  std::int64_t chunk = default_chunk;  // most tokens of prompts in a step
  std::int64_t most_in_flight = 0;     // requests of an instance; 0: as the memory allows
  bool cache_prefixes = false;
};

/// Engines of a co-located deployment, each with requests of its own; 1 of an AFD one.
[[nodiscard]] std::int64_t instances_of(const AnyDeployment& deployment);

/// One of them. Steps and memory are the deployment's evaluations at each batch and mean context;
/// chunks of prompts join the steps of a co-located engine for the time of prompt_parts(), and come
/// worked off to AFD pools. What `setting` points to must outlive it.
[[nodiscard]] Server server_of(const AnyDeployment& deployment, const Setting& setting,
                               const ServerOptions& options);

/// A pool that works on prompts alone, one after another on each instance, and sends the caches on.
struct PromptPool {
  std::int64_t instances = 1;
  ChunkTable prompts;
  Seconds overhead;      // of each prompt: its kernels' launches and the host
  PromptTable transfer;  // of the cache of a prompt
};
[[nodiscard]] PromptPool prompt_pool_of(const Colocated& deployment, const Setting& setting);

}  // namespace afford
