#include "records/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "report/frontier_chart.hpp"

namespace afford {

Column column_of(const study::SweptValue& value) {
  std::string key = value.name();
  std::replace_if(
      key.begin(), key.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  const study::ParameterInfo& info = study::info_of(value.parameter);
  return {fmt::format("sweep_{}{}", key, info.suffix), value.name(),
          info.unit == study::SweptUnit::text ? Show::text : Show::plain};
}

Cell cell_of(const study::SweptValue& value) {
  const bool text = study::info_of(value.parameter).unit == study::SweptUnit::text;
  return text ? Cell(value.text) : Cell(value.number);
}

std::vector<std::string> break_even_texts(const std::vector<study::SweptCost>& costs,
                                          const study::SweptValue& along) {
  const bool kilo = along.parameter == study::Parameter::context;
  std::vector<std::string> lines;
  for (const study::BreakEvens& group : study::break_evens(costs, along.parameter)) {
    std::string line;
    for (const auto& [until, at] : group.changes) {
      line += fmt::format("{} up to {} {:.4g}{}, then ", until, along.name(), kilo ? at / 1024 : at,
                          kilo ? "K" : "");
    }
    lines.push_back(
        fmt::format("{}: {}{}.", group.group, line.empty() ? "always " : line, group.last));
  }
  return lines;
}

std::string choice_line(const study::SweptCost& cost) { return cost.choice; }

std::string group_and_choice_line(const study::SweptCost& cost) {
  return cost.group + ", " + cost.choice;
}

Chart sweep_picture(const std::vector<study::SweptCost>& costs, const study::SweptValue& along,
                    const std::string& value, std::string (*line)(const study::SweptCost&)) {
  if (costs.empty()) throw UsageError("--plot: no row of the sweep is feasible, nothing to draw");
  std::vector<SweepPointDrawn> points;
  for (const study::SweptCost& cost : costs)
    points.push_back({line(cost), cost.at, cost.usd_per_mtok});
  return sweep_chart(points, along.name(), value);
}

}  // namespace afford
