#pragma once
// What one deployment carries of a workload: sizes every one the search finds for the traffic.

#include <map>
#include <optional>
#include <string_view>
#include <vector>

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

/// Every shape the search found that can carry any of the workload, sized.
[[nodiscard]] std::vector<Sized> size_all(const std::map<Shape, Candidate>& shapes,
                                          const Space& space, const Setting& setting,
                                          const Workload& workload);

}  // namespace afford
