#pragma once
// Which deployments a search tries: pools, splits, batches and micro-batches, in a fixed order.

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "deploy/simulate.hpp"
#include "search/frontier.hpp"

namespace afford {

/// AFD, everything on one pool with experts spread over it, or with every matrix sharded.
enum class Way { disaggregated, expert_parallel, tensor_parallel };
inline constexpr std::pair<std::string_view, Way> way_names[] = {
    {"afd", Way::disaggregated}, {"ep", Way::expert_parallel}, {"tp", Way::tensor_parallel}};
[[nodiscard]] constexpr std::string_view name_of(Way way) {
  return way_names[static_cast<int>(way)].first;
}

/// Which splits of an FFN pool are tried: every one, tensor parallel in each instance with
/// instances as replicas, experts over every accelerator, or one given.
enum class FfnChoice { any, tensor, expert, exact };

/// The bounds of a search. Counts are accelerators unless said otherwise.
struct Space {
  const std::vector<HardwareSpec>* chips = nullptr;
  std::vector<std::int64_t> inventory;       // of each chip; empty: no limit
  std::int64_t max_gpus = 128;               // of a deployment
  std::vector<std::int64_t> instance_sizes;  // of AFD pools; empty: the chip's whole server
  std::vector<int> micro_batches{2, 3, 4};
  std::vector<int> colocated_micro_batches{1, 2};
  std::vector<AttentionSplit> attention_splits{AttentionSplit::shared_output};
  FfnChoice ffn_choice = FfnChoice::any;
  FfnSplit ffn_split;  // FfnChoice::exact
  std::vector<Way> ways{Way::disaggregated, Way::expert_parallel, Way::tensor_parallel};
  int batch_steps = 16;  // batches in each octave: 1 to 32 one by one, then 34, 36 ... 64, 68 ...
};

/// A deployment in few bytes. Chips are indices into Space::chips; `ffn` is unused when co-located.
struct Candidate : Scored {
  struct Side {
    std::uint32_t chip = 0, instances = 0, accelerators = 0;
  };
  Way way = Way::disaggregated;
  Side attention, ffn;
  AttentionSplit attention_split = AttentionSplit::shared_output;
  std::uint32_t tensor = 0, expert = 0;  // of the FFN; co-located: ways of TP
  int micro_batches = 0;
  std::int64_t batch = 0;  // AFD: in all; co-located: an accelerator
};
[[nodiscard]] Disaggregated disaggregated(const Candidate& candidate, const Space& space);
[[nodiscard]] Colocated colocated(const Candidate& candidate, const Space& space);
[[nodiscard]] AnyDeployment deployment_of(const Candidate& candidate, const Space& space);
[[nodiscard]] Evaluation evaluate(const Candidate& candidate, const Space& space,
                                  const Setting& setting);
[[nodiscard]] Goals goals_of(const Evaluation& evaluation);

/// "3A2F", "EP32", "TP8".
[[nodiscard]] std::string label(const Candidate& candidate);

/// An attention pool of AFD. Its micro-batch is a whole number of requests on each of its `units`:
/// the accelerators or, under tensor parallelism, the instances.
struct AttentionPool {
  Candidate::Side side;
  AttentionSplit split = AttentionSplit::shared_output;
  std::int64_t units = 1;
  size_t shape = 0;  // index among the (chip, accelerators, split) that occur
};

/// What one worker tries at a time: every attention pool against one FFN pool and split, or one
/// co-located pool. `first` is the number of its first candidate.
struct Unit {
  Way way = Way::disaggregated;
  Candidate::Side side;  // the FFN pool, or the co-located one
  FfnSplit split;        // co-located: tensor ways
  std::uint64_t first = 0, count = 0;
};

/// The whole order of a search for one model at one context.
struct Enumeration {
  std::vector<AttentionPool> attention;  // by units
  size_t shapes = 0;
  std::vector<Unit> units;
  std::vector<std::int64_t> batches;         // requests on a unit of attention, ascending
  std::vector<std::int64_t> tensor_batches;  // the same under tensor-parallel attention
  std::uint64_t candidates = 0;
};
/// Empty from when `stop` is set: large spaces take a while to lay out.
[[nodiscard]] Enumeration enumerate(const Space& space, const Setting& setting,
                                    const std::atomic<bool>* stop = nullptr);

/// Whether both pools stay within the bounds.
[[nodiscard]] bool within(const Space& space, const Candidate::Side& attention,
                          const Candidate::Side& ffn);

/// "tp8ep2", "ep32", "tp8".
[[nodiscard]] std::string parallelism(const Candidate& candidate);

/// Every split of a pool that simulate accepts: experts sharded `tensor` ways inside an instance
/// and split over `expert` groups, the rest replicas.
[[nodiscard]] std::vector<FfnSplit> splits_of(std::int64_t instances, std::int64_t accelerators,
                                              std::int64_t experts);

/// The routed experts of a model's largest MoE layer; 0: dense.
[[nodiscard]] std::int64_t most_experts(const ModelSpec& model);

}  // namespace afford
