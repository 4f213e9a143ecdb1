#pragma once
// The parts of a co-located evaluation: what one micro-batch is, how long a layer of it takes, and
// what each accelerator must hold.

#include <array>

#include "deploy/evaluate.hpp"

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
  /// It keeps the addresses.
  BatchLayers(const Colocated& deployment, const Setting& setting, const MicroBatch& batch)
      : deployment_(deployment), setting_(setting), batch_(batch), attention_(*setting.model) {}
  [[nodiscard]] LayerTimes of(size_t kind);

 private:
  const Colocated& deployment_;
  const Setting& setting_;
  MicroBatch batch_;
  AttentionTimes attention_;
};
/// Of one kind alone.
[[nodiscard]] inline LayerTimes layer_times(const Colocated& deployment, const Setting& setting,
                                            size_t kind, const MicroBatch& batch) {
  return BatchLayers(deployment, setting, batch).of(kind);
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

}  // namespace afford
