#include "plan/lengths.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace afford {
namespace {

double normal_below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

/// Sums over all steps: how many, of the context, and of its square, in expectation for a request.
struct StepSums {
  double steps = 0, context = 0, square = 0;
};

StationaryMix mix_of(const StepSums& sums, double requests) {
  const double mean = sums.context / sums.steps;
  return {.output_tokens = sums.steps / requests,
          .context = mean,
          .context_variance = std::max(0.0, sums.square / sums.steps - mean * mean)};
}

/// A quantile function at the middles of equal shares.
std::vector<double> at_middles(auto quantile) {
  constexpr int count = 400;  // of them four are beyond the 99th percentile
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(quantile((i + 0.5) / count));
  return values;
}

}  // namespace

Moments fixed_length(double tokens) { return {tokens, tokens * tokens, tokens * tokens * tokens}; }

Moments uniform_length(double least, double most) {
  // Discrete uniform around its middle: variance (n^2 - 1) / 12, no third central moment.
  const double middle = (least + most) / 2, n = most - least + 1, variance = (n * n - 1) / 12;
  return {middle, middle * middle + variance, middle * middle * middle + 3 * middle * variance};
}

Moments lognormal_length(double mean, double cv, double most) {
  const double sigma2 = std::log(1 + cv * cv), sigma = std::sqrt(sigma2),
               mu = std::log(mean) - sigma2 / 2;
  const bool clipped = std::isfinite(most);
  if (sigma == 0) return fixed_length(clipped ? std::min(mean, most) : mean);
  // E[min(X, m)^k] = e^(k mu + k^2 sigma^2 / 2) P(Z < (ln m - mu) / sigma - k sigma) + m^k P(X >
  // m).
  const double edge =
      clipped ? (std::log(most) - mu) / sigma : std::numeric_limits<double>::infinity();
  const auto moment = [&](double k) {
    const double whole = std::exp(k * mu + k * k * sigma2 / 2);
    return clipped
               ? whole * normal_below(edge - k * sigma) + std::pow(most, k) * normal_below(-edge)
               : whole;
  };
  return {moment(1), moment(2), moment(3)};
}

Moments geometric_length(double mean) {
  const double p = 1 / mean, q = 1 - p;
  return {mean, (2 - p) / (p * p), (q * q + 4 * q + 1) / (p * p * p)};
}

double normal_quantile(double probability) {
  double low = -10, high = 10;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (normal_below(middle) < probability ? low : high) = middle;
  }
  return low;
}

double quantile(const LengthLaw& law, double share) {
  switch (law.kind) {
    case LengthLaw::Kind::fixed:
      return law.mean;
    case LengthLaw::Kind::uniform:
      return std::floor(law.least + share * (law.most - law.least + 1));
    case LengthLaw::Kind::geometric:
      return law.mean > 1 ? std::ceil(std::log1p(-share) / std::log1p(-1 / law.mean)) : 1;
    case LengthLaw::Kind::lognormal:
      break;
  }
  const double variance = std::log(1 + law.cv * law.cv);
  const double tokens =
      std::exp(std::log(law.mean) - variance / 2 + std::sqrt(variance) * normal_quantile(share));
  return law.most > 0 ? std::min(tokens, law.most) : tokens;
}

std::vector<double> equally_likely(const LengthLaw& law) {
  return at_middles([&](double share) { return quantile(law, share); });
}

std::vector<double> equally_likely(const Histogram& lengths) {
  return at_middles([&](double share) { return lengths.quantile(share); });
}

StationaryMix mix_of(const Moments& p, const Moments& o) {
  // Sum of (p+j) and (p+j)^2 over j = 0 .. o-1.
  return mix_of(StepSums{.steps = o.first,
                         .context = o.first * p.first + (o.second - o.first) / 2,
                         .square = o.first * p.second + p.first * (o.second - o.first) +
                                   (2 * o.third - 3 * o.second + o.first) / 6},
                1);
}

void MixOfTrace::add(const Request& request) {
  const double p = static_cast<double>(request.prompt_tokens),
               o = static_cast<double>(request.output_tokens);
  requests_ += 1;
  steps_ += o;
  context_ += o * p + o * (o - 1) / 2;
  square_ += o * p * p + p * o * (o - 1) + (o - 1) * o * (2 * o - 1) / 6;
}

StationaryMix MixOfTrace::mix() const {
  return mix_of(StepSums{.steps = steps_, .context = context_, .square = square_}, requests_);
}

}  // namespace afford
