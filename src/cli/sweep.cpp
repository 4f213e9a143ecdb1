#include "cli/sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford::cli {
namespace {

constexpr size_t most_points = 10'000;

/// A parameter, the unit of its column, and whether it may name a chip.
struct Parameter {
  std::string name, unit;
  bool of_chip = false;
};

std::vector<Parameter> parameters(const ExtraParameters& extra) {
  std::vector<Parameter> all = {{"price", "_usd_per_h", true},
                                {"memory-bandwidth", "_gb_per_s", true},
                                {"nic-bandwidth", "_gb_per_s"},
                                {"scale-up-bandwidth", "_gb_per_s"},
                                {"tpot", "_ms"},
                                {"context", "_tokens"},
                                {"acceptance", ""},
                                {"batch", ""},
                                {"batch-per-gpu", ""},
                                {"redundant-experts", ""},
                                {"experts", ""}};
  for (const auto& [name, unit] : extra) all.push_back({name, unit});
  return all;
}

std::string base_of(const std::string& parameter) {
  return parameter.substr(0, parameter.find('.'));
}

Parameter known(const std::string& parameter, const ExtraParameters& extra) {
  std::vector<std::string> names;
  for (const Parameter& p : parameters(extra)) {
    names.push_back(p.name);
    if (p.name != base_of(parameter)) continue;
    if (parameter != p.name && !p.of_chip)
      throw UsageError(
          fmt::format("--sweep: {} is not a value of a chip; expected {}", parameter, p.name));
    if (parameter == "price")
      throw UsageError("--sweep: a price belongs to a chip, such as price.h800=1..2+0.25");
    return p;
  }
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
  const std::string rest = text.substr(dots + 2);
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

/// The value in the unit of its column.
double number(const Parameter& parameter, const std::string& text) {
  const std::string flag = "--sweep " + parameter.name;
  if (parameter.unit == "_ms") return positive<Dimension{.time = 1}>(text, flag) / millisecond;
  if (parameter.unit == "_gb_per_s")
    return positive<Dimension{.time = -1, .byte = 1}>(text, flag) / GB_per_s;
  if (parameter.unit == "_tokens") return static_cast<double>(parse_token_counts(text).front());
  return measured(text, text).value;
}

int whole(const SweptValue& value) {
  const auto count = parse_integer(value.text);
  if (!count || *count < 0 || *count > 1'000'000'000)
    throw UsageError(
        fmt::format("--sweep: {} expects a whole number, got '{}'", value.parameter, value.text));
  return static_cast<int>(*count);
}

}  // namespace

void add_sweep(Verb& verb, std::vector<std::string>& sweeps) {
  verb.repeated(
      "--sweep", sweeps,
      "Run for each value: price.CHIP, memory-bandwidth[.CHIP], nic-bandwidth, scale-up-bandwidth, "
      "tpot, context, acceptance ... = a,b,.. or a..b*k or a..b+k",
      "NAME=VALUES");
}

std::vector<SweepPoint> sweep_points(const std::vector<std::string>& sweeps,
                                     const ExtraParameters& extra) {
  std::vector<SweepPoint> points(1);
  for (const std::string& text : sweeps) {
    const Sweep sweep = parse(text);
    const Parameter parameter = known(sweep.parameter, extra);
    std::vector<SweepPoint> longer;
    for (const SweepPoint& point : points) {
      for (const std::string& value : sweep.values) {
        longer.push_back(point);
        longer.back().push_back({sweep.parameter, value, number(parameter, value)});
      }
    }
    if (longer.size() > most_points)
      throw UsageError(fmt::format("--sweep: more than {} combinations", most_points));
    points = std::move(longer);
  }
  return points;
}

void apply_sweep(const SweepPoint& point, DeploymentArgs& args) {
  for (const SweptValue& value : point) {
    const std::string base = base_of(value.parameter);
    const std::string chip =
        base == value.parameter ? "" : value.parameter.substr(base.size() + 1) + "=";
    if (base == "price") args.prices.push_back(chip + value.text);
    if (base == "memory-bandwidth") args.memory_bandwidths.push_back(chip + value.text);
    if (base == "nic-bandwidth") args.nic = value.text;
    if (base == "scale-up-bandwidth") args.scale_up = value.text;
    if (base == "tpot") args.tpot = value.text;
    if (base == "context") args.contexts = {value.text};
    if (base == "acceptance") args.acceptance = value.number;
    if (base == "batch") args.batch = whole(value);
    if (base == "batch-per-gpu") args.batch_per_gpu = whole(value);
    if (base == "redundant-experts") args.redundant = whole(value);
    if (base == "experts") args.experts = whole(value);
  }
}

std::vector<Column> sweep_columns(const SweepPoint& point, const ExtraParameters& extra) {
  std::vector<Column> columns;
  for (const SweptValue& value : point) {
    std::string key = value.parameter;
    std::replace_if(
        key.begin(), key.end(), [](char c) { return c == '.' || c == '-'; }, '_');
    columns.push_back(
        {"sweep_" + key + known(value.parameter, extra).unit, value.parameter, Show::plain});
  }
  return columns;
}

void append(std::vector<Cell>& row, const SweepPoint& point) {
  for (const SweptValue& value : point) row.emplace_back(value.number);
}

std::string text(const SweepPoint& point) {
  std::vector<std::string> parts;
  for (const SweptValue& value : point) parts.push_back(value.parameter + " " + value.text);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<SweptCost> ever_cheapest(const std::vector<SweptCost>& costs) {
  std::map<std::pair<std::string, double>, const SweptCost*> best;
  for (const SweptCost& cost : costs) {
    const SweptCost*& known = best[{cost.group, cost.at}];
    if (known == nullptr || cost.usd_per_mtok < known->usd_per_mtok) known = &cost;
  }
  std::vector<SweptCost> kept;
  std::copy_if(costs.begin(), costs.end(), std::back_inserter(kept), [&](const SweptCost& cost) {
    return std::any_of(best.begin(), best.end(), [&](const auto& entry) {
      return entry.second->group == cost.group && entry.second->choice == cost.choice;
    });
  });
  return kept;
}

std::vector<std::string> break_evens(const std::vector<SweptCost>& costs,
                                     const std::string& parameter) {
  // group -> value -> choice -> cost
  std::map<std::string, std::map<double, std::map<std::string, double>>> table;
  for (const SweptCost& cost : costs) table[cost.group][cost.at][cost.choice] = cost.usd_per_mtok;
  const auto cheapest = [](const std::map<std::string, double>& at) {
    return std::min_element(at.begin(), at.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; });
  };
  const bool kilo = parameter == "context";
  std::vector<std::string> lines;
  for (const auto& [group, values] : table) {
    std::string line;
    const auto* before = &*values.begin();
    for (const auto& now : values) {
      const auto &was = *cheapest(before->second), &is = *cheapest(now.second);
      if (was.first != is.first) {
        // Both costs at both ends, where both exist: the lines cross between them.
        double at = now.first;
        const auto new_before = before->second.find(is.first), old_now = now.second.find(was.first);
        if (new_before != before->second.end() && old_now != now.second.end()) {
          const double behind = new_before->second - was.second,
                       ahead = old_now->second - is.second;
          at = before->first + (now.first - before->first) * behind / (behind + ahead);
        }
        line += fmt::format("{} up to {} {:.4g}{}, then ", was.first, parameter,
                            kilo ? at / 1024 : at, kilo ? "K" : "");
      }
      before = &now;
    }
    lines.push_back(fmt::format("{}: {}{}.", group, line.empty() ? "always " : line,
                                cheapest(before->second)->first));
  }
  return lines;
}

}  // namespace afford::cli
