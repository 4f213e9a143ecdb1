#include "report/frontier_chart.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "report/chart_style.hpp"

namespace afford {
namespace {

constexpr double panel_width = 640, panel_height = 560, plot_width = 540, plot_height = 420;

struct Extent {
  double least = INFINITY, most = 0;
  void take(double value) { least = std::min(least, value), most = std::max(most, value); }
};

/// The lines of one panel, and the names of the points to take where they cover nothing.
std::string panel(const std::vector<FrontierPoint>& points, const std::vector<std::string>& lines,
                  size_t number, double limit, bool logarithmic, std::string& data) {
  Extent x, y;
  for (const FrontierPoint& point : points) x.take(point.x), y.take(point.value);
  x.take(limit);
  const double right = 1.05 * x.most, bottom = logarithmic ? y.least / 1.6 : 0,
               top = logarithmic ? 1.6 * y.most : 1.15 * y.most;
  const auto height = [&](double value) {
    return plot_height *
           (logarithmic ? std::log(value / bottom) / std::log(top / bottom) : value / top);
  };
  std::vector<LabelledPoint> named;
  std::vector<const FrontierPoint*> winners;
  for (const FrontierPoint& point : points) {
    if (point.winner.empty()) continue;
    winners.push_back(&point);
    named.push_back({point.x / right * plot_width, height(point.value), point.winner});
  }
  const std::vector<Side> sides = place_labels(named, plot_width);
  std::string out;
  for (size_t i = 0; i < winners.size(); ++i) {
    const char* ink = colour(index_in(lines, winners[i]->line));
    out += fmt::format(
        "set label {} {} at {:.6g},{:.6g} {} point pt 7 ps 1.6 lc rgb '{}' textcolor rgb '{}'\n",
        i + 1, gnuplot_text(winners[i]->winner), winners[i]->x, winners[i]->value,
        logarithmic ? "right offset 0,0.9" : label_position(sides[i]), ink, ink);
  }
  out += fmt::format(
      "set arrow 1 from {0:.6g},graph 0 to {0:.6g},graph 1 nohead dt 2 lc rgb '#888888'\n", limit);
  out += fmt::format("set title {}\nset xrange [0:{:.6g}]\nset yrange [{:.6g}:{:.6g}]\nplot",
                     gnuplot_text(panel_title(points.front().context)), right, bottom, top);
  for (size_t l = 0; l < lines.size(); ++l) {
    data += fmt::format("$p{}_{} << EOD\n", number, l);
    bool any = false;
    for (const FrontierPoint& point : points) {
      if (point.line != lines[l]) continue;
      data += fmt::format("{:.6g} {:.6g}\n", point.x, point.value);
      any = true;
    }
    data += any ? "EOD\n" : "NaN NaN\nEOD\n";
    out +=
        fmt::format("{} $p{}_{} using 1:2 with linespoints lw 2 pt 7 ps 0.35 lc rgb '{}' title {}",
                    l > 0 ? "," : "", number, l, colour(l), gnuplot_text(lines[l]));
  }
  return out + "\nunset label\nunset arrow\n";
}

}  // namespace

Chart frontier_chart(const std::vector<FrontierPoint>& points, const FrontierAxes& axes) {
  const auto lines = distinct(points, &FrontierPoint::line);
  const auto contexts = distinct(points, &FrontierPoint::context);
  std::string data, panels;
  for (size_t c = 0; c < contexts.size(); ++c) {
    std::vector<FrontierPoint> here;
    std::copy_if(points.begin(), points.end(), std::back_inserter(here),
                 [&](const FrontierPoint& point) { return point.context == contexts[c]; });
    panels += panel(here, lines, c, axes.limit, axes.logarithmic, data);
  }
  std::string script =
      data + std::string(look) +
      fmt::format("set key top {}\n{}set xlabel {}\nset ylabel {}\nset multiplot layout 1,{}\n",
                  axes.falls ? "right" : "left",
                  axes.logarithmic ? "set logscale y\nset format y '%g'\n" : "",
                  gnuplot_text(axes.x), gnuplot_text(axes.y), contexts.size()) +
      panels + "unset multiplot\n";
  return {.script = std::move(script),
          .width = static_cast<int>(panel_width) * static_cast<int>(contexts.size()),
          .height = static_cast<int>(panel_height)};
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
  std::string script =
      data + std::string(look) +
      fmt::format("set xlabel {}\nset ylabel {}\nset yrange [0:*]\nset key outside right\nplot{}\n",
                  gnuplot_text(parameter), gnuplot_text(value), plots);
  return {.script = std::move(script), .width = 1080, .height = 560};
}

}  // namespace afford
