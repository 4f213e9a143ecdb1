#pragma once
// The attention side of one layer on one accelerator, as operations in order. Sizes are per
// accelerator unless said otherwise.

#include <optional>

#include "kernels/machine.hpp"
#include "layer/shape.hpp"

namespace afford {

/// How the attention of an instance is spread over its accelerators.
enum class AttentionSplit {
  replicated,     // data parallel, every projection on every accelerator
  shared_output,  // data parallel, the output maps sharded over the instance (the report's system)
  tensor          // heads sharded, all-reduce at the end
};

/// How much of the attention side runs in one place: all of it or, where AFD is cut at the core,
/// the core with its cache on one side and everything around it on the other.
enum class AttentionScope { whole, core, around };

/// Which collectives hide behind other micro-batches' work. The report's system overlaps the
/// SM-free all-gather and runs the reduce-scatter in line with the GEMMs.
enum class Overlap { none, all_gather, all };

struct AttentionWork {
  double requests = 0;      // per accelerator; under `tensor` those of the whole instance
  double query_tokens = 1;  // per request: drafts + 1
  double context = 0;
  bool uneven = false;            // requests are of unequal length, `context` their mean
  std::int64_t instance = 1;      // accelerators
  std::int64_t context_ways = 1;  // of `tensor`: accelerators that share the tokens of a cache
  AttentionSplit split = AttentionSplit::replicated;
  Overlap overlap = Overlap::all_gather;
  double partial_results =
      0;                // FFN instances whose BF16 partial sums come back (0: none to combine)
  bool router = false;  // here, rather than with the experts
  AttentionScope scope = AttentionScope::whole;
};

/// One token's way to a core that stands apart, queries and the entries it adds to the cache, and
/// its results back; both BF16.
[[nodiscard]] Bytes to_core_bytes(const AttentionCount& attention);
[[nodiscard]] Bytes from_core_bytes(const AttentionCount& attention);

/// Norms, projections, core attention, output maps, router, packing and combine.
[[nodiscard]] OpList attention_ops(const ModelSpec& model, const LayerShape& shape,
                                   const AttentionWork& work, const Machine& machine);
/// attention_ops().time() of one kind of layer after another, without the lists. What one has in
/// common with the one before is not worked out again: all works are alike but for partial results
/// and router.
class AttentionTimes {
 public:
  explicit AttentionTimes(const ModelSpec& model) : model_(model) {}
  [[nodiscard]] Seconds of(const LayerShape& shape, const AttentionWork& work,
                           const Machine& machine);

 private:
  const ModelSpec& model_;
  std::optional<size_t> spec_;  // of LayerShape, that the times are of
  OpTimes common_;
};

/// Of one kind alone.
[[nodiscard]] Seconds attention_time(const ModelSpec& model, const LayerShape& shape,
                                     const AttentionWork& work, const Machine& machine);

}  // namespace afford
