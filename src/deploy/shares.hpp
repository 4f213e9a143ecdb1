#pragma once
// What one micro-batch of an AFD deployment looks like from either pool.

#include "deploy/evaluate.hpp"

namespace afford {

[[nodiscard]] inline double query_tokens(const Setting& setting) {
  return setting.speculation.drafts + 1;
}

struct Shares {
  double requests = 0;  // on the busiest attention accelerator (under `tensor`, instance), of the
                        // largest micro-batch
  double full = 1;      // share of the micro-batches with so many; the others have one less
  double requests_per_gpu = 0;      // rows of the LM head, where that is on the attention pool
  double tokens = 0;                // of the micro-batch: requests x query tokens
  double replicas = 1;              // of the whole set of experts
  double instances_in_replica = 1;  // FFN instances a token is sent to
  double replicas_in_instance = 1;
  double tokens_per_replica = 0;
  FfnSplit split;
  [[nodiscard]] double mean_requests() const { return requests - 1 + full; }
};
/// The split of its FFN pool, its default where none is given.
[[nodiscard]] FfnSplit split_of(const Disaggregated& deployment);
[[nodiscard]] Shares shares_of(const Disaggregated& deployment, const Setting& setting);
/// `shares` of micro-batches of so many requests instead. What an accelerator holds of the whole
/// batch it runs as evenly as can be: seven requests in two micro-batches are four and three.
[[nodiscard]] Shares with_requests(Shares shares, const Disaggregated& deployment, double requests,
                                   const Setting& setting);

/// Memory of a pool: its weights, and what each request of a micro-batch adds. `count` is how many
/// requests the fullest accelerator has of a micro-batch in the mean, `shares` over how many such
/// the micro-batch is spread.
struct PoolMemory {
  Bytes weights, cache_each, buffers_each, capacity, whole;
  double count = 0, shares = 1;
  [[nodiscard]] MemoryUse use() const {
    return {.weights = weights,
            .cache = count * cache_each,
            .buffers = count * buffers_each,
            .capacity = capacity,
            .whole = whole};
  }
  [[nodiscard]] std::int64_t largest_batch(int micro_batches) const;
};
[[nodiscard]] PoolMemory attention_memory(const Disaggregated& deployment, const Setting& setting,
                                          const Shares& shares, const HeldPart& held);
[[nodiscard]] PoolMemory ffn_memory(const Disaggregated& deployment, const Setting& setting,
                                    const Shares& shares, const HeldPart& held);

}  // namespace afford
