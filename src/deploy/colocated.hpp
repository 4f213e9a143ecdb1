#pragma once
// The parts of a co-located evaluation: what one micro-batch is, how long a layer of it takes, and
// what each accelerator must hold.

#include <array>

#include "deploy/memory.hpp"

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
/// Of one micro-batch, kind by kind; what a kind has in common with the one before is made once.
class BatchLayers {
 public:
  /// It keeps the addresses. `machine`: the deployment's under the setting.
  BatchLayers(const Colocated& deployment, const Setting& setting, const Machine& machine,
              const MicroBatch& batch)
      : deployment_(deployment),
        setting_(setting),
        machine_(machine),
        batch_(batch),
        attention_(*setting.model) {}
  [[nodiscard]] LayerTimes of(size_t kind);

 private:
  const Colocated& deployment_;
  const Setting& setting_;
  const Machine& machine_;
  MicroBatch batch_;
  AttentionTimes attention_;
};
/// Accelerators of a deployment under a setting.
[[nodiscard]] inline Machine machine_of(const Colocated& deployment, const Setting& setting) {
  return Machine(*deployment.pool.chip, setting.engine, setting.residual);
}
/// Of one kind alone.
[[nodiscard]] inline LayerTimes layer_times(const Colocated& deployment, const Setting& setting,
                                            size_t kind, const MicroBatch& batch) {
  return BatchLayers(deployment, setting, machine_of(deployment, setting), batch).of(kind);
}

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
  [[nodiscard]] Evaluation at(std::int64_t batch) const;

 private:
  Colocated deployment_;
  const Setting& setting_;
  Machine machine_;
  ColocatedHeld held_;
  size_t main_kind_;
  double tokens_per_step_;
};

}  // namespace afford
