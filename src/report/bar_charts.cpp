// Bars of what models cost, one panel for each context.

#include <fmt/format.h>

#include <algorithm>

#include "report/chart_style.hpp"
#include "report/charts.hpp"

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

}  // namespace afford
