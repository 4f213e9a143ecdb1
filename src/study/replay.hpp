#pragma once
// Deployments under requests as they arrive.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replay/replay.hpp"
#include "study/deployment.hpp"

namespace afford::study {

struct ReplayRequest : DeploymentRequest {
  std::string file;                         // a trace, or a workload (.yaml)
  std::vector<double> rates;                // requests a second, Poisson; or
  std::vector<std::int64_t> concurrencies;  // closed loops; neither: as the file has them
  std::int64_t requests = 0;                // the first so many; 0: all, or 10000 drawn
  std::int64_t copies = 1;                  // of the deployment, which share the requests
  std::optional<std::int64_t> chunk;        // most tokens of prompts in a step; nothing: 8192
  std::optional<double> prefix_hit_rate;    // nothing: as the trace's blocks say
  RequestRouting routing = RequestRouting::round_robin;
  std::optional<ColocatedRequest> prefill;  // works on prompts alone
  std::optional<std::int64_t> seed;         // of arrivals and lengths that are drawn
};

/// How requests come.
struct ReplayArrivals {
  std::optional<double> rate;               // Poisson
  std::optional<std::int64_t> concurrency;  // a closed loop; neither: the file's own
};

/// A deployment under one load.
struct ReplayRow {
  std::string model, label, chips_text, engine, fidelity;
  bool afd = false;
  ReplayArrivals arrivals;
  std::int64_t instances = 1, gpus = 0, prefill_gpus = 0;
  UsdRate price, prefill_price;  // of all of them
  Seconds tpot_limit;
  Replayed replayed;

  [[nodiscard]] std::int64_t all_gpus() const { return gpus + prefill_gpus; }
  /// What the time from the first request to the last token costs.
  [[nodiscard]] Usd bill() const { return (price + prefill_price) * replayed.span(); }
  /// Of it for prompts: their own pool, or their share of the time at work.
  [[nodiscard]] Usd prompt_bill() const;
};

struct Replays {
  std::string name;       // of the trace or workload
  std::string traffic;    // what it has
  bool prefixes = false;  // blocks of prompts are followed
  std::vector<ReplayRow> rows;

  /// Every row has requests, and served them all: none was too large for the memory.
  [[nodiscard]] bool all_served() const;
};
/// Hears now and then how many requests have been asked, over all rows, and how many there will be;
/// 0: a trace does not say.
using ReplayProgress = std::function<void(std::uint64_t done, std::uint64_t all)>;

/// `ended` follows the requests of a single row. Throws InputError or UsageError.
[[nodiscard]] Replays replays(const ReplayRequest& request, const ReplayProgress& progress = {},
                              const RequestEnded& ended = {});

}  // namespace afford::study
