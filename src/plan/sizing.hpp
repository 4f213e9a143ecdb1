#pragma once
// What one deployment carries of a workload: sizes every one the search finds for the traffic.

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "plan/prompt_servers.hpp"
#include "plan/queue.hpp"
#include "plan/workload.hpp"
#include "search/explore.hpp"

namespace afford {

/// What prompts that are worked off by the engines that decode add to their steps, on average.
struct Interruptions {
  double engines = 1;         // that share the requests in flight
  double prompts = 0;         // that join a step for each request in flight
  Seconds kernels, launches;  // of each prompt; of each step that any joins

  /// With so many requests in flight on all engines; prompts come independently of one another.
  [[nodiscard]] Seconds of(double requests) const;
};

/// A deployment sized for a request mix. Requests are placed evenly over the instance.
struct Sized {
  Candidate candidate;
  std::optional<PromptServer> prompts;  // each of its engines, where they work off prompts too
  Interruptions interruptions;          // none where they come worked off
  double most =
      0;  // requests that may be in flight: memory and TPOT allow more than `most` to no one
  std::string_view limit;     // what sets it: "TPOT", "TTFT", "attention memory", "FFN memory"
  double requests_per_s = 0;  // one carries at the percentile, headroom left free
  InFlight at_capacity;       // at that rate
};

/// The evaluation of a candidate with `requests` in flight, which need not divide evenly.
[[nodiscard]] Evaluation with_in_flight(const Candidate& candidate, double requests,
                                        const Space& space, const Setting& setting);

/// Its step with so many requests in flight, prompts included.
[[nodiscard]] Seconds step_of(const Sized& sized, double requests, const Space& space,
                              const Setting& setting);

/// Step time over the requests in flight, up to twice `most`.
[[nodiscard]] StepCurve step_curve(const Sized& sized, const Space& space, const Setting& setting);

/// Requests of the mix that fit where `even` requests of the mean context do: the contexts of those
/// in flight add up to more at the percentile.
[[nodiscard]] double fitting(double even, const StationaryMix& mix, double percentile);

/// A candidate that decodes what comes worked off, or whose engines work off prompts too: the
/// co-located ones, where the traffic has any.
[[nodiscard]] Sized decoding(const Candidate& candidate);
[[nodiscard]] std::optional<Sized> mixed(const Candidate& candidate, const Space& space,
                                         const Setting& setting, const Traffic& traffic);

/// An engine of it as first tokens see it, which come in steps that decode too: a prompt has its
/// part of the steps and launches that its chunks share with others, and waits for half of the step
/// at hand and for a whole one.
[[nodiscard]] PromptServer beside_decoding(const Sized& sized, Seconds step,
                                           const Traffic& traffic);

/// Accelerators of each chip, and whether there are none more of any than of others.
[[nodiscard]] std::vector<double> use_of(const Candidate& candidate, size_t chips);
[[nodiscard]] bool no_more_than(const std::vector<double>& use, const std::vector<double>& other);

/// The shapes the search found, with how much of the workload they carry; co-located ones a second
/// time with prompts on them. The setting's context is the mix's. Left out is what not even one
/// request fits, what has first tokens too late where prompts are on it, and what another carries
/// more than with no more accelerators, so that no plan would take it.
[[nodiscard]] std::vector<Sized> size_all(const std::map<Shape, Candidate>& shapes,
                                          const Space& space, const Setting& setting,
                                          const Workload& workload);

}  // namespace afford
