// Cost against activated parameters, each point with its model's name.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/chart_style.hpp"
#include "report/charts.hpp"
#include "report/panels.hpp"

namespace afford {
namespace {

/// Many models need the width of the page, logarithmic axes, and panels under each other.
struct Size {
  Panels panels{.height = 520};
  bool crowded = false;
};

Size size_for(size_t models, size_t contexts) {
  constexpr size_t most_in_a_small_panel = 12;
  if (models <= most_in_a_small_panel)
    return {.panels = {.height = 520, .across = contexts}, .crowded = false};
  return {.panels = {.width = 1200, .height = 660, .down = contexts}, .crowded = true};
}

Axis axis_over(double least, double most, double room, bool logarithmic) {
  if (logarithmic) return {.low = least / 1.4, .high = most * 1.6, .logarithmic = true};
  return {.low = 0, .high = room * most};
}

/// One panel of named points; the first colour goes to the first model asked for.
std::string scatter_panel(const std::vector<CostPoint>& points,
                          const std::vector<std::string>& models, const Axis& x, const Size& size) {
  double least = INFINITY, most = 0;
  for (const CostPoint& point : points) {
    least = std::min(least, point.afd_usd_per_mtok), most = std::max(most, point.afd_usd_per_mtok);
  }
  const Plot plot{
      .x = x,
      .y = axis_over(least, most, 1.12, size.crowded),
      .canvas = {.width = size.panels.plot_width(), .height = size.panels.plot_height()}};
  std::vector<NamedPoint> named;
  for (const CostPoint& point : points) {
    named.push_back({point.active_params / 1e9, point.afd_usd_per_mtok, point.model,
                     colour(index_in(models, point.model)), 1.4});
  }
  return fmt::format(
      "set title {}\nset yrange [{:.6g}:{:.6g}]\n{}plot NaN notitle\nunset label\n"
      "unset arrow\n",
      gnuplot_text(fmt::format("Ideal AFD cost at {}", panel_title(points.front().context))),
      plot.y.low, plot.y.high, named_points(named, plot));
}

}  // namespace

Chart cost_by_active_params(const std::vector<CostPoint>& points) {
  const auto models = distinct(points, &CostPoint::model);
  const auto contexts = distinct(points, &CostPoint::context);
  const Size size = size_for(models.size(), contexts.size());
  double least = INFINITY, most = 0;
  for (const CostPoint& point : points) {
    least = std::min(least, point.active_params / 1e9),
    most = std::max(most, point.active_params / 1e9);
  }
  const Axis x = axis_over(least, most, 1.15, size.crowded);
  std::string panels;
  for (const std::int64_t context : contexts) {
    std::vector<CostPoint> panel;
    std::copy_if(points.begin(), points.end(), std::back_inserter(panel),
                 [&](const CostPoint& point) { return point.context == context; });
    panels += scatter_panel(panel, models, x, size);
  }
  std::string script =
      std::string(look) +
      fmt::format(
          "set xlabel 'activated parameters, billions'\nset ylabel 'USD per 1M tokens'\n"
          "{}set xrange [{:.4g}:{:.4g}]\n{}",
          size.crowded ? "set logscale xy\nset format '%g'\nset grid xtics\n" : "", x.low, x.high,
          size.panels.begin()) +
      panels + "unset multiplot\n";
  return {.script = std::move(script),
          .width = static_cast<int>(size.panels.width) * static_cast<int>(size.panels.across),
          .height = static_cast<int>(size.panels.height) * static_cast<int>(size.panels.down)};
}

}  // namespace afford
