#pragma once
// A plan under the requests it is made for, one by one: whether it meets its own targets, and what
// more it takes where it does not.

#include "plan/plan.hpp"
#include "replay/replay.hpp"

namespace afford::study {

/// What the requests of the peak hours saw, those of a workload's laws at random (Poisson) or of a
/// trace's densest part as they came, at the rate of the peak.
struct PlanReplay {
  std::int64_t requests = 0;
  bool trace = false;                     // arrivals are a trace's own
  Seconds tpot, first_token;              // at the target's percentile: of tokens, of requests
  double in_flight_of_tokens = 0;         // requests; this share of the tokens see no more
  bool tpot_met = true, ttft_met = true;  // ttft_met: also where there is no target
  std::int64_t too_long = 0;              // requests that do not fit the memory alone
  Growth missing;                         // above one for the parts that miss a target

  [[nodiscard]] bool meets() const { return tpot_met && ttft_met; }
};

/// `plan` is possible and points into `input`.
[[nodiscard]] PlanReplay replay_of(const Plan& plan, const PlanInput& input);

/// The best plan whose replay meets the targets, and the replay.
struct TriedPlan {
  Plan plan;
  std::optional<PlanReplay> replay;  // nothing where no plan is possible
  int tried = 0;                     // plans that were replayed
  double first_usd = 0;              // a month, of the first of them
  /// Of a trace: the requests that PlanReplay::in_flight_of_tokens would count if none waited and
  /// each token took the target's time, whatever is rented.
  double in_flight_at_once = 0;
};
/// Where a replay misses a target, what misses it is taken to carry less, by as much as it is too
/// slow, 5 to 50 %, again and again. Where a thousandth of what was thought would still miss it, or
/// the inventory ends, the answer is the first plan, with its replay.
[[nodiscard]] TriedPlan plan_that_meets(const std::vector<Sized>& sized, const PlanInput& input,
                                        Choice choice);

}  // namespace afford::study
