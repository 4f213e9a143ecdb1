#include <doctest/doctest.h>

#include <cmath>

#include "report/labels.hpp"

using namespace afford;

namespace {

Area box_of(const LabelledPoint& point, const Spot& middle) {
  const double half = letter_width * static_cast<double>(point.text.size()) / 2;
  return {middle.x - half, middle.x + half, middle.y - line_height / 2, middle.y + line_height / 2};
}

bool overlap(const Area& a, const Area& b) {
  return a.left < b.right && b.left < a.right && a.bottom < b.top && b.bottom < a.top;
}

/// Whether every name is inside and covers no point, no line and no other name.
bool all_clear(const std::vector<LabelledPoint>& points, const Canvas& canvas) {
  const std::vector<Spot> middles = place_labels(points, canvas);
  for (size_t i = 0; i < points.size(); ++i) {
    const Area box = box_of(points[i], middles[i]);
    if (box.left < 0 || box.right > canvas.width || box.bottom < 0 || box.top > canvas.height)
      return false;
    if (length_inside(canvas, box) > 0) return false;
    for (const Area& taken : canvas.taken)
      if (overlap(box, taken)) return false;
    for (size_t j = 0; j < points.size(); ++j) {
      const LabelledPoint& p = points[j];
      if (overlap(box, {p.x - 3, p.x + 3, p.y - 3, p.y + 3})) return false;
      if (j != i && overlap(box, box_of(p, middles[j]))) return false;
    }
  }
  return true;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("names of points side by side go to different sides") {
    const std::vector<LabelledPoint> points = {{150, 100, "left-one"}, {200, 100, "right-one"}};
    const Canvas canvas{.width = 500, .height = 300};
    const std::vector<Spot> middles = place_labels(points, canvas);
    CHECK(middles[0].x < 150);
    CHECK(middles[1].x > 200);
    CHECK_FALSE(stands_apart(points[0], middles[0]));
    CHECK(all_clear(points, canvas));
    const std::vector<LabelledPoint> edge = {{490, 50, "at-the-edge"}};
    CHECK(place_labels(edge, canvas)[0].x < 490);
  }

  TEST_CASE("names cover nothing where four lines end in one place") {
    Canvas canvas{.width = 500, .height = 400};
    std::vector<LabelledPoint> points;
    for (int line = 0; line < 4; ++line) {
      const double end = 100 + 6.0 * line;  // crossing on the way there
      canvas.lines.push_back({{20, 380 - 60.0 * line}, {250, 160 - 10.0 * line}, {480, end}});
      points.push_back({480, end, "2A2F h800 + h20"});
    }
    canvas.taken.push_back({300, 500, 320, 400});  // a legend
    CHECK(all_clear(points, canvas));
    const std::vector<Spot> middles = place_labels(points, canvas);
    CHECK(stands_apart(points[1], middles[1]));
  }

  TEST_CASE("a line counts as far as it lies in the box") {
    const Canvas canvas{.width = 100, .height = 100, .lines = {{{0, 50}, {100, 50}}}};
    CHECK(std::fabs(length_inside(canvas, {20, 60, 40, 60}) - 40) < 3);
    CHECK(length_inside(canvas, {20, 60, 60, 80}) == 0);
  }
}
