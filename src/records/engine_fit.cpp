#include "records/engine_fit.hpp"

#include <fmt/format.h>

#include <cmath>

namespace afford {
namespace {

using study::EngineFit;
using study::FittedParameter;

/// Times in microseconds, shares and factors as they are.
bool is_time(const FittedParameter& p) {
  return std::holds_alternative<EngineParameter::Time>(p.parameter->at);
}
double shown_value(const FittedParameter& p, double value) {
  return is_time(p) ? Seconds(value) / microsecond : value;
}

const Record<FittedParameter>& parameter_record() {
  static const Record<FittedParameter> record = {
      {{"parameter", "parameter"},
       [](const FittedParameter& p) {
         return fmt::format("{}.{}", p.parameter->section, p.parameter->key);
       }},
      {{"unit", "unit"},
       [](const FittedParameter& p) { return std::string(is_time(p) ? "us" : "1"); }},
      {{"base", "base", Show::plain},
       [](const FittedParameter& p) { return shown_value(p, p.base); }},
      {{"value", "fitted", Show::plain},
       [](const FittedParameter& p) { return shown_value(p, p.value); }},
      {{"deviation_pct", "to within", Show::percent},
       [](const FittedParameter& p) { return 100 * std::expm1(p.posterior); }},
      {{"prior_pct", "before", Show::percent},
       [](const FittedParameter& p) { return 100 * std::expm1(p.prior); }},
      {{"determined", "determined"},
       [](const FittedParameter& p) { return yes_or_no(p.determined); }},
      {{"about", "what it is"},
       [](const FittedParameter& p) { return std::string(p.parameter->about); }}};
  return record;
}

}  // namespace

Table engine_fit_table(const EngineFit& fit) {
  Table table = table_of(parameter_record(), fit.parameters);
  table.title =
      fmt::format("{} fitted to {} points in {} series", fit.base, fit.points, fit.series);
  table.notes = {
      fmt::format("Error of the fit: median {:.1f} %, P90 {:.1f} %, bias {:+.1f} %.",
                  100 * fit.error.median, 100 * fit.error.p90, 100 * fit.error.bias),
      fmt::format(
          "On each series by a fit to the others: median {:.1f} %, P90 {:.1f} %; of it {:.1f} "
          "% shared by a series and {:.1f} % of single points.",
          100 * fit.left_out_error.median, 100 * fit.left_out_error.p90, 100 * fit.spread.between,
          100 * fit.spread.within),
      fmt::format("prompts.first_token is fitted after the others, to the TTFT of {} points whose "
                  "prompts all fit one step. On each of their {} series by a fit to the others: "
                  "median {:.1f} %, P90 {:.1f} %; {:.1f} % shared by a series, {:.1f} % of points.",
                  fit.first_tokens, fit.first_token_series, 100 * fit.first_token_left_out.median,
                  100 * fit.first_token_left_out.p90, 100 * fit.first_token_spread.between,
                  100 * fit.first_token_spread.within),
      "To within: one standard deviation after, before: the prior's. A parameter whose prior the "
      "points do not narrow by three tenths is not determined and stays at its base."};
  for (const auto& [reason, points] : fit.unusable)
    table.notes.push_back(fmt::format("Left out: {} points: {}.", points, reason));
  return table;
}

}  // namespace afford
