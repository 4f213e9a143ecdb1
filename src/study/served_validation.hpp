#pragma once
// Predictions beside served points: one by one, and how far off they are by engine, chip and mode.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deploy/interval.hpp"
#include "study/served_points.hpp"
#include "study/statistics.hpp"

namespace afford::study {

struct ServedRequest {
  std::string points;  // a CSV file; empty: the points that come with afford
  std::string engine;  // by name or path; empty: each point's own
};

/// A point with its prediction, or the reason why it has none.
struct ServedRow {
  ServedPoint point;
  std::string engine;  // assumed; "" where none could be
  struct Prediction {
    Seconds tpot, prompts;  // of the TPOT: interruptions by prompts
    TimeInterval interval;
    std::optional<Seconds> first_token;  // where one was measured and no prompt waits for another
    std::optional<TimeInterval> first_token_interval{};
    std::string model{};  // as the library calls it
    double context = 0;   // tokens of a request in the mean
    std::int64_t gpus = 1;
    std::int64_t requests = 1;  // in flight on all of them
  };
  std::optional<Prediction> predicted;
  std::string why_not;  // "" where there is one

  [[nodiscard]] double deviation() const {
    return predicted->tpot / (point.tpot_ms * millisecond) - 1;
  }
  [[nodiscard]] double first_token_deviation() const {
    return *predicted->first_token / (*point.ttft_ms * millisecond) - 1;
  }
  /// Measured, of each GPU of the server, in tokens a second.
  [[nodiscard]] double tokens_per_gpu() const {
    const double requests_per_gpu =
        static_cast<double>(predicted->requests) / static_cast<double>(predicted->gpus);
    return 1000 * requests_per_gpu / point.tpot_ms;
  }
  [[nodiscard]] bool first_token_covered() const {
    const Seconds measured = *point.ttft_ms * millisecond;
    const TimeInterval& interval = *predicted->first_token_interval;
    return interval.low <= measured && measured <= interval.high;
  }
  [[nodiscard]] bool covered() const {
    const Seconds measured = point.tpot_ms * millisecond;
    return predicted->interval.low <= measured && measured <= predicted->interval.high;
  }
};

/// The points of one engine, chip and mode ("" for all of them).
struct ServedGroup {
  std::string engine, chip, mode;
  size_t left_out = 0;  // points without a prediction
  ErrorSummary error;
  double coverage = 0;                     // share of the points inside their interval
  ErrorSummary aiconfigurator, beside_it;  // both on the points that have its prediction
  ErrorSummary first_token;
  std::optional<double> first_token_coverage{};  // none where the engine states no spread
};

struct ServedValidation {
  std::vector<ServedRow> rows;
  std::vector<ServedGroup> groups;  // by engine, chip and mode
  std::vector<ServedGroup> chips;   // by chip and mode
  ServedGroup all;
  std::vector<std::pair<std::string, size_t>> reasons;  // why points were left out, commonest first
};

/// Throws InputError or UsageError.
[[nodiscard]] ServedValidation served_validation(const ServedRequest& request);

/// The group of the rows that `engine`, `chip` and `mode` name ("": any).
[[nodiscard]] ServedGroup group_of(const std::vector<ServedRow>& rows, const std::string& engine,
                                   const std::string& chip, const std::string& mode);

}  // namespace afford::study
