#pragma once
// How long prompts and outputs are, and what the requests that are decoding at a moment look like:
// the stationary mix. A request is seen in proportion to how long it stays, at a context that grows
// as it decodes.

#include <cstdint>
#include <span>

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

/// One request of a trace.
struct Request {
  double arrival_s = 0;
  std::int64_t prompt_tokens = 0, output_tokens = 0;
};

/// What a request is like while it decodes. An output of o tokens takes o steps at contexts p, p+1
/// ... p+o-1; averages over all steps of all requests: mean = E[o p + o(o-1)/2] / E[o].
struct StationaryMix {
  double output_tokens = 0;  // mean of a request
  double context = 0;        // mean over steps
  double context_variance = 0;
};
[[nodiscard]] StationaryMix mix_of(const Moments& prompt, const Moments& output);  // independent
[[nodiscard]] StationaryMix mix_of(std::span<const Request> requests);

}  // namespace afford
