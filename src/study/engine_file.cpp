#include "study/engine_file.hpp"

#include <fmt/format.h>

namespace afford::study {
namespace {

/// A value as engine files write it: times in microseconds, everything else plain.
std::string written(const FittedParameter& p) {
  const bool time = std::holds_alternative<EngineParameter::Time>(p.parameter->at);
  return time ? fmt::format("{:.4g} us", Seconds(p.value) / microsecond)
              : fmt::format("{:.4g}", p.value);
}

std::string what_of(const EngineFit& fit, const EngineFileNotes& notes) {
  return fmt::format(
      "{}: {} points in {} series, median error {:.1f} % and P90 {:.1f} %; on series left out "
      "{:.1f} and {:.1f} %",
      notes.points, fit.points, fit.series, 100 * fit.error.median, 100 * fit.error.p90,
      100 * fit.left_out_error.median, 100 * fit.left_out_error.p90);
}

/// The fitted value of a parameter, or how its errors spread; "" for one that stays at its base.
std::string value_of(const EngineFit& fit, const EngineParameter& parameter) {
  for (const FittedParameter& p : fit.parameters) {
    if (p.parameter == &parameter) return p.determined ? written(p) : "";
  }
  if (parameter.section == "prompts" && fit.first_token_series > 1) {
    if (parameter.key == "first_token_between")
      return fmt::format("{:.3f}", fit.first_token_spread.between);
    if (parameter.key == "first_token_within")
      return fmt::format("{:.3f}", fit.first_token_spread.within);
  }
  // Of a single series nothing tells how series differ.
  if (fit.series < 2 || !fit.architectures.contains(std::string(parameter.section))) return "";
  if (parameter.key == "between_series") return fmt::format("{:.3f}", fit.spread.between);
  if (parameter.key == "within_series") return fmt::format("{:.3f}", fit.spread.within);
  return "";
}

}  // namespace

std::string engine_file(const EngineFit& fit, const EngineFileNotes& notes) {
  std::string text = fmt::format(
      "# Made by: {}\nschema: 1\nname: {}\ntitle: \"{} as measured\"\nbase: {}\n\nsources:\n"
      "  fit: {{what: \"{}\", date: {}}}\n",
      notes.command, notes.name, fit.base, fit.base, what_of(fit, notes), notes.date);
  std::string_view section;
  for (const EngineParameter& parameter : engine_parameters()) {
    const std::string value = value_of(fit, parameter);
    if (value.empty()) continue;
    if (parameter.section != section) text += fmt::format("\n{}:\n", parameter.section);
    section = parameter.section;
    text += fmt::format("  {}: {{value: {}, source: fit}}\n", parameter.key, value);
  }
  return text;
}

}  // namespace afford::study
