#pragma once
// From a served point, as its publisher states it, to what ran: GPUs, sharding, requests, formats.
// Collections of measurements write parallelism in several ways; each way is one rule here.

#include <optional>
#include <string>

#include "spec/model.hpp"
#include "study/served_points.hpp"

namespace afford::study {

/// One server of an engine that decodes: tensor-parallel replicas of the attention over experts
/// that are sharded, spread, or both.
struct Worker {
  std::int64_t gpus = 1;
  std::int64_t tensor = 1;         // GPUs that share a replica of the attention
  std::int64_t expert_tensor = 1;  // ways an expert (or a dense FFN) is sharded
  std::int64_t expert_groups = 1;  // groups the experts are spread over
  double requests = 0;             // in flight on one replica

  [[nodiscard]] std::int64_t replicas() const { return gpus / tensor; }
};

/// The worker of a point; `moe`: its model has experts.
[[nodiscard]] Worker worker_of(const ServedPoint& point, bool moe);

/// Tokens a request holds on average while it is decoded: its prompt and half of its output.
[[nodiscard]] double mean_context(const ServedPoint& point);

/// The formats that `point` runs `model` in; the model's own where its checkpoint has a format of
/// its own. Nothing for a format it does not know.
[[nodiscard]] std::optional<Precision> served_precision(const ServedPoint& point,
                                                        const ModelSpec& model);

/// Why a point says nothing of the time of a decode step, or nothing said: "" where it does.
/// `worker`: that of the point.
[[nodiscard]] std::string why_not_usable(const ServedPoint& point, const Worker& worker);

}  // namespace afford::study
