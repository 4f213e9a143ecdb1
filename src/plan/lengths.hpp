#pragma once
// How long prompts and outputs are, and what the requests that are decoding at a moment look like:
// the stationary mix. A request is seen in proportion to how long it stays, at a context that grows
// as it decodes.

#include <vector>

#include "traffic/arrivals.hpp"
#include "traffic/histogram.hpp"
#include "traffic/request.hpp"

namespace afford {

/// E[X], E[X^2], E[X^3] of a length in tokens.
struct Moments {
  double first = 0, second = 0, third = 0;
};

[[nodiscard]] Moments fixed_length(double tokens);
[[nodiscard]] Moments uniform_length(double least,
                                     double most);  // whole tokens, both ends included
/// Log-normal of this mean and coefficient of variation, clipped at `most` (so the mean comes out
/// lower).
[[nodiscard]] Moments lognormal_length(double mean, double cv, double most);
[[nodiscard]] Moments geometric_length(double mean);  // 1, 2, ... tokens

/// The standard normal quantile.
[[nodiscard]] double normal_quantile(double probability);

/// The length that this share of a law's lengths does not exceed. 0 < share < 1.
[[nodiscard]] double quantile(const LengthLaw& law, double share);

/// Equally likely lengths, ascending: what stands for a distribution where its moments do not do.
[[nodiscard]] std::vector<double> equally_likely(const LengthLaw& law);
[[nodiscard]] std::vector<double> equally_likely(const Histogram& lengths);

/// What a request is like while it decodes. An output of o tokens takes o steps at contexts p, p+1
/// ... p+o-1; averages over all steps of all requests: mean = E[o p + o(o-1)/2] / E[o].
struct StationaryMix {
  double output_tokens = 0;  // mean of a request
  double context = 0;        // mean over steps
  double context_variance = 0;
};
[[nodiscard]] StationaryMix mix_of(const Moments& prompt, const Moments& output);  // independent

/// The mix of a trace, request by request.
class MixOfTrace {
 public:
  void add(const Request& request);
  /// After at least one request.
  [[nodiscard]] StationaryMix mix() const;

 private:
  double requests_ = 0, steps_ = 0, context_ = 0, square_ = 0;
};

}  // namespace afford
