#pragma once
// The parts of a co-located evaluation: what one micro-batch is, how long a layer of it takes, and
// what each accelerator must hold.

#include <optional>
#include <vector>

#include "deploy/direct.hpp"
#include "deploy/memory.hpp"
#include "kernels/collective.hpp"
#include "layer/head.hpp"

namespace afford {

/// One micro-batch, in requests: of the busiest attention replica, and of its whole engine, whose
/// replicas share the experts.
struct MicroBatch {
  double requests = 0, engine_requests = 0;
};

/// The micro-batches of the busiest replica: `larger` of `count` have one request more.
struct MicroBatches {
  std::int64_t requests = 0;  // of the replica, over all micro-batches
  std::int64_t count = 1, larger = 0;
  MicroBatch large, small;  // the same where none is larger
};
[[nodiscard]] MicroBatches micro_batches_of(const Colocated& deployment);

/// Everything one accelerator does for one micro-batch in one layer.
struct LayerTimes {
  Seconds attention, shared, dispatch, experts, combine;
  bool exchanges = false;  // others' micro-batches may run while tokens travel
};
/// Accelerators of a deployment under a setting.
[[nodiscard]] inline Machine machine_of(const Colocated& deployment, const Setting& setting) {
  return Machine(*deployment.pool.chip, setting.engine, setting.residual);
}
/// A layer of each kind, worked out as far as it can be before it is known how many requests there
/// are: its times at one micro-batch after another.
class ColocatedLayers {
 public:
  /// It keeps the setting's address. The batch of the deployment is not looked at.
  ColocatedLayers(const Colocated& deployment, const Setting& setting);
  void times(const MicroBatch& batch, PerKind<LayerTimes>& times);
  [[nodiscard]] const Machine& machine() const { return machine_; }

 private:
  /// What of a kind does not depend on the batch. Plans are made when they are asked for: a search
  /// may know the times.
  struct Kind {
    std::optional<DirectLayout> direct;
    FfnTraffic traffic = FfnTraffic::none;
    bool exchanges = false, shared_apart = false;
    std::optional<FfnPlan> experts;
    std::optional<MlpsPlan> shared;
    TokenExchange dispatch, combine;
  };

  void attend(const MicroBatch& batch, KindTimes& times);
  [[nodiscard]] LayerTimes of(size_t kind, const MicroBatch& batch, Seconds attention);

  Colocated deployment_;
  const Setting& setting_;
  Machine machine_;
  AttentionPlan attention_;
  std::vector<Kind> kinds_;
};
/// Of one micro-batch in a layer of one kind.
[[nodiscard]] LayerTimes layer_times(const Colocated& deployment, const Setting& setting,
                                     size_t kind, const MicroBatch& batch);

/// Of one micro-batch's hidden states to the next pipeline stage.
[[nodiscard]] Seconds hop_time(const Colocated& deployment, const Setting& setting,
                               const MicroBatch& batch);

/// Share of the layers on the fullest pipeline stage.
[[nodiscard]] double fullest_stage(const Colocated& deployment, const ModelSpec& model);

/// Ways embedding and LM head are split: over the attention's accelerators where they are an
/// engine, else over a server of data-parallel ones.
[[nodiscard]] std::int64_t vocabulary_ways(const Colocated& deployment);

/// What the fullest accelerator holds, and the requests that would fill whole micro-batches.
struct ColocatedMemory {
  MemoryUse use;
  std::int64_t largest_batch = 0;
};
[[nodiscard]] ColocatedMemory colocated_memory(const Colocated& deployment, const Setting& setting);

/// Of this what does not depend on the batch. `cache`, `in_flight`, `at_work`: of each request of a
/// replica, the last of its micro-batch at work alone.
struct ColocatedHeld {
  Bytes weights, cache, in_flight, at_work;
  UsableMemory usable;
};
[[nodiscard]] ColocatedHeld colocated_held(const Colocated& deployment, const Setting& setting);
[[nodiscard]] ColocatedMemory colocated_memory(const ColocatedHeld& held,
                                               const Colocated& deployment,
                                               const MicroBatches& batches);

/// A pool with its layout at one batch after another. What evaluate() says of each, without making
/// anew what they have in common.
class ColocatedPool {
 public:
  /// It keeps the setting's address. The batch of the deployment is not looked at.
  ColocatedPool(const Colocated& deployment, const Setting& setting);
  /// From here on as so many micro-batches.
  void take_micro_batches(int micro_batches) { deployment_.micro_batches = micro_batches; }
  [[nodiscard]] Evaluation at(std::int64_t batch);

 private:
  Colocated deployment_;
  const Setting& setting_;
  ColocatedLayers layers_;
  HeadPlan head_;
  ColocatedHeld held_;
  size_t main_kind_;
  double tokens_per_step_;
};

}  // namespace afford
