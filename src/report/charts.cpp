#include "report/charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/chart_style.hpp"
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
          "set xlabel 'context, tokens'\nset ylabel 'USD per 1M tokens'\nset logscale x 2\n"
          "set logscale y\nset format y '%g'\nset grid xtics\nset xtics ({})\n"
          "set xrange [{:.6g}:{:.6g}]\nset yrange [{:.3g}:{:.3g}]\n"
          "set key outside right\nplot{}\n",
          tics, static_cast<double>(contexts.front()) / 1.1,
          static_cast<double>(contexts.back()) * 1.1, least / 1.3, most * 1.3, plots);
  return {.script = std::move(script), .width = 960, .height = 560};
}

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
      data += fmt::format("{:.6g} {:.6g} {}\n", point.kv_bytes, point.flops,
                          gnuplot_text(token_count_text(point.context)));
    }
    data += "EOD\n";
    plots += fmt::format(
        "{} $m{} using 1:2 with linespoints lw 2 pt 7 ps 1.3 lc rgb '{}' title {}"
        ", $m{} using 1:2:3 with labels left offset 0.8,-0.6 font ',11' textcolor rgb '{}' notitle",
        ridges.empty() && m == 0 ? "" : ",", m, colour(m), gnuplot_text(models[m]), m, colour(m));
  }
  std::string script =
      data + std::string(look) +
      fmt::format(
          "set xlabel 'KV cache or state bytes moved per token'\nset ylabel 'attention FLOPs per "
          "token'\n"
          "set logscale xy\nset format '10^{{%T}}'\nset termoption enhanced\nset grid xtics\n"
          "set xrange [{:.4g}:{:.4g}]\nset yrange [{:.4g}:{:.4g}]\nset key outside right\nset "
          "title "
          "'above a ridge the chip is bound by compute, below it by memory'\nplot{}\n",
          least_x / 2, most_x * 3, least_y / 3, most_y * 3, plots);
  return {.script = std::move(script), .width = 1080, .height = 640};
}

}  // namespace afford
