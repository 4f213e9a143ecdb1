#include "deploy/interval.hpp"

#include <cmath>

namespace afford {

double log_half_width(const IntervalTerms& terms) {
  constexpr double deviations = 1.9, card = 0.02, transfer = 0.036;
  const double between = terms.known_series ? 0 : terms.spread.between;
  const double carried = terms.transferred ? transfer : 0;
  return deviations * std::sqrt(between * between + terms.spread.within * terms.spread.within +
                                card * card + carried * carried);
}

TimeInterval served_interval(Seconds time, const IntervalTerms& terms) {
  const double factor = std::exp(log_half_width(terms));
  return {time / factor, time * factor};
}

std::optional<TimeInterval> first_token_interval(Seconds time, const PromptRates& rates) {
  if (rates.spread.between == 0 && rates.spread.within == 0) return std::nullopt;
  return served_interval(time, {.spread = rates.spread});
}

TimeInterval ideal_interval(Seconds time) {
  constexpr double most = 2.2;
  return {time, most * time};
}

}  // namespace afford
