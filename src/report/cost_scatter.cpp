// Cost against activated parameters, each point with its model's name.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/chart_style.hpp"
#include "report/charts.hpp"
#include "report/labels.hpp"

namespace afford {
namespace {

/// One panel of a scatter and the part of it that gnuplot leaves for the plot itself, in pixels.
/// Many models need the width of the page and logarithmic axes.
struct PanelSize {
  double width = 640, height = 520, plot_width = 500, plot_height = 390;
  bool crowded = false;
};

PanelSize panel_for(size_t models) {
  constexpr size_t most_in_a_small_panel = 12;
  if (models <= most_in_a_small_panel) return {};
  return {.width = 1200, .height = 620, .plot_width = 1060, .plot_height = 490, .crowded = true};
}

struct Axis {
  double low = 0, high = 1;
  bool logarithmic = false;
  /// Where a value lies between the ends, 0 to 1.
  [[nodiscard]] double at(double value) const {
    if (logarithmic) return std::log(value / low) / std::log(high / low);
    return (value - low) / (high - low);
  }
};

Axis axis_over(double least, double most, double room, bool logarithmic) {
  if (logarithmic) return {.low = least / 1.4, .high = most * 1.6, .logarithmic = true};
  return {.low = 0, .high = room * most};
}

/// One panel of named points; the first colour goes to the first model asked for.
std::string scatter_panel(const std::vector<CostPoint>& points,
                          const std::vector<std::string>& models, const Axis& x,
                          const PanelSize& size) {
  double least = INFINITY, most = 0;
  for (const CostPoint& point : points) {
    least = std::min(least, point.afd_usd_per_mtok), most = std::max(most, point.afd_usd_per_mtok);
  }
  const Axis y = axis_over(least, most, 1.12, size.crowded);
  std::vector<LabelledPoint> labelled;
  for (const CostPoint& point : points) {
    labelled.push_back({.x = x.at(point.active_params / 1e9) * size.plot_width,
                        .y = y.at(point.afd_usd_per_mtok) * size.plot_height,
                        .text = point.model});
  }
  const std::vector<Side> sides = place_labels(labelled, size.plot_width);
  std::string labels;
  for (size_t i = 0; i < points.size(); ++i) {
    const char* ink = colour(index_in(models, points[i].model));
    const std::string at =
        fmt::format("{:.6g},{:.6g}", points[i].active_params / 1e9, points[i].afd_usd_per_mtok);
    labels +=
        fmt::format("set label {} {} at {} {} point pt 7 ps 1.4 lc rgb '{}' textcolor rgb '{}'\n",
                    i + 1, gnuplot_text(points[i].model), at, label_position(sides[i]), ink, ink);
  }
  return fmt::format("set title {}\nset yrange [{:.6g}:{:.6g}]\n{}plot NaN notitle\nunset label\n",
                     gnuplot_text(panel_title(points.front().context)), y.low, y.high, labels);
}

}  // namespace

Chart cost_by_active_params(const std::vector<CostPoint>& points) {
  const auto models = distinct(points, &CostPoint::model);
  const auto contexts = distinct(points, &CostPoint::context);
  const PanelSize size = panel_for(models.size());
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
  // Small panels stand side by side, large ones under each other.
  const size_t down = size.crowded ? contexts.size() : 1,
               across = size.crowded ? 1 : contexts.size();
  std::string script =
      std::string(look) +
      fmt::format(
          "set xlabel 'activated parameters, billions'\nset ylabel 'USD per 1M tokens'\n"
          "{}set xrange [{:.4g}:{:.4g}]\nset multiplot layout {},{}\n",
          size.crowded ? "set logscale xy\nset format '%g'\nset grid xtics\n" : "", x.low, x.high,
          down, across) +
      panels + "unset multiplot\n";
  return {.script = std::move(script),
          .width = static_cast<int>(size.width) * static_cast<int>(across),
          .height = static_cast<int>(size.height) * static_cast<int>(down)};
}

}  // namespace afford
