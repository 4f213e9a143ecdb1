#pragma once
// The attention side of one layer on one accelerator, as operations in order. Sizes are per
// accelerator unless said otherwise.

#include "layer/per_kind.hpp"
#include "layer/shape.hpp"
#include "layer/stage_plan.hpp"

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

/// Of one layer of each kind.
using KindTimes = PerKind<Seconds>;

/// attention_ops().time() of all kinds of layers of a model at one number of requests after
/// another. What one kind has in common with the one before is made once: all works are alike but
/// for partial results and router.
class AttentionPlan {
 public:
  /// It keeps the address of the model.
  explicit AttentionPlan(const ModelSpec& model) : model_(model) {}
  /// The next kind, whose address is kept. The requests of the work are not looked at.
  void add(const LayerShape& shape, const AttentionWork& work) {
    kinds_.push_back({&shape, work, {}, {}, {}});
  }
  /// The machine is the same every time.
  void times(double requests, const Machine& machine, KindTimes& times);

 private:
  struct Kind {
    const LayerShape* shape;
    AttentionWork work;
    PlannedStage combining, common, routing;
  };
  const ModelSpec& model_;
  std::vector<Kind> kinds_;
};

}  // namespace afford
