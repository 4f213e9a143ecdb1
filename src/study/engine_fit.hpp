#pragma once
// An engine from one's own measured points: the few parameters that the points determine, starting
// from a shipped engine.

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "deploy/interval.hpp"
#include "spec/engine.hpp"
#include "study/served_prediction.hpp"
#include "study/statistics.hpp"

namespace afford::study {

struct EngineFitRequest {
  std::string points;  // a CSV file of served points
  std::string base;    // the engine to start from, by name or path
};

/// A parameter that a fit may change, and what became of it.
struct FittedParameter {
  const EngineParameter* parameter = nullptr;
  double base = 0, value = 0;  // in base units; `value` is `base` where it is not determined
  double prior = 0;            // standard deviation of its logarithm before the points were seen
  double posterior = 0;        // and after
  bool determined = false;
};

struct EngineFit {
  Engine engine;  // the base with what was fitted
  std::string base;
  std::vector<FittedParameter> parameters;
  size_t points = 0, series = 0;
  size_t first_tokens = 0;             // of the points, whose TTFT counts
  ErrorSummary error, left_out_error;  // of the fit, and of each series by a fit without it
  ErrorSpread spread;                  // of the errors left out
  ErrorSpread first_token_spread;      // the same of first tokens
  ErrorSummary first_token_left_out;
  size_t first_token_series = 0;
  std::set<std::string> architectures;                   // of the points' chips
  std::vector<std::pair<std::string, size_t>> unusable;  // reasons, and how many points
};

/// Log-normal priors around the base, soft-L1 residuals with a standard deviation of 8 %, each
/// curve over the batch worth one point however many it has. A parameter whose prior the points
/// narrow by less than three tenths stays at its base. Throws InputError, and UsageError for fewer
/// than three usable points. What a first token takes besides is fitted after the others, to the
/// points whose prompts all fit one step.
[[nodiscard]] EngineFit fit_engine(const EngineFitRequest& request);

/// Points that share most of their error: one engine, version, model, chip, mode and parallelism.
[[nodiscard]] std::string series_of(const ServedPoint& point);

/// What the fit works on: points that could be set up, once for each time that was measured.
struct SetUpPoint {
  ServedDeployment deployment;
  Seconds measured;
  Seconds ServedTime::*what = &ServedTime::tpot;  // or its first token
  std::string series, curve;                      // curve: a series at one prompt and output length
};
/// Points into `library`; counts the reasons of those that could not be set up.
[[nodiscard]] std::vector<SetUpPoint> set_up_points(const std::vector<ServedPoint>& points,
                                                    const Engine& engine, ServedLibrary& library,
                                                    std::map<std::string, size_t>& reasons);
[[nodiscard]] EngineFit fit_engine(const std::vector<SetUpPoint>& points, const Engine& base);

}  // namespace afford::study
