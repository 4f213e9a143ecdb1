#pragma once
// One server ("worker") of a serving engine that decodes one batch: tensor-parallel replicas of the
// attention over experts that are sharded, spread, or both. No micro-batches overlap.

#include "layer/ffn_side.hpp"

namespace afford {

struct Worker {
  std::int64_t gpus = 1;
  std::int64_t tensor = 1;         // GPUs that share a replica of the attention
  std::int64_t expert_tensor = 1;  // ways an expert (or a dense FFN) is sharded
  std::int64_t expert_groups = 1;  // groups the experts are spread over
  double requests = 0;             // in flight on one replica

  [[nodiscard]] std::int64_t replicas() const { return gpus / tensor; }
};

/// What a decode step consists of.
struct WorkerStep {
  Seconds products, experts, core;  // at their roofs (or curves), times the engine's factors
  Seconds launches;                 // of all kernels, whatever they do
  Seconds collectives;              // all-reduces, or dispatch and combine
  Seconds head;                     // embedding, LM head, sampling
  Seconds between;                  // host time from one step to the next
  [[nodiscard]] Seconds total() const {
    return products + experts + core + launches + collectives + head + between;
  }
};

/// What runs on it. `placement`: that of `routing` over the worker's expert groups; a dense model
/// wants neither.
struct WorkerSetting {
  const ModelSpec* model = nullptr;
  const std::vector<LayerShape>* shapes = nullptr;  // of the model
  const HardwareSpec* chip = nullptr;
  double context = 0;       // tokens of a request
  double query_tokens = 1;  // of a request in a step: drafts + 1
  const Routing* routing = nullptr;
  const Placement* placement = nullptr;
};

[[nodiscard]] WorkerStep worker_step(const Worker& worker, const WorkerSetting& setting,
                                     const Engine& engine);

/// Kernels that an engine launches in one layer.
[[nodiscard]] double launched_kernels(const LayerShape& shape, const Precision& precision,
                                      const EngineTime& time);

}  // namespace afford
