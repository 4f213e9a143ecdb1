#include "study/engine_fit.hpp"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "calibration/least_squares.hpp"
#include "error.hpp"
#include "load/library.hpp"

namespace afford::study {
namespace {

/// How far a parameter may lie from its base: one standard deviation of its logarithm.
struct Prior {
  std::string_view section, key;
  double deviation;
};
// Those of the fit that made the shipped engines.
constexpr Prior token_priors[] = {
    {"hopper", "kernel", 0.2},
    {"blackwell", "kernel", 0.2},
    {"hopper", "core", 0.1},
    {"blackwell", "core", 0.1},
    {"served", "step", 0.3},
    {"served", "request", 0.6},
    {"served", "all_reduce_latency", 0.3},
    {"served", "all_reduce_rate", 0.4},
    {"prompts", "dense", 0.25},
    {"prompts", "experts", 0.25},
};
constexpr Prior first_token_priors[] = {{"prompts", "first_token", 0.6}};
// Of a point, as logarithms: of its TPOT, and of its TTFT.
constexpr double residual_deviation = 0.08, first_token_deviation = 0.3;
constexpr double narrowed = 0.7;  // posterior over prior of what is determined

/// A number or time of an engine, in base units; sizes and flags are not fitted.
struct Value {
  Engine& engine;
  double operator()(EngineParameter::Number at) const { return at(engine); }
  double operator()(EngineParameter::Time at) const { return at(engine).base(); }
  double operator()(EngineParameter::Size) const { return 0; }
  double operator()(EngineParameter::Flag) const { return 0; }
};
double value_of(Engine engine, const EngineParameter& parameter) {
  return std::visit(Value{engine}, parameter.at);
}

struct Assign {
  Engine& engine;
  double value;
  void operator()(EngineParameter::Number at) const { at(engine) = value; }
  void operator()(EngineParameter::Time at) const { at(engine) = Seconds(value); }
  void operator()(EngineParameter::Size) const {}
  void operator()(EngineParameter::Flag) const {}
};

/// Parameters as factors of the base, in logarithms.
Engine engine_at(const Engine& base, const std::vector<FittedParameter>& parameters,
                 const Eigen::VectorXd& logs) {
  Engine engine = base;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const EngineParameter& p = *parameters[i].parameter;
    const double value = parameters[i].base * std::exp(logs[static_cast<Eigen::Index>(i)]);
    std::visit(Assign{engine, std::clamp(value, p.least, p.most)}, p.at);
  }
  return engine;
}

double log_error(const SetUpPoint& point, const Engine& engine) {
  return std::log(served_time(point.deployment, engine).*point.what / point.measured);
}

double deviation_of(const SetUpPoint& point) {
  return point.what == &ServedTime::tpot ? residual_deviation : first_token_deviation;
}

/// Soft L1: quadratic for small residuals, linear for large ones, as the square of what is
/// returned.
double softened(double residual) {
  const double loss = 2 * (std::sqrt(1 + residual * residual) - 1);
  return std::copysign(std::sqrt(loss), residual);
}

using Points = std::vector<const SetUpPoint*>;

Residuals residuals_of(const Points& points, const Engine& base,
                       const std::vector<FittedParameter>& parameters) {
  std::map<std::string, double> on_curve;
  for (const SetUpPoint* point : points) on_curve[point->curve] += 1;
  std::vector<double> weights;
  for (const SetUpPoint* point : points) weights.push_back(1 / std::sqrt(on_curve[point->curve]));
  const auto count = static_cast<Eigen::Index>(points.size());
  const auto of = [points, weights, base, parameters, count](const Eigen::VectorXd& logs,
                                                             Eigen::VectorXd& r) {
    const Engine engine = engine_at(base, parameters, logs);
    for (size_t i = 0; i < points.size(); ++i)
      r[static_cast<Eigen::Index>(i)] =
          weights[i] * softened(log_error(*points[i], engine) / deviation_of(*points[i]));
    for (Eigen::Index p = 0; p < logs.size(); ++p)
      r[count + p] = logs[p] / parameters[static_cast<size_t>(p)].prior;
  };
  // The residuals are softened already: none is left for least_squares() to temper.
  return {.of = of, .data = 0, .all = count + static_cast<Eigen::Index>(parameters.size())};
}

std::vector<FittedParameter> candidates(const Engine& base, std::span<const Prior> priors) {
  std::vector<FittedParameter> found;
  for (const EngineParameter& parameter : engine_parameters()) {
    for (const Prior& prior : priors) {
      if (prior.section != parameter.section || prior.key != parameter.key) continue;
      const double value = value_of(base, parameter);
      if (value > 0)
        found.push_back({&parameter, value, value, prior.deviation, prior.deviation, true});
    }
  }
  return found;
}

struct Fitted {
  std::vector<FittedParameter> parameters;
  Eigen::VectorXd logs;
};

constexpr int iterations = 15, refinements = 4;

Fitted fitted(const Points& points, const Engine& base, std::vector<FittedParameter> parameters) {
  const Residuals problem = residuals_of(points, base, parameters);
  const Eigen::VectorXd start = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(parameters.size()));
  const Minimum minimum = least_squares(problem, start, iterations);
  const Eigen::VectorXd deviations = deviations_at(problem, minimum.parameters);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    parameters[i].value = parameters[i].base * std::exp(minimum.parameters[at]);
    parameters[i].posterior = deviations[at];
    parameters[i].determined = deviations[at] < narrowed * parameters[i].prior;
  }
  return {std::move(parameters), minimum.parameters};
}

