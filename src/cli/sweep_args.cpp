#include "cli/sweep_args.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "cli/args.hpp"
#include "cli/choose.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford::cli {
namespace {

using study::ParameterInfo;
using study::SweptUnit;

constexpr size_t most_points = 10'000;

/// "price.h800=0.5..2+0.25", "tpot=20..100*2 ms", "context=8k,32k".
struct Sweep {
  std::string parameter;            // "price.h800"
  std::vector<std::string> values;  // as the flag would take them
};

std::string base_of(const std::string& parameter) {
  return parameter.substr(0, parameter.find('.'));
}

/// "model.ffn.moe.experts": a value of that file; "engine" alone is the engine itself.
bool is_of_entry(const std::string& parameter) {
  return parameter.starts_with("model.") || parameter.starts_with("engine.");
}

/// "h20.memory.bandwidth". One dot alone is a misspelt parameter of a chip.
bool is_of_chip(const std::string& parameter) {
  return std::count(parameter.begin(), parameter.end(), '.') > 1;
}

const ParameterInfo& known(const std::string& parameter, SweepOf of) {
  if (is_of_entry(parameter)) return info_of(study::Parameter::edit);
  std::vector<std::string> names;
  for (const ParameterInfo& p : study::parameters) {
    if (p.of_workload && of != SweepOf::workload) continue;
    names.emplace_back(p.name);
    if (p.name != base_of(parameter)) continue;
    if (of == SweepOf::workload && p.parameter == study::Parameter::context)
      throw UsageError("--sweep: the contexts of a plan are those of its workload");
    if (parameter != p.name && !p.of_chip)
      throw UsageError(
          fmt::format("--sweep: {} is not a value of a chip; expected {}", parameter, p.name));
    if (parameter == "price")
      throw UsageError("--sweep: a price belongs to a chip, such as price.h800=1..2+0.25");
    if (parameter == "inventory")
      throw UsageError("--sweep: an inventory is of a chip, such as inventory.h20=8..64+8");
    return p;
  }
  if (is_of_chip(parameter)) return info_of(study::Parameter::edit);
  throw UsageError(fmt::format("--sweep: unknown parameter '{}'{}", parameter,
                               suggestion(base_of(parameter), names)));
}

/// A number and what follows it: "20ms", "8k", "400 Gbit/s".
struct Measured {
  double value = 0;
  std::string unit;
};

Measured measured(const std::string& text, const std::string& sweep) {
  const size_t end = text.find_first_not_of("0123456789.eE-");
  const auto value = parse_real(text.substr(0, end));
  if (!value)
    throw UsageError(fmt::format("--sweep: expected a number, got '{}' in '{}'", text, sweep));
  return {*value, end == std::string::npos ? "" : text.substr(end)};
}

std::vector<std::string> range(const std::string& text, size_t dots, const std::string& sweep) {
  std::string rest = text.substr(dots + 2);
  if (parse_integer(text.substr(0, dots)) && parse_integer(rest)) rest += "+1";  // mtp=0..3
  const size_t op = rest.find_first_of("*+");
  if (op == std::string::npos)
    throw UsageError(
        fmt::format("--sweep: range '{}' needs a step, such as {}*2 or {}+1", text, text, text));
  const Measured first = measured(text.substr(0, dots), sweep),
                 last = measured(rest.substr(0, op), sweep),
                 step = measured(rest.substr(op + 1), sweep);
  std::string unit;
  for (const Measured* part : {&first, &last, &step}) {
    if (part->unit.empty()) continue;
    if (!unit.empty() && unit != part->unit)
      throw UsageError(
          fmt::format("--sweep: range '{}' mixes the units '{}' and '{}'", text, unit, part->unit));
    unit = part->unit;
  }
  const bool multiply = rest[op] == '*';
  if (first.value > last.value ||
      (multiply ? step.value <= 1 || first.value <= 0 : step.value <= 0))
    throw UsageError(fmt::format("--sweep: range '{}' does not reach its end", text));
  constexpr double rounding = 1e-9;
  std::vector<std::string> values;
  for (int i = 0;; ++i) {
    const double at = multiply ? first.value * std::pow(step.value, i)
                               : first.value + step.value * static_cast<double>(i);
    if (at > last.value * (1 + rounding)) return values;
    if (values.size() == most_points)
      throw UsageError(
          fmt::format("--sweep: range '{}' has more than {} values", text, most_points));
    values.push_back(fmt::format("{:.10g}{}", at, unit));
  }
}

Sweep parse(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw UsageError(
        fmt::format("--sweep: expected PARAMETER=VALUES such as tpot=20..100*2ms, got '{}'", text));
  }
  Sweep sweep{.parameter = text.substr(0, equals), .values = {}};
  for (size_t at = equals + 1; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const std::string item = text.substr(at, comma - at);
    if (item.empty())
      throw UsageError(fmt::format("--sweep: expected values with commas between, got '{}'", text));
    const size_t dots = item.find("..");
    if (dots == std::string::npos) {
      sweep.values.push_back(item);
    } else {
      for (std::string& value : range(item, dots, text)) sweep.values.push_back(std::move(value));
    }
    at = comma + 1;
  }
  return sweep;
}

