#pragma once
// What fits the memory: the requests and tokens that a deployment holds at each context, and the
// smallest cluster of each chip that holds a model with a load.

#include <memory>
#include <string>
#include <vector>

#include "study/deployment.hpp"

namespace afford::study {

struct FitRequest : DeploymentRequest {  // of a deployment where it has one, else of the chips
  std::vector<std::string> chips;
  std::int64_t requests = 1;    // in flight at each context
  std::int64_t max_gpus = 128;  // of a cluster
};

/// The fullest accelerator of a pool when as many requests are in flight as fit; of one without
/// room for a request, with that one.
struct PoolFit {
  std::string name;  // "attention", "FFN"; "all" where everything is on one pool
  std::string pool;  // "h200:2x8"
  const HardwareSpec* chip = nullptr;
  MemoryUse use;
  /// What the engine leaves alone.
  [[nodiscard]] Bytes kept_back() const { return use.whole - use.capacity; }
};

/// One deployment or cluster at one context.
struct Fit {
  std::string model, label;
  double context = 0;
  std::int64_t gpus = 0, requests = 0;
  double tokens = 0;       // of cache, beside the weights and the buffers of those requests
  std::string engine;      // whose rule fills the memory
  Bytes cache_of_token{};  // of one request on its replica, all accelerators that share it
  std::vector<PoolFit> pools;
  std::string reason{};  // why it does not hold the load, or why the next smaller does not
  bool holds = false;
};

struct Fits {
  std::vector<Fit> rows;
  std::vector<std::shared_ptr<const std::vector<HardwareSpec>>> chips;  // of the pools
  std::vector<ModelSpec> models;
  LeftOut left_out;  // of "all"
  [[nodiscard]] bool all_hold() const;
};

/// Throws InputError or UsageError.
[[nodiscard]] Fits fits(const FitRequest& request);

}  // namespace afford::study
