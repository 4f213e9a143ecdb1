#include "report/labels.hpp"

#include <algorithm>
#include <array>

namespace afford {
namespace {

constexpr double letter_width = 9, line_height = 15, gap = 9, dot = 12;

struct Rect {
  double left = 0, right = 0, bottom = 0, top = 0;
};

double overlap(const Rect& a, const Rect& b) {
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const double height = std::min(a.top, b.top) - std::max(a.bottom, b.bottom);
  return width > 0 && height > 0 ? width * height : 0;
}

Rect label_box(const LabelledPoint& p, Side side) {
  const double width = letter_width * static_cast<double>(p.text.size()), half = line_height / 2;
  switch (side) {
    case Side::right:
      return {p.x + gap, p.x + gap + width, p.y - half, p.y + half};
    case Side::left:
      return {p.x - gap - width, p.x - gap, p.y - half, p.y + half};
    case Side::above:
      return {p.x - width / 2, p.x + width / 2, p.y + gap, p.y + gap + line_height};
    case Side::below:
      break;
  }
  return {p.x - width / 2, p.x + width / 2, p.y - gap - line_height, p.y - gap};
}

double covered(const Rect& box, const std::vector<Rect>& taken, double width) {
  double area = line_height * (std::max(0.0, -box.left) + std::max(0.0, box.right - width));
  for (const Rect& other : taken) area += overlap(box, other);
  return area;
}

}  // namespace

std::vector<Side> place_labels(const std::vector<LabelledPoint>& points, double width) {
  std::vector<Rect> taken;
  for (const LabelledPoint& p : points)
    taken.push_back({p.x - dot / 2, p.x + dot / 2, p.y - dot / 2, p.y + dot / 2});
  std::vector<Side> sides;
  for (const LabelledPoint& p : points) {
    constexpr std::array all = {Side::right, Side::left, Side::above, Side::below};
    const Side best = *std::min_element(all.begin(), all.end(), [&](Side a, Side b) {
      return covered(label_box(p, a), taken, width) < covered(label_box(p, b), taken, width);
    });
    taken.push_back(label_box(p, best));
    sides.push_back(best);
  }
  return sides;
}

}  // namespace afford
