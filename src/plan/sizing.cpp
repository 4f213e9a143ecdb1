#include "plan/sizing.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>

namespace afford {
namespace {

/// The smallest batch a candidate can take: one request (on each accelerator when co-located).
std::int64_t grain(const Candidate& c) {
  return c.way == Way::disaggregated ? 1 : c.attention.size();
}

double in_flight_of(const Candidate& c) { return real(c.batch) * real(grain(c)); }

bool fits_in_memory(const Evaluation& e) {
  return e.verdict == Verdict::feasible || e.verdict == Verdict::slow;
}

/// The most requests in flight that pass the test, which small numbers do and large ones do not.
template <class Test>
double most_that(double low, double high, std::int64_t grain, Test passes) {
  if (passes(high)) return high;
  auto from = static_cast<std::int64_t>(low) / grain,
       to = static_cast<std::int64_t>(high) / grain + 1;
  while (to - from > 1) {
    const std::int64_t middle = from + (to - from) / 2;
    (passes(real(middle * grain)) ? from : to) = middle;
  }
  return real(from * grain);
}

}  // namespace

double normal_quantile(double probability) {
  double low = -10, high = 10;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < probability ? low : high) = middle;
  }
  return low;
}

Evaluation with_in_flight(const Candidate& candidate, double requests, const Space& space,
                          const Setting& setting) {
  Candidate c = candidate;
  c.batch = std::max<std::int64_t>(1, std::llround(requests / real(grain(c))));
  return evaluate(c, space, setting);
}

StepCurve step_curve(const Candidate& candidate, double most, const Space& space,
                     const Setting& setting) {
  constexpr int points = 48;
  const double first = real(grain(candidate)), last = std::max(2 * most, 2 * first);
  std::vector<double> requests;
  std::vector<Seconds> steps;
  for (int i = 0; i < points; ++i) {
    const double wanted = first * std::pow(last / first, i / (points - 1.0));
    const double at = std::max<double>(1, std::round(wanted / first)) * first;
    if (!requests.empty() && at <= requests.back()) continue;
    requests.push_back(at);
    steps.push_back(with_in_flight(candidate, at, space, setting).step);
  }
  return {std::move(requests), std::move(steps)};
}

double fitting(double even, const StationaryMix& mix, double percentile) {
  // n c + z sqrt(n v) = even c, solved for sqrt(n).
  const double z = normal_quantile(percentile),
               spread = z * std::sqrt(mix.context_variance) / mix.context;
  const double root = (-spread + std::sqrt(spread * spread + 4 * even)) / 2;
  return root * root;
}

std::optional<Sized> size_for(const Candidate& candidate, const Space& space,
                              const Setting& setting, const Traffic& traffic,
                              const Target& target) {
  Sized sized{.candidate = candidate};
  const std::int64_t each = grain(candidate);
  const auto at = [&](double n) { return with_in_flight(candidate, n, space, setting); };
  // By memory alone first, then the contexts' spread, then TPOT.
  constexpr double beyond = 4;
  const double start = in_flight_of(candidate);
  const double even =
      most_that(start, beyond * start, each, [&](double n) { return fits_in_memory(at(n)); });
  const double in_memory =
      std::floor(fitting(even, traffic.mix, target.percentile) / real(each)) * real(each);
  if (in_memory < real(each)) return std::nullopt;
  const auto fast = [&](double n) { return at(n).tpot <= target.tpot; };
  sized.most = fast(in_memory) ? in_memory : most_that(0, in_memory, each, fast);
  if (sized.most < real(each)) return std::nullopt;
  sized.limit = sized.most < in_memory                                 ? "TPOT"
                : at(even + real(each)).verdict == Verdict::ffn_memory ? "FFN memory"
                                                                       : "attention memory";
  const Queue queue(step_curve(candidate, sized.most, space, setting), sized.most);
  const double load = queue.capacity(target.percentile) * (1 - target.headroom);
  if (!(load > 0)) return std::nullopt;
  sized.at_capacity = queue.in_flight(load, target.percentile);
  sized.requests_per_s = load * tokens_per_step(setting.speculation) / traffic.mix.output_tokens;
  return sized;
}

std::vector<Sized> size_all(const std::map<Shape, Candidate>& shapes, const Space& space,
                            const Setting& setting, const Workload& workload) {
  std::vector<const Candidate*> list;
  for (const auto& [shape, candidate] : shapes) list.push_back(&candidate);
  std::vector<std::optional<Sized>> sized(list.size());
  tbb::parallel_for(size_t{0}, list.size(), [&](size_t i) {
    sized[i] = size_for(*list[i], space, setting, workload.traffic, workload.target);
  });
  std::vector<Sized> out;
  for (const std::optional<Sized>& one : sized) {
    if (one) out.push_back(*one);
  }
  return out;
}

}  // namespace afford
