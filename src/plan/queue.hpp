#pragma once
// How many requests decode at a moment on one instance of a deployment, and how fast.

#include <vector>

#include "units.hpp"

namespace afford {

/// Step time over the requests in flight, linear between the points and beyond the last.
class StepCurve {
 public:
  /// `requests` ascending, at least two points.
  StepCurve(std::vector<double> requests, std::vector<Seconds> steps)
      : requests_(std::move(requests)), steps_(std::move(steps)) {}
  [[nodiscard]] Seconds at(double requests) const;
  /// at(0), at(1), .. to before `end`.
  [[nodiscard]] std::vector<Seconds> up_to(size_t end) const;

 private:
  [[nodiscard]] Seconds along(size_t segment, double requests) const;

  std::vector<double> requests_;
  std::vector<Seconds> steps_;
};

/// Requests arrive at random (Poisson) and all that are there share the steps. Whatever the
/// lengths, the number in flight then has P(n) ~ load^n * product over i <= n of step(i) / i, where
/// load = arrivals a second x steps of a request (a symmetric queue with state-dependent rate;
/// Kelly, Reversibility and Stochastic Networks, 1979, Section 3.3). Its mean obeys Little's law
/// with the time each request really stays.
struct InFlight {
  double mean = 0, variance = 0;
  double at_percentile = 0;  // requests in flight at the given percentile of the tokens
  Seconds step_mean, step_at_percentile;  // as tokens see them
  double share_beyond = 0;                // of tokens made while more than `most` are in flight
};

class Queue {
 public:
  /// `most`: requests that may be in flight. The distribution is followed to twice as many.
  Queue(const StepCurve& curve, double most);

  /// `load` in requests: arrivals a second x steps of a request x 1 s. `percentile` 0 to 1.
  [[nodiscard]] InFlight in_flight(double load_steps_per_s, double percentile) const;

  /// The largest load with at most 1 - `percentile` of tokens beyond `most`.
  [[nodiscard]] double capacity(double percentile) const;

 private:
  /// visit(n, P(n) / P at the peak), ascending.
  template <class Visit>
  void for_each_likely(double load, const Visit& visit) const;
  template <class Visit>
  void around_the_peak(double load, const Visit& visit) const;
  template <class Visit>
  void of_all(double load, const Visit& visit) const;
  [[nodiscard]] double share_beyond(double load) const;

  double most_;
  std::vector<double> steps_;        // seconds, of 0, 1, 2 ... requests (0 unused)
  std::vector<double> each_;         // seconds of a request: step(i) / i (0 unused)
  std::vector<double> tokens_;       // a second: i / step(i)
  std::vector<double> log_product_;  // of step(1) / 1 to step(i) / i; none where P has one peak
};

}  // namespace afford
