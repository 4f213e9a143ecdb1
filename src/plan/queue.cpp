#include "plan/queue.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace afford {
namespace {

/// Terms of less than e^-40 of the largest are left out.
constexpr double least = -40;

/// Where a share that rises with the load passes a limit: both sides of it by false position, so
/// that of the loads asked about only those between them need a look of their own.
template <class Share>
class Crossing {
 public:
  Crossing(Share share, double limit, double most) : share_(share), limit_(limit), high_(most) {
    constexpr int looks = 12;
    constexpr double close = 1e-10;
    double over = excess(most);
    if (!(over > 0)) {
      low_ = most;
      return;
    }
    double under = -over;  // of no load at all, taken for a guess
    int same = 0;          // looks in a row that ended on one side; then the other counts half
    for (int i = 0; i < looks && high_ - low_ > close * high_; ++i) {
      const double at = low_ + (high_ - low_) * (under / (under - over));
      const double now = excess(at);
      if (now <= 0) {
        low_ = at, under = std::max(now, -most_excess);
        same = std::max(0, same) + 1;
        if (same > 1) over /= 2;
      } else {
        high_ = at, over = now;
        same = std::min(0, same) - 1;
        if (same < -1) under /= 2;
      }
    }
  }

  /// Whether the share is within the limit at this load.
  [[nodiscard]] bool is_below(double load) {
    if (load <= low_) return true;
    if (load >= high_) return false;
    const bool below = share_(load) <= limit_;
    (below ? low_ : high_) = load;
    return below;
  }

 private:
  static constexpr double most_excess = 40;  // of a share that is nothing
  /// Above zero where the share is beyond the limit. Logarithms of tails are nearly straight.
  [[nodiscard]] double excess(double load) const {
    const double share = share_(load), log_ratio = std::log(share / limit_);
    return share <= limit_ ? std::min(0.0, log_ratio)
                           : std::max(std::numeric_limits<double>::min(), log_ratio);
  }

  Share share_;
  double limit_, low_ = 0, high_;
};

}  // namespace

Seconds StepCurve::along(size_t i, double requests) const {
  if (requests <= requests_.front()) return steps_.front();
  const double along = (requests - requests_[i]) / (requests_[i + 1] - requests_[i]);
  return steps_[i] + along * (steps_[i + 1] - steps_[i]);
}

Seconds StepCurve::at(double requests) const {
  const auto above = std::upper_bound(requests_.begin(), requests_.end(), requests);
  const auto last = std::ssize(requests_) - 1;
  const auto segment = std::clamp<std::ptrdiff_t>(above - requests_.begin() - 1, 0, last - 1);
  return along(static_cast<size_t>(segment), requests);
}

std::vector<Seconds> StepCurve::up_to(size_t end) const {
  std::vector<Seconds> steps;
  steps.reserve(end);
  size_t segment = 0;
  for (size_t i = 0; i < end; ++i) {
    const auto requests = static_cast<double>(i);
    while (segment + 2 < requests_.size() && requests_[segment + 1] <= requests) ++segment;
    steps.push_back(along(segment, requests));
  }
  return steps;
}

Queue::Queue(const StepCurve& curve, double most) : most_(most) {
  bool one_peak = true;  // a step never grows faster than its requests
  for (const Seconds step : curve.up_to(static_cast<size_t>(2 * most) + 2)) {
    const auto requests = static_cast<double>(steps_.size());
    const double each = step.base() / std::max(1.0, requests);
    if (requests > 1 && each > each_.back()) one_peak = false;
    steps_.push_back(step.base());
    each_.push_back(each);
    tokens_.push_back(requests / step.base());
  }
  if (one_peak) return;
  double sum = 0;
  for (size_t i = 0; i < each_.size(); ++i)
    log_product_.push_back(sum += i > 0 ? std::log(each_[i]) : 0);
}

template <class Visit>
void Queue::around_the_peak(double load, const Visit& visit) const {
  const auto falls = std::partition_point(each_.begin() + 1, each_.end(),
                                          [&](double each) { return load * each > 1; });
  const auto peak = static_cast<size_t>(falls - each_.begin()) - 1;
  const double smallest = std::exp(least), rarer = 1 / load;
  size_t n = peak;
  double p = 1;
  while (n > 0 && p >= smallest) p *= tokens_[n--] * rarer;
  if (p < smallest) p *= load * each_[++n];
  while (n < each_.size() && (p >= smallest || n <= peak)) {
    visit(n, p);
    if (++n < each_.size()) p *= load * each_[n];
  }
}

template <class Visit>
void Queue::of_all(double load, const Visit& visit) const {
  const double log_load = std::log(load);
  const auto exponent = [&](size_t n) {
    return static_cast<double>(n) * log_load + log_product_[n];
  };
  double peak = 0;
  for (size_t n = 0; n < each_.size(); ++n) peak = std::max(peak, exponent(n));
  for (size_t n = 0; n < each_.size(); ++n) {
    const double relative = exponent(n) - peak;
    if (relative >= least) visit(n, std::exp(relative));
  }
}

template <class Visit>
void Queue::for_each_likely(double load, const Visit& visit) const {
  if (log_product_.empty()) {
    around_the_peak(load, visit);
  } else {
    of_all(load, visit);
  }
}

InFlight Queue::in_flight(double load, double percentile) const {
  double total = 0, first = 0, square = 0, tokens = 0, beyond = 0, time = 0;
  std::vector<std::pair<size_t, double>> made;  // tokens a second at each n
  for_each_likely(load, [&](size_t n, double p) {
    const double real = static_cast<double>(n), rate = p * tokens_[n];
    total += p;
    first += p * real;
    square += p * real * real;
    tokens += rate;
    time += rate * steps_[n];
    if (real > most_) beyond += rate;
    made.emplace_back(n, rate);
  });
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

double Queue::share_beyond(double load) const {
  double tokens = 0, beyond = 0;
  for_each_likely(load, [&](size_t n, double p) {
    const double rate = p * tokens_[n];
    tokens += rate;
    if (static_cast<double>(n) > most_) beyond += rate;
  });
  return beyond / tokens;
}

double Queue::capacity(double percentile) const {
  constexpr int halvings = 40;
  constexpr double precision = 1e-9;
  // At this load `most` requests are in balance; more can never be carried.
  double high = most_ / steps_[static_cast<size_t>(most_)], low = 0;
  Crossing crossing([&](double load) { return share_beyond(load); }, 1 - percentile, high);
  for (int i = 0; i < halvings && high - low > precision * high; ++i) {
    const double middle = (low + high) / 2;
    (crossing.is_below(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace afford
