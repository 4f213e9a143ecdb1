#pragma once
// How far a prediction may be from what a server shows: the errors of series of measurements that
// were left out of the fit, as a linear mixed model.

#include <optional>

#include "spec/engine_time.hpp"

namespace afford {

/// What else a prediction's error holds.
struct IntervalTerms {
  ErrorSpread spread;
  bool known_series = false;  // the engine was fitted to this very series: `between` is known
  bool transferred = false;   // curves of another chip
};

/// Ends of an interval that holds nine of ten measured times.
struct TimeInterval {
  Seconds low, high;
};

/// Half the width of a 90 % interval, as a logarithm: 1.9 standard deviations, since the errors
/// have heavier tails than a normal distribution, whose 90 % lie within 1.645. Parts are
/// independent: between series, within a series, card to card (2 %), and curves carried over to
/// another chip (3.6 %).
[[nodiscard]] double log_half_width(const IntervalTerms& terms);

/// The interval around a served prediction.
[[nodiscard]] TimeInterval served_interval(Seconds time, const IntervalTerms& terms);

/// The interval around a time to the first token, where no prompt waits for another; nothing where
/// nobody has measured any under the engine.
[[nodiscard]] std::optional<TimeInterval> first_token_interval(Seconds time,
                                                               const PromptRates& rates);

/// The interval above a time without any engine, which no server undercuts: nine of ten measured
/// times lie between it and 2.2 times it.
[[nodiscard]] TimeInterval ideal_interval(Seconds time);

}  // namespace afford
