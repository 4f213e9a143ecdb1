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

 private:
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
  /// The numbers in flight whose probability counts, from `first` to before `end`, and the
  /// logarithm of the largest, P(0) being one.
  struct Window {
    size_t first = 0, end = 0;
    double peak = 0;
  };
  [[nodiscard]] Window window(double log_load) const;
  [[nodiscard]] double exponent(size_t requests, double log_load) const;
  template <class Visit>
  void for_each_likely(double load, const Visit& visit) const;
  [[nodiscard]] double share_beyond(double load) const;

  double most_;
  bool one_peak_ = true;             // a step never grows faster than its requests
  std::vector<double> steps_;        // seconds, of 0, 1, 2 ... requests (0 unused)
  std::vector<double> log_growth_;   // of step(i) / i
  std::vector<double> log_product_;  // of step(1) / 1 to step(i) / i
};

}  // namespace afford
