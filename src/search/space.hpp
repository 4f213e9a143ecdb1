#pragma once
// Which deployments a search tries: pools, splits, batches and micro-batches, in a fixed order.

#include <atomic>
#include <cstdint>
#include <vector>

#include "search/candidate.hpp"

namespace afford {

/// An attention pool of AFD. Its micro-batch is a whole number of requests on each of its `units`:
/// the accelerators or, under tensor parallelism, the instances.
struct AttentionPool {
  Candidate::Side side;
  AttentionSplit split = AttentionSplit::shared_output;
  Boundary boundary = Boundary::attention;
  std::int64_t units = 1;
  size_t shape = 0;  // index among the (chip, accelerators, split, boundary) that occur
};

/// What one worker tries at a time: every attention pool against one FFN pool and split, or one
/// co-located pool. `first` is the number of its first candidate.
struct Unit {
  Way way = Way::disaggregated;
  Candidate::Side side;  // the FFN pool, or the co-located one
  FfnSplit split;        // co-located: tensor ways; mixed: of the experts
  std::int64_t attention_tensor = 0, context_ways = 1, stages = 0;  // mixed
  bool projects = true;  // AFD: the heads divide by the split, so projections can stand beside it
  std::uint64_t first = 0, count = 0;
};

/// Whether two instances of the chips go together within the bounds; else no AFD is tried.
[[nodiscard]] bool has_pools(const Space& space);

/// Whether the two pools go together and stay within the bounds.
[[nodiscard]] bool pair_up(const Space& space, const AttentionPool& attention, const Unit& ffn);

/// The first candidate of a co-located unit, its batch and micro-batches left out.
[[nodiscard]] Candidate first_of(const Unit& unit);

/// The micro-batches a co-located unit tries: so many on each pipeline stage.
[[nodiscard]] int micro_batches_of(const Unit& unit, int on_each_stage);

/// The whole order of a search for one model at one context.
struct Enumeration {
  std::vector<AttentionPool> attention;  // by units
  size_t shapes = 0;
  std::vector<Unit> units;
  std::vector<std::int64_t> batches;         // requests on a unit of attention, ascending
  std::vector<std::int64_t> tensor_batches;  // the same under tensor-parallel attention
  std::vector<std::int64_t> mixed_batches;   // requests on an attention replica of a mixed layout
  std::uint64_t candidates = 0;

  /// Those of an attention pool.
  [[nodiscard]] const std::vector<std::int64_t>& batches_of(AttentionSplit split) const {
    return split == AttentionSplit::tensor ? tensor_batches : batches;
  }
  /// Those of a co-located way.
  [[nodiscard]] const std::vector<std::int64_t>& batches_of(Way way) const {
    return way == Way::mixed ? mixed_batches : batches;
  }
};
/// Those that a unit of AFD tries with an attention pool.
[[nodiscard]] std::uint64_t deployments_of(const Enumeration& enumeration, const Space& space,
                                           const AttentionPool& pool, const Unit& ffn);

/// Empty from when `stop` is set: large spaces take a while to lay out.
[[nodiscard]] Enumeration enumerate(const Space& space, const Setting& setting,
                                    const std::atomic<bool>* stop = nullptr);

/// Every split of a pool that simulate accepts: experts sharded `tensor` ways inside an instance
/// and split over `expert` groups, the rest replicas.
[[nodiscard]] std::vector<FfnSplit> splits_of(std::int64_t instances, std::int64_t accelerators,
                                              std::int64_t experts);

}  // namespace afford
