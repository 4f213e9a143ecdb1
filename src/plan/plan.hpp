#pragma once
// From a workload to what to rent: sizes every deployment the search finds for the traffic, then
// picks whole numbers of them.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/fleet.hpp"
#include "plan/queue.hpp"
#include "plan/workload.hpp"
#include "search/explore.hpp"

namespace afford {

/// A deployment sized for a request mix. Requests are placed evenly over the instance.
struct Sized {
  Candidate candidate;
  double most =
      0;  // requests that may be in flight: memory and TPOT allow more than `most` to no one
  std::string_view limit;     // what sets `most`: "TPOT", "attention memory", "FFN memory"
  double requests_per_s = 0;  // one carries at the percentile, headroom left free
  InFlight at_capacity;       // at that rate
};

/// The evaluation of a candidate with `requests` in flight, which need not divide evenly.
[[nodiscard]] Evaluation with_in_flight(const Candidate& candidate, double requests,
                                        const Space& space, const Setting& setting);

/// Step time over the requests in flight, up to twice `most`.
[[nodiscard]] StepCurve step_curve(const Candidate& candidate, double most, const Space& space,
                                   const Setting& setting);

/// Requests of the mix that fit where `even` requests of the mean context do: the contexts of those
/// in flight add up to more at the percentile.
[[nodiscard]] double fitting(double even, const StationaryMix& mix, double percentile);

/// The standard normal quantile.
[[nodiscard]] double normal_quantile(double probability);

/// The setting's context is the mix's. Nothing when not even one request fits.
[[nodiscard]] std::optional<Sized> size_for(const Candidate& candidate, const Space& space,
                                            const Setting& setting, const Traffic& traffic,
                                            const Target& target);

/// One line of a plan: so many of a deployment under a contract.
struct Rented {
  const Sized* sized = nullptr;
  Contract contract;
  bool all_day = true;
  std::int64_t instances = 0;  // spares included
};

/// A whole plan, or why there is none.
struct Plan {
  std::vector<Rented> rented;
  double monthly_usd = 0, usd_per_mtok = 0;
  std::int64_t gpus = 0, attention_gpus = 0, ffn_gpus = 0, spare_instances = 0;
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
};

/// Which deployments a plan may use.
struct Choice {
  bool afd = true;
  std::optional<std::size_t> only_chip;
};

/// The best of `sized` that the choice allows.
[[nodiscard]] Plan make_plan(const std::vector<Sized>& sized, const PlanInput& input,
                             const Choice& choice);

/// Every shape the search found, sized, less those that another carries more than with no more of
/// any chip.
[[nodiscard]] std::vector<Sized> size_all(const std::map<Shape, Candidate>& shapes,
                                          const PlanInput& input);

inline constexpr double hours_a_month = 730;  // 365 x 24 / 12

}  // namespace afford
