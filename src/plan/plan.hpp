#pragma once
// From deployments sized for a workload to what to rent: whole numbers of them.

#include <optional>
#include <string>
#include <vector>

#include "plan/fleet.hpp"
#include "plan/prompt_servers.hpp"
#include "plan/sizing.hpp"

namespace afford {

/// One line of a plan: so many of a deployment, or of what works off prompts, under a contract.
struct Rented {
  const Sized* sized = nullptr;           // null: of prompts
  const PromptServer* prompts = nullptr;  // null: a deployment that decodes
  Contract contract;
  bool all_day = true;
  std::int64_t instances = 0;  // spares included
};

/// A whole plan, or why there is none.
struct Plan {
  std::vector<Rented> rented;              // that decode
  std::vector<Rented> prompts;             // that work off prompts
  double monthly_usd = 0, prompt_usd = 0;  // the whole bill, and what of it prompts take
  double usd_per_mtok = 0;                 // the whole bill by output tokens
  std::int64_t gpus = 0, attention_gpus = 0, ffn_gpus = 0, prompt_gpus = 0, spare_instances = 0;
  double prompt_utilisation = 0;  // as `utilisation`, of what works off prompts
  Seconds ttft;  // mean at the peak: waiting, the prompt, sending its cache; infinite without spare
  double utilisation = 0;  // peak load over the capacity without headroom, spares included
  double requests_in_flight = 0, kv_bytes_at_peak = 0;
  Seconds tpot_mean, tpot_at_percentile;
  std::string binds;
  double gap = 0;
  std::string impossible;  // empty: there is a plan
};

struct PlanInput {
  const Space* space = nullptr;
  const Setting* setting = nullptr;
  const Workload* workload = nullptr;
  std::vector<Offer> offers;  // of each chip of the space
  std::vector<PromptServer> prompt_servers;
};

/// Which deployments a plan may use.
struct Choice {
  bool afd = true;
  std::optional<std::size_t> only_chip;
};

/// The best of `sized` that the choice allows.
[[nodiscard]] Plan make_plan(const std::vector<Sized>& sized, const PlanInput& input,
                             const Choice& choice);

inline constexpr double hours_a_month = 730;  // 365 x 24 / 12

}  // namespace afford
