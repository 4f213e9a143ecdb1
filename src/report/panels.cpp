#include "report/panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/gnuplot.hpp"

namespace afford {

double Axis::at(double value) const {
  if (logarithmic) return std::log(value / low) / std::log(high / low);
  return (value - low) / (high - low);
}

double Axis::value(double at) const {
  if (logarithmic) return low * std::pow(high / low, at);
  return low + at * (high - low);
}

std::string Panels::begin() const {
  const double whole_width = width * static_cast<double>(across),
               whole_height = height * static_cast<double>(down);
  return fmt::format(
      "set multiplot layout {},{} margins {:.4g},{:.4g},{:.4g},{:.4g} spacing {:.4g},{:.4g}\n",
      down, across, left / whole_width, 1 - right / whole_width, bottom / whole_height,
      1 - top / whole_height, (left + right) / whole_width, (bottom + top) / whole_height);
}

Spot Plot::at(double x_value, double y_value) const {
  return {x.at(x_value) * canvas.width, y.at(y_value) * canvas.height};
}

void Plot::draw(const std::vector<Spot>& values) {
  std::vector<Spot> line;
  for (const Spot& value : values) line.push_back(at(value.x, value.y));
  canvas.lines.push_back(std::move(line));
}

namespace {

struct Justified {
  const char* side;
  double at;
};

/// A name beside its point begins, or ends, there: whatever its letters are wide, it does not come
/// nearer.
Justified justified(const LabelledPoint& point, const Spot& middle) {
  const double half = letter_width * static_cast<double>(point.text.size()) / 2;
  if (middle.x - half > point.x) return {"left", middle.x - half};
  if (middle.x + half < point.x) return {"right", middle.x + half};
  return {"center", middle.x};
}

}  // namespace

std::string named_points(const std::vector<NamedPoint>& points, const Plot& plot) {
  std::vector<LabelledPoint> labelled;
  for (const NamedPoint& point : points) {
    const Spot at = plot.at(point.x, point.y);
    labelled.push_back({at.x, at.y, point.text});
  }
  const std::vector<Spot> middles = place_labels(labelled, plot.canvas);
  std::string out;
  for (size_t i = 0; i < points.size(); ++i) {
    const NamedPoint& point = points[i];
    const auto [side, at] = justified(labelled[i], middles[i]);
    const double x = plot.x.value(at / plot.canvas.width),
                 y = plot.y.value(middles[i].y / plot.canvas.height);
    if (stands_apart(labelled[i], middles[i])) {
      out += fmt::format(
          "set arrow from {:.6g},{:.6g} to {:.6g},{:.6g} nohead lw 0.7 lc rgb '{}' back\n", point.x,
          point.y, x, y, point.ink);
    }
    out += fmt::format("set label {} at {:.6g},{:.6g} {} front textcolor rgb '{}'\n",
                       gnuplot_text(point.text), x, y, side, point.ink);
    if (point.size > 0) {
      out += fmt::format("set label '' at {:.6g},{:.6g} point pt 7 ps {} lc rgb '{}'\n", point.x,
                         point.y, point.size, point.ink);
    }
  }
  return out;
}

std::string legend_corner(const std::vector<std::string>& entries, Plot& plot) {
  constexpr double sample = 70, entry_height = 22, margin = 10;
  size_t longest = 0;
  for (const std::string& entry : entries) longest = std::max(longest, entry.size());
  const double width = sample + margin + letter_width * static_cast<double>(longest),
               height = margin + entry_height * static_cast<double>(entries.size());
  const double right = plot.canvas.width, top = plot.canvas.height;
  const std::pair<const char*, Area> corners[] = {
      {"top left", {0, width, top - height, top}},
      {"top right", {right - width, right, top - height, top}},
      {"bottom right", {right - width, right, 0, height}},
      {"bottom left", {0, width, 0, height}}};
  const auto* best =
      std::min_element(std::begin(corners), std::end(corners), [&](const auto& a, const auto& b) {
        return length_inside(plot.canvas, a.second) < length_inside(plot.canvas, b.second);
      });
  plot.canvas.taken.push_back(best->second);
  return best->first;
}

}  // namespace afford
