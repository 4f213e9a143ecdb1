#include "report/frontier_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/chart_style.hpp"
#include "report/panels.hpp"

namespace afford {
namespace {

struct Extent {
  double least = INFINITY, most = 0;
  void take(double value) { least = std::min(least, value), most = std::max(most, value); }
};

bool has_interval(const FrontierPoint& point) { return point.low > 0 && point.high > 0; }

/// Axes that hold all points, their intervals and the limit.
Plot plot_of(const std::vector<FrontierPoint>& points, const FrontierAxes& axes) {
  Extent x, y;
  for (const FrontierPoint& point : points) {
    x.take(std::max(point.x, point.high));
    y.take(point.value);
  }
  x.take(axes.limit);
  Plot plot{
      .x = {.high = 1.05 * x.most},
      .y = axes.logarithmic ? Axis{y.least / 1.6, 1.6 * y.most, true} : Axis{.high = 1.15 * y.most},
      .canvas = {.width = Panels{}.plot_width(), .height = Panels{}.plot_height()}};
  return plot;
}

/// One model's frontier in one panel.
struct Line {
  std::string name, data;  // of the data block
  std::vector<FrontierPoint> points;
  const char* ink = "";
};

/// There along the low ends of the intervals, back along the high ones.
std::string band_block(const Line& line) {
  std::string there, back;
  for (const FrontierPoint& point : line.points) {
    if (!has_interval(point)) continue;
    there += fmt::format("{:.6g} {:.6g}\n", point.low, point.value);
    back.insert(0, fmt::format("{:.6g} {:.6g}\n", point.high, point.value));
  }
  return there.empty() ? "" : fmt::format("{}b << EOD\n{}{}EOD\n", line.data, there, back);
}

std::string blocks_of(const std::vector<Line>& lines) {
  std::string data;
  for (const Line& line : lines) {
    data += band_block(line) + line.data + " << EOD\n";
    for (const FrontierPoint& point : line.points)
      data += fmt::format("{:.6g} {:.6g}\n", point.x, point.value);
    data += line.points.empty() ? "NaN NaN\nEOD\n" : "EOD\n";
  }
  return data;
}

/// Bands first, so that they cover no line.
std::string plots_of(const std::vector<Line>& lines) {
  std::string bands, drawn;
  for (const Line& line : lines) {
    if (std::any_of(line.points.begin(), line.points.end(), has_interval)) {
      bands += fmt::format(
          " {}b using 1:2 with filledcurves closed fs transparent solid 0.13 noborder "
          "lc rgb '{}' notitle,",
          line.data, line.ink);
    }
    drawn += fmt::format("{} {} using 1:2 with linespoints lw 2 pt 7 ps 0.35 lc rgb '{}' title {}",
                         drawn.empty() ? "" : ",", line.data, line.ink, gnuplot_text(line.name));
  }
  return bands + drawn;
}

/// The lines of one panel, and the names of the points to take where they cover nothing.
std::string panel(const std::vector<Line>& lines, Plot plot, const std::string& title,
                  double limit) {
  std::vector<NamedPoint> winners;
  std::vector<std::string> names;
  for (const Line& line : lines) {
    names.push_back(line.name);
    std::vector<Spot> values;
    for (const FrontierPoint& point : line.points) {
      values.push_back({point.x, point.value});
      if (!point.winner.empty())
        winners.push_back({point.x, point.value, point.winner, line.ink, 1.6});
    }
    plot.draw(values);
  }
  std::string out = fmt::format("set key {}\n", legend_corner(names, plot));
  plot.draw({{limit, plot.y.low}, {limit, plot.y.high}});
  out += named_points(winners, plot);
  out += fmt::format(
      "set arrow from {0:.6g},graph 0 to {0:.6g},graph 1 nohead dt 2 lc rgb '#888888'\n", limit);
  out += fmt::format("set title {}\nset xrange [0:{:.6g}]\nset yrange [{:.6g}:{:.6g}]\nplot",
                     gnuplot_text(title), plot.x.high, plot.y.low, plot.y.high);
  return out + plots_of(lines) + "\nunset label\nunset arrow\n";
}

}  // namespace

Chart frontier_chart(const std::vector<FrontierPoint>& points, const FrontierAxes& axes) {
  const auto names = distinct(points, &FrontierPoint::line);
  const auto contexts = distinct(points, &FrontierPoint::context);
  std::string data, panels;
  bool intervals = false;
  for (size_t c = 0; c < contexts.size(); ++c) {
    std::vector<FrontierPoint> here;
    std::vector<Line> lines;
    for (size_t l = 0; l < names.size(); ++l)
      lines.push_back({names[l], fmt::format("$p{}_{}", c, l), {}, colour(l)});
    for (const FrontierPoint& point : points) {
      if (point.context != contexts[c]) continue;
      here.push_back(point);
      lines[index_in(names, point.line)].points.push_back(point);
      intervals = intervals || has_interval(point);
    }
    data += blocks_of(lines);
    const std::string title = fmt::format("Frontier of {} at {}", axes.y, panel_title(contexts[c]));
    panels += panel(lines, plot_of(here, axes), title, axes.limit);
  }
  const Panels layout{.across = contexts.size()};
  std::string script =
      data + std::string(look) +
      fmt::format("{}set xlabel {}\nset ylabel {}\n{}",
                  axes.logarithmic ? "set logscale y\nset format y '%g'\n" : "",
                  gnuplot_text(axes.x + (intervals ? " (shaded: 90 % interval)" : "")),
                  gnuplot_text(axes.y), layout.begin()) +
      panels + "unset multiplot\n";
  return {.script = std::move(script),
          .width = static_cast<int>(layout.width) * static_cast<int>(contexts.size()),
          .height = static_cast<int>(layout.height)};
}

Chart sweep_chart(const std::vector<SweepPointDrawn>& points, const std::string& parameter,
                  const std::string& value) {
  const auto lines = distinct(points, &SweepPointDrawn::line);
  std::string data, plots;
  for (size_t l = 0; l < lines.size(); ++l) {
    data += fmt::format("$s{} << EOD\n", l);
    for (const SweepPointDrawn& point : points) {
      if (point.line == lines[l]) data += fmt::format("{:.6g} {:.6g}\n", point.at, point.value);
    }
    data += "EOD\n";
    plots +=
        fmt::format("{} $s{} using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '{}' title {}",
                    l > 0 ? "," : "", l, colour(l), gnuplot_text(lines[l]));
  }
  std::string script = data + std::string(look) +
                       fmt::format(
                           "set title {}\nset xlabel {}\nset ylabel {}\nset yrange [0:*]\n"
                           "set key outside right\nplot{}\n",
                           gnuplot_text(fmt::format("{} by {}", value, parameter)),
                           gnuplot_text(parameter), gnuplot_text(value), plots);
  return {.script = std::move(script), .width = 1080, .height = 560};
}

}  // namespace afford