/// Errors of the points of each series, under a fit to all others.
std::vector<SeriesError> left_out_errors(const Points& points, const Engine& base,
                                         const Fitted& fit) {
  std::set<std::string> series;
  for (const SetUpPoint* point : points) series.insert(point->series);
  std::vector<SeriesError> errors;
  for (const std::string& out : series) {
    Points others;
    for (const SetUpPoint* point : points) {
      if (point->series != out) others.push_back(point);
    }
    const Minimum without =
        least_squares(residuals_of(others, base, fit.parameters), fit.logs, refinements);
    const Engine engine = engine_at(base, fit.parameters, without.parameters);
    for (const SetUpPoint* point : points) {
      if (point->series == out) errors.push_back({out, -log_error(*point, engine)});
    }
  }
  return errors;
}

/// Of logarithms of measured over predicted.
ErrorSummary summary_of_logs(const std::vector<SeriesError>& errors) {
  std::vector<double> deviations;
  for (const SeriesError& e : errors) deviations.push_back(std::expm1(-e.error));
  return summary_of(deviations);
}

Points those_of(const std::vector<SetUpPoint>& points, Seconds ServedTime::*what) {
  Points found;
  for (const SetUpPoint& point : points) {
    if (point.what == what) found.push_back(&point);
  }
  return found;
}

/// What a first token takes besides changes no time of a later one, so it is fitted by itself.
void fit_first_token(EngineFit& result, const Points& points) {
  const Engine base = result.engine;
  const Fitted fit = fitted(points, base, candidates(base, first_token_priors));
  result.first_tokens = points.size();
  const std::vector<SeriesError> left_out = left_out_errors(points, base, fit);
  std::set<std::string> series;
  for (const SeriesError& e : left_out) series.insert(e.series);
  result.first_token_series = series.size();
  result.first_token_left_out = summary_of_logs(left_out);
  result.first_token_spread = spread_of(left_out);
  for (FittedParameter p : fit.parameters) {
    if (!p.determined) p.value = p.base;
    std::visit(Assign{result.engine, p.value}, p.parameter->at);
    result.parameters.push_back(p);
  }
}

}  // namespace

std::string series_of(const ServedPoint& point) {
  return fmt::format("{} {} {} {} {} {} {} {} {}", point.engine, point.engine_version, point.model,
                     point.chip, point.mode, point.tp, point.attention_dp.value_or(1), point.moe_tp,
                     point.moe_ep);
}

EngineFit fit_engine(const std::vector<SetUpPoint>& points, const Engine& base) {
  const Points all = those_of(points, &ServedTime::tpot);
  Fitted wide = fitted(all, base, candidates(base, token_priors));
  std::vector<FittedParameter> determined;
  for (const FittedParameter& p : wide.parameters) {
    if (p.determined) determined.push_back(p);
  }
  const Fitted fit = fitted(all, base, determined);
  EngineFit result{.engine = engine_at(base, fit.parameters, fit.logs), .base = base.name};
  std::vector<SeriesError> errors;
  for (const SetUpPoint* point : all)
    errors.push_back({point->series, -log_error(*point, result.engine)});
  const std::vector<SeriesError> left_out = left_out_errors(all, base, fit);
  for (FittedParameter& p : wide.parameters) {
    const auto same = [&](const FittedParameter& q) { return q.parameter == p.parameter; };
    const auto found = std::find_if(fit.parameters.begin(), fit.parameters.end(), same);
    p = found != fit.parameters.end() ? *found : p;
    p.determined = found != fit.parameters.end();
    if (!p.determined) p.value = p.base;
  }
  std::set<std::string> series;
  for (const SetUpPoint* point : all) {
    series.insert(point->series);
    result.architectures.insert(point->deployment.chip().architecture.value);
  }
  result.parameters = std::move(wide.parameters);
  result.points = all.size();
  result.series = series.size();
  result.error = summary_of_logs(errors);
  result.left_out_error = summary_of_logs(left_out);
  result.spread = spread_of(left_out);
  fit_first_token(result, those_of(points, &ServedTime::first_token));
  return result;
}

std::vector<SetUpPoint> set_up_points(const std::vector<ServedPoint>& points, const Engine& engine,
                                      ServedLibrary& library,
                                      std::map<std::string, size_t>& reasons) {
  std::vector<SetUpPoint> usable;
  for (const ServedPoint& point : points) {
    const auto set_up = library.set_up(point, engine);
    if (const auto* why = std::get_if<std::string>(&set_up)) {
      ++reasons[*why];
      continue;
    }
    const std::string series = series_of(point);
    SetUpPoint& token = usable.emplace_back(
        SetUpPoint{.deployment = std::get<ServedDeployment>(set_up),
                   .measured = point.tpot_ms * millisecond,
                   .series = series,
                   .curve = fmt::format("{} {} {}", series, point.isl, point.osl)});
    if (!point.ttft_ms || !token.deployment.prompts_fit_a_step()) continue;
    SetUpPoint first = token;
    first.measured = *point.ttft_ms * millisecond;
    first.what = &ServedTime::first_token;
    usable.push_back(std::move(first));
  }
  return usable;
}

EngineFit fit_engine(const EngineFitRequest& request) {
  Engine base = load_engine(request.base);
  base.citations.clear();  // copied by the thousand
  ServedLibrary library;
  std::map<std::string, size_t> reasons;
  const std::vector<SetUpPoint> usable =
      set_up_points(read_served_points(request.points), base, library, reasons);
  constexpr size_t fewest = 3;
  if (const size_t tokens = those_of(usable, &ServedTime::tpot).size(); tokens < fewest) {
    throw UsageError(
        fmt::format("{}: {} of its points can be set up, a fit wants {}{}", request.points, tokens,
                    fewest, reasons.empty() ? "" : "; of the others: " + reasons.begin()->first));
  }
  EngineFit fit = fit_engine(usable, base);
  fit.unusable.assign(reasons.begin(), reasons.end());
  return fit;
}

}  // namespace afford::study
