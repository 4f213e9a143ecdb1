#pragma once
// Prompts alone: what working one off takes on a pool, part by part.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/prompts.hpp"
#include "study/deployment.hpp"

namespace afford::study {

struct PrefillRequest : Conditions {  // contexts: tokens of the prompts
  std::vector<ColocatedRequest> pools;
  std::int64_t cached = 0;  // tokens before each prompt whose cache is there
};

/// One prompt on each engine of a pool.
struct Prefill {
  std::string model, label, engine;  // "EP16", "sglang"
  std::string pool;                  // "h800:2x8"
  std::string fidelity;              // of its chip
  std::string prompts_from;          // "on h200 those of h100": curves lent by another; else ""
  double tokens = 0, cached = 0;
  std::int64_t gpus = 0, engines = 1;  // of the pool; those that work on prompts side by side
  PromptTime parts;
  TimeInterval interval;           // nine of ten measured times of the whole prompt
  Seconds launches;                // of its kernels and of the host between steps
  Bytes cache;                     // it leaves behind, its prefix included
  std::optional<Seconds> sending;  // of the cache, over the engine's NICs; none without NICs
  UsdRate price;                   // of the pool
  MemoryUse memory;                // of an accelerator, with a prompt on every engine

  [[nodiscard]] bool holds() const { return memory.total() <= memory.capacity; }

  [[nodiscard]] Seconds time() const { return parts.total() + launches; }
  [[nodiscard]] TokenRate tokens_per_gpu() const {
    return Tokens(tokens * real(engines)) / time() / real(gpus);
  }
  /// Of the new tokens; the cached ones are free.
  [[nodiscard]] UsdPerToken cost() const { return price * time() / Tokens(tokens * real(engines)); }
  /// The longest part: "products", "attention", "all-reduce", "passes" or "launches".
  [[nodiscard]] std::string_view bound() const;
};

struct Prefills {
  std::vector<Prefill> rows;
  std::vector<ModelSpec> models;
  std::vector<std::string> fidelities;  // fidelity_text() of each pool's chips, each once
  LeftOut left_out;                     // of "all"
  [[nodiscard]] bool all_hold() const;
};
/// Throws InputError or UsageError.
[[nodiscard]] Prefills prefills(const PrefillRequest& request);

}  // namespace afford::study
