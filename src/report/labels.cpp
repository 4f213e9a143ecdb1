#include "report/labels.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace afford {
namespace {

constexpr double gap = 9, dot = 12;
// Rings of places around a point, by the pixels between it and the name.
constexpr std::array rings = {gap, 22.0, 38.0, 58.0, 82.0, 110.0};
// What a pixel of each kind is worth; a name far off is better than one that covers something.
constexpr double area_cost = 4, line_cost = 40, outside_cost = 20, distance_cost = 1;

double overlap(const Area& a, const Area& b) {
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const double height = std::min(a.top, b.top) - std::max(a.bottom, b.bottom);
  return width > 0 && height > 0 ? width * height : 0;
}

double width_of(const LabelledPoint& p) {
  return letter_width * static_cast<double>(p.text.size());
}

Area box_around(const LabelledPoint& p, const Spot& middle) {
  const double half = width_of(p) / 2;
  return {middle.x - half, middle.x + half, middle.y - line_height / 2, middle.y + line_height / 2};
}

/// Right, left, above and below, then the corners.
std::vector<Spot> places_of(const LabelledPoint& p) {
  constexpr std::array<Spot, 8> ways = {
      {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}}};
  std::vector<Spot> places;
  for (const double ring : rings) {
    for (const Spot& way : ways) {
      places.push_back(
          {p.x + way.x * (ring + width_of(p) / 2), p.y + way.y * (ring + line_height / 2)});
    }
  }
  return places;
}

double outside(const Area& box, const Canvas& canvas) {
  return std::max(0.0, -box.left) + std::max(0.0, box.right - canvas.width) +
         std::max(0.0, -box.bottom) + std::max(0.0, box.top - canvas.height);
}

struct Placed {
  std::vector<Area> dots, names;
};

double cost(const Area& box, const Canvas& canvas, const Placed& placed, size_t own) {
  double area = 0;
  for (const Area& taken : canvas.taken) area += overlap(box, taken);
  for (const Area& taken : placed.dots) area += overlap(box, taken);
  for (size_t i = 0; i < placed.names.size(); ++i)
    if (i != own) area += overlap(box, placed.names[i]);
  return area_cost * area + line_cost * length_inside(canvas, box) +
         outside_cost * outside(box, canvas);
}

/// The cheapest place of one name beside those that the others have.
Spot best_place(const LabelledPoint& p, const Canvas& canvas, const Placed& placed, size_t own) {
  Spot best;
  double least = INFINITY;
  size_t number = 0;
  for (const Spot& middle : places_of(p)) {
    const double ring = rings[number++ / 8];
    const double here =
        cost(box_around(p, middle), canvas, placed, own) + distance_cost * (ring - gap);
    if (here < least) least = here, best = middle;
  }
  return best;
}

}  // namespace

double length_inside(const Canvas& canvas, const Area& box) {
  constexpr double step = 3;
  double length = 0;
  for (const std::vector<Spot>& line : canvas.lines) {
    for (size_t i = 1; i < line.size(); ++i) {
      const Spot &a = line[i - 1], &b = line[i];
      const double whole = std::hypot(b.x - a.x, b.y - a.y);
      const double parts = std::max(1.0, std::ceil(whole / step));
      for (double part = 0; part < parts; ++part) {
        const double at = (part + 0.5) / parts, x = a.x + at * (b.x - a.x),
                     y = a.y + at * (b.y - a.y);
        const bool in = x > box.left && x < box.right && y > box.bottom && y < box.top;
        length += in ? whole / parts : 0;
      }
    }
  }
  return length;
}

bool stands_apart(const LabelledPoint& point, const Spot& middle) {
  const double across = std::fabs(middle.x - point.x) - width_of(point) / 2,
               up = std::fabs(middle.y - point.y) - line_height / 2;
  return std::max(across, up) > rings[1] - 1;
}

std::vector<Spot> place_labels(const std::vector<LabelledPoint>& points, const Canvas& canvas) {
  constexpr int rounds = 3;  // names placed first move away from later ones
  Placed placed;
  std::vector<Spot> middles(points.size());
  for (const LabelledPoint& p : points)
    placed.dots.push_back({p.x - dot / 2, p.x + dot / 2, p.y - dot / 2, p.y + dot / 2});
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < points.size(); ++i) {
      middles[i] = best_place(points[i], canvas, placed, i);
      if (round == 0) placed.names.push_back({});
      placed.names[i] = box_around(points[i], middles[i]);
    }
  }
  return middles;
}

}  // namespace afford
