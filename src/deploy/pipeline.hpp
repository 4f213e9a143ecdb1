#pragma once
// Micro-batches going round attention, network and FFN, layer by layer: when does each token come
// out?

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "units.hpp"

namespace afford {

/// Time of each stage for one micro-batch in one layer.
struct StageTimes {
  Seconds attention, a2f, ffn, f2a;
  [[nodiscard]] Seconds sum() const { return attention + a2f + ffn + f2a; }
  [[nodiscard]] Seconds longest() const;
};

/// `layers` layers with the same stage times.
struct LayerRun {
  StageTimes stages;
  std::int64_t layers = 1;
};

/// What one micro-batch needs where they are not all alike.
struct MicroBatchLoad {
  std::span<const LayerRun> runs;  // the same layers as every other's
  Seconds head;
};

/// Each of the four stages serves one micro-batch at a time, in order; A->F and F->A are separate
/// (full duplex). After its last layer a micro-batch spends `head` more on the attention pool.
struct PipelineLoad {
  std::span<const LayerRun> runs;
  Seconds head;
  int micro_batches = 1;
  std::span<const MicroBatchLoad> uneven = {};  // one for each micro-batch; empty: all alike
};

/// Steady-state time of a step, exact for layers all alike: with C = max(M * longest, sum) a layer
/// takes C, and the heads delay the step as far as slack and the other micro-batches allow. For
/// layer kinds that differ it adds up the runs, which leaves out what the changes between them cost
/// or save: an estimate, where simulate_pipeline() is exact. Uneven micro-batches are left to that
/// as well.
[[nodiscard]] Seconds step_time(const PipelineLoad& load);

/// One stage working on one micro-batch.
struct PipelineEvent {
  int micro_batch = 0, stage = 0;  // stage 0 attention, 1 A->F, 2 FFN, 3 F->A
  std::int64_t layer = 0;
  bool head = false;
  Seconds start, end;
};

/// Randomness of the event simulation.
struct Jitter {
  double sigma = 0;  // of the logarithm of each service time; mean kept
  std::int64_t attention_instances = 1,
               ffn_instances = 1;  // a stage ends with its slowest instance
  std::uint64_t seed = 1;
};

struct PipelineResult {
  Seconds mean, p50, p99;  // of the time between a micro-batch's tokens
  double busy[4] = {};     // share of the time each stage works
  double bubble = 0;       // share of the busiest pool's time (attention or FFN) left idle
  std::vector<PipelineEvent> events;  // of the last step, when asked for
};

/// Runs `steps` steps after a warm-up long enough to forget the start.
[[nodiscard]] PipelineResult simulate_pipeline(const PipelineLoad& load, const Jitter& jitter,
                                               int steps, bool keep_events = false);

}  // namespace afford
