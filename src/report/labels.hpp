#pragma once
// Where to write the names of points so that they cover neither points nor lines nor each other.

#include <string>
#include <vector>

namespace afford {

/// A place in pixels; y grows upwards.
struct Spot {
  double x = 0, y = 0;
};

struct Area {
  double left = 0, right = 0, bottom = 0, top = 0;
};

struct LabelledPoint {
  double x = 0, y = 0;
  std::string text;
};

/// What is drawn besides the points and their names.
struct Canvas {
  double width = 0, height = 0;
  std::vector<std::vector<Spot>> lines;
  std::vector<Area> taken;  // by the legend, say
};

/// Where the middle of each name goes: beside its point where there is room, else as near as it
/// covers nothing; where that is nowhere, to where it covers least.
[[nodiscard]] std::vector<Spot> place_labels(const std::vector<LabelledPoint>& points,
                                             const Canvas& canvas);

/// Whether a name stands so far from its point that a line has to lead there.
[[nodiscard]] bool stands_apart(const LabelledPoint& point, const Spot& middle);

/// Pixels of the canvas' lines inside of a box.
[[nodiscard]] double length_inside(const Canvas& canvas, const Area& box);

/// What a name or an entry of a legend takes at most, in pixels of any terminal.
inline constexpr double letter_width = 10.5, line_height = 19;

}  // namespace afford
