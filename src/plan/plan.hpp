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
  double monthly_usd = 0;      // of each
  double peak_rate = 0;        // requests a second that each has at the peak
};

/// A whole plan, or why there is none.
struct Plan {
  std::vector<Rented> rented;              // that decode, and may work off prompts too
  std::vector<Rented> prompts;             // that work off prompts alone
  double monthly_usd = 0, prompt_usd = 0;  // the whole bill, and what of it prompts take
  double usd_per_mtok = 0;                 // the whole bill by output tokens
  std::int64_t gpus = 0, attention_gpus = 0, ffn_gpus = 0, prompt_gpus = 0, spare_instances = 0;
  std::int64_t mixed_gpus = 0;    // of attention_gpus: what works off prompts too
  double mixed_rate = 0;          // requests a second of the peak that those serve whole
  double prompt_utilisation = 0;  // as `utilisation`, of what works off prompts alone
  FirstToken first_token;         // at the peak; infinite where prompts queue without end
  double utilisation = 0;         // peak load over the capacity without headroom, spares included
  double requests_in_flight = 0, kv_bytes_at_peak = 0;
  Seconds tpot_mean, tpot_at_percentile;
  std::string binds;
  double gap = 0;
  std::string impossible;  // empty: there is a plan
};

/// What the carrying of each part is divided by: more than one where a replay shows that it is
/// less than thought.
struct Growth {
  double decode = 1, prompts = 1, mixed = 1;
  [[nodiscard]] bool any() const { return decode > 1 || prompts > 1 || mixed > 1; }
};

struct PlanInput {
  const Space* space = nullptr;
  const Setting* setting = nullptr;
  const Workload* workload = nullptr;
  std::vector<Offer> offers;  // of each chip of the space
  std::vector<PromptServer> prompt_servers;
};

/// Where prompts are worked off: on servers of their own, on those that decode, or both.
enum class PromptsOn { any, own, decoding };

/// Which deployments a plan may use, and for how much of what they are thought to carry.
struct Choice {
  bool afd = true;
  PromptsOn prompts = PromptsOn::any;
  std::optional<std::size_t> only_chip;
  Growth growth;
};

/// The best of `sized` that the choice allows.
[[nodiscard]] Plan make_plan(const std::vector<Sized>& sized, const PlanInput& input,
                             const Choice& choice);

inline constexpr double hours_a_month = 730;  // 365 x 24 / 12

}  // namespace afford
