#include "report/charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/chart_style.hpp"
#include "report/panels.hpp"
#include "text/number.hpp"

namespace afford {

Chart cost_by_context(const std::vector<CostPoint>& points) {
  const auto models = distinct(points, &CostPoint::model);
  auto contexts = distinct(points, &CostPoint::context);
  std::sort(contexts.begin(), contexts.end());
  std::string data, plots, tics;
  double least = INFINITY, most = 0;
  for (const CostPoint& point : points) {
    least = std::min(least, point.afd_usd_per_mtok), most = std::max(most, point.afd_usd_per_mtok);
  }
  for (size_t i = 0; i < contexts.size(); ++i) {
    tics += fmt::format("{}{} {}", i > 0 ? ", " : "", gnuplot_text(token_count_text(contexts[i])),
                        contexts[i]);
  }
  for (size_t m = 0; m < models.size(); ++m) {
    std::vector<CostPoint> line;
    std::copy_if(points.begin(), points.end(), std::back_inserter(line),
                 [&](const CostPoint& point) { return point.model == models[m]; });
    std::sort(line.begin(), line.end(),
              [](const CostPoint& a, const CostPoint& b) { return a.context < b.context; });
    data += fmt::format("$m{} << EOD\n", m);
    for (const CostPoint& point : line)
      data += fmt::format("{} {:.6g}\n", point.context, point.afd_usd_per_mtok);
    data += "EOD\n";
    plots +=
        fmt::format("{} $m{} using 1:2 with linespoints lw 2.5 pt 7 ps 0.7 lc rgb '{}' title {}",
                    m > 0 ? "," : "", m, colour(m), gnuplot_text(models[m]));
  }
  std::string script =
      data + std::string(look) +
      fmt::format(
          "set title 'Ideal AFD cost of each model on its cheapest pair of chips'\n"
          "set xlabel 'context, tokens'\nset ylabel 'USD per 1M tokens'\nset logscale x 2\n"
          "set logscale y\nset format y '%g'\nset grid xtics\nset xtics ({})\n"
          "set xrange [{:.6g}:{:.6g}]\nset yrange [{:.3g}:{:.3g}]\n"
          "set key outside right\nplot{}\n",
          tics, static_cast<double>(contexts.front()) / 1.1,
          static_cast<double>(contexts.back()) * 1.1, least / 1.3, most * 1.3, plots);
  return {.script = std::move(script), .width = 960, .height = 560};
}

namespace {

/// The names of the points, their contexts, off the ridges and off the models' own lines.
std::string context_names(const std::vector<IntensityPoint>& points,
                          const std::vector<std::string>& models,
                          const std::vector<RidgeLine>& ridges, Plot plot) {
  for (const RidgeLine& ridge : ridges) {
    plot.draw({{plot.x.low, plot.x.low * ridge.flops_per_byte},
               {plot.x.high, plot.x.high * ridge.flops_per_byte}});
  }
  std::vector<NamedPoint> named;
  for (const std::string& model : models) {
    std::vector<Spot> line;
    for (const IntensityPoint& point : points) {
      if (point.model != model) continue;
      line.push_back({point.kv_bytes, point.flops});
      named.push_back({point.kv_bytes, point.flops, token_count_text(point.context),
                       colour(index_in(models, model)), 0});
    }
    plot.draw(line);
  }
  return named_points(named, plot);
}

}  // namespace

Chart intensity_map(const std::vector<IntensityPoint>& points,
                    const std::vector<RidgeLine>& ridges) {
  const auto models = distinct(points, &IntensityPoint::model);
  double least_x = INFINITY, most_x = 0, least_y = INFINITY, most_y = 0;
  for (const IntensityPoint& point : points) {
    least_x = std::min(least_x, point.kv_bytes), most_x = std::max(most_x, point.kv_bytes);
    least_y = std::min(least_y, point.flops), most_y = std::max(most_y, point.flops);
  }
  std::string data, plots;
  for (size_t r = 0; r < ridges.size(); ++r) {
    plots += fmt::format("{} {:.6g}*x with lines dt {} lw 1.5 lc rgb '#666666' title {}",
                         r > 0 ? "," : "", ridges[r].flops_per_byte, 2 + r % 4,
                         gnuplot_text(fmt::format("{} ridge, {:.0f} FLOP/B", ridges[r].chip,
                                                  ridges[r].flops_per_byte)));
  }
  for (size_t m = 0; m < models.size(); ++m) {
    data += fmt::format("$m{} << EOD\n", m);
    for (const IntensityPoint& point : points) {
      if (point.model != models[m]) continue;
      data += fmt::format("{:.6g} {:.6g}\n", point.kv_bytes, point.flops);
    }
    data += "EOD\n";
    plots +=
        fmt::format("{} $m{} using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '{}' title {}",
                    ridges.empty() && m == 0 ? "" : ",", m, colour(m), gnuplot_text(models[m]));
  }
  constexpr int width = 1080, height = 640, legend = 350;
  const Plot plot{.x = {least_x / 2, most_x * 3, true},
                  .y = {least_y / 3, most_y * 3, true},
                  .canvas = {.width = width - Panels::left - legend,
                             .height = height - Panels::bottom - Panels::top}};
  std::string script =
      data + std::string(look) + context_names(points, models, ridges, plot) +
      fmt::format(
          "set xlabel 'KV cache or state bytes moved per token'\nset ylabel 'attention FLOPs per "
          "token'\nset logscale xy\nset format '10^{{%T}}'\nset termoption enhanced\n"
          "set grid xtics\nset lmargin at screen {:.4g}\nset rmargin at screen {:.4g}\n"
          "set tmargin at screen {:.4g}\nset bmargin at screen {:.4g}\n"
          "set xrange [{:.4g}:{:.4g}]\nset yrange [{:.4g}:{:.4g}]\nset key outside right\n"
          "set title 'Attention of a token: above a ridge compute binds, below it memory'\n"
          "plot{}\n",
          Panels::left / width, 1 - static_cast<double>(legend) / width, 1 - Panels::top / height,
          Panels::bottom / height, plot.x.low, plot.x.high, plot.y.low, plot.y.high, plots);
  return {.script = std::move(script), .width = width, .height = height};
}

}  // namespace afford
