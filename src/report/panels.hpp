#pragma once
// Panels of a picture whose plots take known pixels, so that names can be placed in them.

#include <string>
#include <vector>

#include "report/labels.hpp"

namespace afford {

struct Axis {
  double low = 0, high = 1;
  bool logarithmic = false;
  /// Where a value lies between the ends, 0 to 1, and back.
  [[nodiscard]] double at(double value) const;
  [[nodiscard]] double value(double at) const;
};

/// Panels of one size, side by side and under each other.
struct Panels {
  double width = 640, height = 560;
  size_t across = 1, down = 1;

  /// Left of a plot stand its numbers and its axis' name, above it its title.
  static constexpr double left = 125, right = 30, bottom = 85, top = 66;
  [[nodiscard]] double plot_width() const { return width - left - right; }
  [[nodiscard]] double plot_height() const { return height - bottom - top; }
  /// The script's beginning, which `unset multiplot` ends.
  [[nodiscard]] std::string begin() const;
};

/// The plot of one panel: its axes and what is drawn on them.
struct Plot {
  Axis x, y;
  Canvas canvas;

  [[nodiscard]] Spot at(double x_value, double y_value) const;
  /// Adds a line through values, for names to keep off.
  void draw(const std::vector<Spot>& values);
};

/// A point with a name, in values of the axes.
struct NamedPoint {
  double x = 0, y = 0;
  std::string text;
  const char* ink = "";
  double size = 0;  // of its dot; 0: another part of the script draws it
};

/// Labels of the names, and a thin line to each that stands apart from its point. `unset label` and
/// `unset arrow` take them away.
[[nodiscard]] std::string named_points(const std::vector<NamedPoint>& points, const Plot& plot);

/// The corner where a legend of these entries covers least of the lines: "top left". It is taken
/// from then on.
[[nodiscard]] std::string legend_corner(const std::vector<std::string>& entries, Plot& plot);

}  // namespace afford