std::int64_t whole(const std::string& parameter, const std::string& text) {
  const auto count = parse_integer(text);
  if (!count || *count < 0 || *count > 1'000'000'000)
    throw UsageError(fmt::format("--sweep: {} expects a whole number, got '{}'", parameter, text));
  return *count;
}

double plain(const std::string& parameter, const std::string& text) {
  if (const auto value = parse_real(text)) return *value;
  throw UsageError(
      fmt::format("--sweep: {} expects a number without a unit, got '{}'", parameter, text));
}

/// The value of `text` in the unit of its column and in base units.
study::SweptValue value_of(const ParameterInfo& info, const std::string& parameter,
                           const std::string& text) {
  const std::string flag = "--sweep " + std::string(info.name);
  const std::string base = base_of(parameter);
  study::SweptValue value{.parameter = info.parameter,
                          .chip = base == parameter ? "" : parameter.substr(base.size() + 1),
                          .text = text};
  switch (info.unit) {
    case SweptUnit::milliseconds: {
      const Seconds time = positive<Dimension{.time = 1}>(text, flag);
      value.number = time / millisecond;
      value.value = time.base();
      break;
    }
    case SweptUnit::gb_per_s: {
      const ByteRate rate = positive<Dimension{.time = -1, .byte = 1}>(text, flag);
      value.number = rate / GB_per_s;
      value.value = rate.base();
      break;
    }
    case SweptUnit::tokens:
      value.value = static_cast<double>(parse_token_counts(text).front());
      value.number = value.value;
      break;
    case SweptUnit::usd_per_hour:
      value.number = measured(text, text).value;
      value.value = parse_rate(text).base();
      break;
    case SweptUnit::count:
      value.number = measured(text, text).value;
      value.value = static_cast<double>(whole(parameter, text));
      break;
    case SweptUnit::number:
      value.number = value.value = plain(parameter, text);
      break;
    case SweptUnit::text:
      value.number = std::numeric_limits<double>::quiet_NaN();
      if (info.parameter == study::Parameter::edit) value.chip = parameter;
      if (info.parameter == study::Parameter::kv_dtype)
        value.value = static_cast<double>(choose(dtype_names, text, flag));
      break;
  }
  return value;
}

/// All of a sweep's values, of which no two may be the same, however they are written.
study::SweepPoint values_of(const Sweep& sweep, const ParameterInfo& info) {
  study::SweepPoint values;
  std::set<std::string> texts;
  std::set<double> numbers;
  for (const std::string& text : sweep.values) {
    study::SweptValue value = value_of(info, sweep.parameter, text);
    const bool is_text = std::isnan(value.number);
    if (!texts.insert(text).second || (!is_text && !numbers.insert(value.value).second))
      throw UsageError(fmt::format("--sweep {}: {} a second time", sweep.parameter, text));
    if (is_text) value.number = static_cast<double>(values.size());
    values.push_back(std::move(value));
  }
  return values;
}

std::vector<study::SweepPoint> each_with(const std::vector<study::SweepPoint>& points,
                                         const study::SweepPoint& values) {
  std::vector<study::SweepPoint> longer;
  for (const study::SweepPoint& point : points) {
    for (const study::SweptValue& value : values) {
      longer.push_back(point);
      longer.back().push_back(value);
    }
  }
  return longer;
}

[[noreturn]] void refuse_second(std::string_view flag, const std::string& parameter) {
  throw UsageError(
      fmt::format("{} and --sweep {} say the same thing; give one of them", flag, parameter));
}

/// A chip's price is said once: by its sweep, by --price or by --own.
void refuse_second_price(const Sweep& sweep, const study::WhatIfs& what_if) {
  const auto refuse = [&](std::string_view flag, const std::string& chip) {
    if (sweep.parameter == "price." + chip) refuse_second(flag, sweep.parameter);
  };
  for (const study::Price& price : what_if.prices) refuse("--price", price.chip);
  for (const study::Owned& owned : what_if.owned) refuse("--own", owned.chip);
}

}  // namespace

void add_sweep(Verb& verb, std::vector<std::string>& sweeps) {
  verb.repeated(
      "--sweep", sweeps,
      "Run for each value: price.CHIP, memory-bandwidth[.CHIP], nic-bandwidth, scale-up-bandwidth, "
      "tpot, context, acceptance, mtp, tp, gpus, inventory.CHIP, kv-dtype ... or a path as --set "
      "takes it = a,b,.. or a..b*k or a..b+k",
      "NAME=VALUES");
  verb.before([&sweeps](const Verb& parsed) {
    for (const std::string& text : sweeps) {
      const std::string parameter = text.substr(0, text.find('='));
      const std::string flag = parameter == "gpus" ? "--max-gpus" : "--" + parameter;
      if (parsed.given(flag)) refuse_second(flag, parameter);
    }
  });
}

std::vector<study::SweepPoint> sweep_points(const std::vector<std::string>& sweeps,
                                            const study::Conditions& under, SweepOf of) {
  std::vector<study::SweepPoint> points(1);
  std::set<std::string> swept;
  for (const std::string& text : sweeps) {
    const Sweep sweep = parse(text);
    const ParameterInfo& info = known(sweep.parameter, of);
    if (!swept.insert(sweep.parameter).second)
      throw UsageError(fmt::format("--sweep: {} a second time", sweep.parameter));
    // Before they are made: two ranges of ten thousand are a hundred million.
    if (points.size() * sweep.values.size() > most_points)
      throw UsageError(fmt::format("--sweep: more than {} combinations", most_points));
    refuse_second_price(sweep, under.what_if);
    points = each_with(points, values_of(sweep, info));
  }
  return points;
}

std::vector<study::SweepPoint> sweep_points(const std::vector<std::string>& sweeps,
                                            const study::SearchRequest& under, SweepOf of) {
  for (const std::string& text : sweeps) {
    for (const study::Inventory& listed : under.inventory) {
      const std::string parameter = text.substr(0, text.find('='));
      if (parameter == "inventory." + listed.chip) refuse_second("--inventory", parameter);
    }
  }
  return sweep_points(sweeps, static_cast<const study::Conditions&>(under), of);
}

}  // namespace afford::cli
