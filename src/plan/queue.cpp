#include "plan/queue.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace afford {
namespace {

/// Terms of less than e^-40 of the largest are left out.
constexpr double least = -40;

/// The first from `from` to before `to` that passes a test which all behind it pass, else `to`.
template <class Test>
size_t first_that(size_t from, size_t to, const Test& passes) {
  while (from < to) {
    const size_t middle = from + (to - from) / 2;
    if (passes(middle)) {
      to = middle;
    } else {
      from = middle + 1;
    }
  }
  return from;
}

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
  log_growth_.reserve(n);
  log_product_.reserve(n);
  double sum = 0;
  for (size_t i = 0; i < n; ++i) {
    const double step = curve.at(static_cast<double>(i)).base();
    const double growth = i > 0 ? std::log(step / static_cast<double>(i)) : 0;
    if (i > 1 && growth > log_growth_.back()) one_peak_ = false;
    steps_.push_back(step);
    log_growth_.push_back(growth);
    log_product_.push_back(sum += growth);
  }
}

double Queue::exponent(size_t requests, double log_load) const {
  return static_cast<double>(requests) * log_load + log_product_[requests];
}

Queue::Window Queue::window(double log_load) const {
  // Where probabilities rise to one peak and fall, both ends are found by bisection; else any
  // number may count.
  Window all{.first = 0, .end = log_product_.size(), .peak = 0};
  const auto highest = [&](size_t first, size_t end) {
    double peak = 0;
    for (size_t n = first; n < end; ++n) peak = std::max(peak, exponent(n, log_load));
    return peak;
  };
  if (!one_peak_) {
    all.peak = highest(0, all.end);
    return all;
  }
  const auto falls = std::partition_point(log_growth_.begin() + 1, log_growth_.end(),
                                          [&](double growth) { return growth + log_load > 0; });
  const auto top = static_cast<size_t>(falls - log_growth_.begin()) - 1;
  constexpr size_t rounding = 16;  // next to the peak the sums' last digits may decide
  all.peak = highest(top - std::min(top, rounding), std::min(top + rounding, all.end));
  const auto matters = [&](size_t n) { return exponent(n, log_load) - all.peak >= least; };
  all.first = first_that(0, top, matters);
  all.end = first_that(top, all.end, [&](size_t n) { return !matters(n); });
  return all;
}

template <class Visit>
void Queue::for_each_likely(double load, const Visit& visit) const {
  const double log_load = std::log(load);
  const Window likely = window(log_load);
  for (size_t n = likely.first; n < likely.end; ++n) {
    const double relative = exponent(n, log_load) - likely.peak;
    if (!(relative < least)) visit(n, std::exp(relative));
  }
}

InFlight Queue::in_flight(double load, double percentile) const {
  double total = 0, first = 0, square = 0, tokens = 0, beyond = 0, time = 0;
  std::vector<std::pair<size_t, double>> made;  // tokens a second at each n
  for_each_likely(load, [&](size_t n, double p) {
    const double real = static_cast<double>(n), rate = p * real / steps_[n];
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
    const double real = static_cast<double>(n), rate = p * real / steps_[n];
    tokens += rate;
    if (real > most_) beyond += rate;
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
