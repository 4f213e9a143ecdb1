#include "report/charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report/chart_style.hpp"
#include "report/labels.hpp"
#include "text/number.hpp"

namespace afford {
namespace {

/// Room for a cluster of bars, wide enough for the longest name written flat where that is
/// reasonable.
struct Clusters {
  double step = 0;  // bars and the gap after them
  int pixels = 0;
  bool flat = false;
};

Clusters clusters_for(const std::vector<std::string>& models, size_t bars) {
  constexpr int bar_pixels = 24, widest_flat = 190;
  size_t longest = 0;
  for (const std::string& model : models) longest = std::max(longest, model.size());
  const int name_pixels = 9 * static_cast<int>(longest) + 14;
  const int bars_pixels = bar_pixels * static_cast<int>(bars + 1);
  const bool flat = name_pixels <= std::max(bars_pixels, widest_flat) && models.size() <= 12;
  return {static_cast<double>(bars) + 1, flat ? std::max(bars_pixels, name_pixels) : bars_pixels,
          flat};
}

/// The x axis of a bar chart: each model's name under the middle of its bars.
std::string cluster_axis(const std::vector<std::string>& models, const Clusters& clusters) {
  std::string tics;
  for (size_t i = 0; i < models.size(); ++i) {
    tics += fmt::format("{}{} {:.3f}", i > 0 ? ", " : "", gnuplot_text(models[i]),
                        static_cast<double>(i) * clusters.step + (clusters.step - 2) / 2);
  }
  return fmt::format("set xtics ({}) {} scale 0\nset xrange [-1:{:.3f}]\n", tics,
                     clusters.flat ? "norotate" : "rotate by -30 left",
                     static_cast<double>(models.size()) * clusters.step - 1);
}

struct Box {
  double x = 0, low = 0, high = 0;
};

/// Boxes of width 0.9 as an inline data block.
std::string boxes(const std::string& name, const std::vector<Box>& list) {
  std::string out = fmt::format("${} << EOD\n", name);
  for (const Box& box : list) {
    out += fmt::format("{:.3f} {:.6g} {:.3f} {:.3f} {:.6g} {:.6g}\n", box.x, box.high, box.x - 0.45,
                       box.x + 0.45, box.low, box.high);
  }
  return out + "EOD\n";
}

std::string draw_boxes(const std::string& name, size_t colour_index, bool light,
                       const std::string& title) {
  return fmt::format(" ${} using 1:2:3:4:5:6 with boxxyerror lc rgb '{}' fs {} {}", name,
                     colour(colour_index), light ? "solid 0.3 border" : "solid 1 noborder",
                     title.empty() ? "notitle" : "title " + gnuplot_text(title));
}

/// Panels under each other with one key above the first.
std::string stacked_panels(const std::vector<std::string>& panels) {
  std::string out = "set key outside top center horizontal\n" +
                    fmt::format("set multiplot layout {},1\n", panels.size());
  for (const std::string& panel : panels) out += panel + "\nunset key\n";
  return out + "unset multiplot\n";
}

}  // namespace

Chart cost_bars(const std::vector<CostBar>& bars) {
  const auto models = distinct(bars, &CostBar::model), chips = distinct(bars, &CostBar::chip);
  const auto contexts = distinct(bars, &CostBar::context);
  const Clusters clusters = clusters_for(models, chips.size());
  std::string data;
  std::vector<std::string> panels;
  for (size_t p = 0; p < contexts.size(); ++p) {
    std::string panel =
        fmt::format("set title {}\nplot",
                    gnuplot_text(panel_title(contexts[p]) + " (solid: attention, light: FFN)"));
    for (size_t c = 0; c < chips.size(); ++c) {
      std::vector<Box> attention, ffn;
      for (const CostBar& bar : bars) {
        if (bar.context != contexts[p] || bar.chip != chips[c]) continue;
        const double x = static_cast<double>(index_in(models, bar.model)) * clusters.step +
                         static_cast<double>(c);
        attention.push_back({x, 0, bar.attention_usd_per_mtok});
        ffn.push_back(
            {x, bar.attention_usd_per_mtok, bar.attention_usd_per_mtok + bar.ffn_usd_per_mtok});
      }
      const std::string a = fmt::format("a{}_{}", p, c), f = fmt::format("f{}_{}", p, c);
      data += boxes(a, attention) + boxes(f, ffn);
      panel +=
          (c > 0 ? "," : "") + draw_boxes(a, c, false, chips[c]) + "," + draw_boxes(f, c, true, "");
    }
    panels.push_back(panel);
  }
  std::string script = data + std::string(look) + cluster_axis(models, clusters) +
                       "set ylabel 'USD per 1M tokens'\nset yrange [0:*]\n" +
                       stacked_panels(panels);
  return {.script = std::move(script),
          .width = std::max(640, 120 + clusters.pixels * static_cast<int>(models.size())),
          .height = 40 + 340 * static_cast<int>(contexts.size())};
}

Chart afd_against_single(const std::vector<CostPoint>& points) {
  const auto models = distinct(points, &CostPoint::model);
  const auto contexts = distinct(points, &CostPoint::context);
  const Clusters clusters = clusters_for(models, 2);
  std::string data;
  std::vector<std::string> panels;
  for (size_t p = 0; p < contexts.size(); ++p) {
    std::vector<Box> afd, single;
    for (const CostPoint& point : points) {
      if (point.context != contexts[p]) continue;
      const double x = static_cast<double>(index_in(models, point.model)) * clusters.step;
      afd.push_back({x, 0, point.afd_usd_per_mtok});
      single.push_back({x + 1, 0, point.single_usd_per_mtok});
    }
    const std::string a = fmt::format("afd{}", p), one = fmt::format("single{}", p);
    data += boxes(a, afd) + boxes(one, single);
    panels.push_back(fmt::format("set title {}\nplot{},{}", gnuplot_text(panel_title(contexts[p])),
                                 draw_boxes(a, 0, false, "cheapest pair (AFD)"),
                                 draw_boxes(one, 1, false, "cheapest single chip")));
  }
  std::string script = data + std::string(look) + cluster_axis(models, clusters) +
                       "set ylabel 'USD per 1M tokens'\nset yrange [0:*]\n" +
                       stacked_panels(panels);
  return {.script = std::move(script),
          .width = std::max(640, 120 + clusters.pixels * static_cast<int>(models.size())),
          .height = 40 + 300 * static_cast<int>(contexts.size())};
}

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
