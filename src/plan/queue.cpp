#include "plan/queue.hpp"

#include <algorithm>
#include <cmath>

namespace afford {

Seconds StepCurve::at(double requests) const {
  const auto above = std::upper_bound(requests_.begin(), requests_.end(), requests);
  const auto last = std::ssize(requests_) - 1;
  const auto i =
      static_cast<size_t>(std::clamp<std::ptrdiff_t>(above - requests_.begin() - 1, 0, last - 1));
  if (requests <= requests_.front()) return steps_.front();
  const double along = (requests - requests_[i]) / (requests_[i + 1] - requests_[i]);
  return steps_[i] + along * (steps_[i + 1] - steps_[i]);
}

Queue::Queue(const StepCurve& curve, double most) : most_(most) {
  const auto n = static_cast<size_t>(2 * most) + 2;
  steps_.reserve(n);
  log_product_.reserve(n);
  double sum = 0;
  for (size_t i = 0; i < n; ++i) {
    const double step = curve.at(static_cast<double>(i)).base();
    if (i > 0) sum += std::log(step / static_cast<double>(i));
    steps_.push_back(step);
    log_product_.push_back(sum);
  }
}

InFlight Queue::in_flight(double load, double percentile) const {
  // Relative to the largest term; terms of less than e^-40 of it are left out.
  constexpr double least = -40;
  const double log_load = std::log(load);
  double peak = 0;
  for (size_t n = 0; n < log_product_.size(); ++n)
    peak = std::max(peak, static_cast<double>(n) * log_load + log_product_[n]);
  double total = 0, first = 0, square = 0, tokens = 0, beyond = 0, time = 0;
  std::vector<std::pair<size_t, double>> made;  // tokens a second at each n
  for (size_t n = 0; n < log_product_.size(); ++n) {
    const double real = static_cast<double>(n), exponent = real * log_load + log_product_[n] - peak;
    if (exponent < least) continue;
    const double p = std::exp(exponent), rate = p * real / steps_[n];
    total += p;
    first += p * real;
    square += p * real * real;
    tokens += rate;
    time += rate * steps_[n];
    if (real > most_) beyond += rate;
    made.emplace_back(n, rate);
  }
  InFlight out{
      .mean = first / total, .step_mean = Seconds(time / tokens), .share_beyond = beyond / tokens};
  out.variance = square / total - out.mean * out.mean;
  double seen = 0;
  for (const auto& [n, rate] : made) {
    seen += rate;
    out.at_percentile = static_cast<double>(n);
    out.step_at_percentile = Seconds(steps_[n]);
    if (seen >= percentile * tokens) break;
  }
  return out;
}

double Queue::capacity(double percentile) const {
  constexpr int halvings = 40;
  constexpr double precision = 1e-9;
  // At this load `most` requests are in balance; more can never be carried.
  double high = most_ / steps_[static_cast<size_t>(most_)], low = 0;
  for (int i = 0; i < halvings && high - low > precision * high; ++i) {
    const double middle = (low + high) / 2;
    (in_flight(middle, percentile).share_beyond <= 1 - percentile ? low : high) = middle;
  }
  return low;
}

}  // namespace afford
