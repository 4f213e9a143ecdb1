#include <doctest/doctest.h>

#include "report/frontier_chart.hpp"
#include "report/panels.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("an axis gives back the value of a place") {
    for (const Axis& axis : {Axis{.low = 0, .high = 80}, Axis{0.1, 100, true}}) {
      CHECK(axis.at(axis.low) == doctest::Approx(0));
      CHECK(axis.at(axis.high) == doctest::Approx(1));
      for (const double value : {0.5, 7.0, 63.0})
        CHECK(axis.value(axis.at(value)) == doctest::Approx(value));
    }
    CHECK(Axis{1, 100, true}.at(10) == doctest::Approx(0.5));
  }

  TEST_CASE("plots of panels have the pixels that names are placed in") {
    const Panels panels{.width = 500, .height = 400, .across = 2, .down = 1};
    CHECK(panels.plot_width() == 345);
    CHECK(panels.plot_height() == 249);
    CHECK(panels.begin() ==
          "set multiplot layout 1,2 margins 0.125,0.97,0.2125,0.835 spacing 0.155,0.3775\n");
  }

  TEST_CASE("a legend goes to the corner that lines leave free") {
    Plot rising{.x = {.high = 1}, .y = {.high = 1}, .canvas = {.width = 500, .height = 400}};
    Plot falling = rising;
    rising.draw({{0, 0}, {1, 1}});
    falling.draw({{0, 1}, {1, 0}});
    CHECK(legend_corner({"a model"}, rising) == "top left");
    CHECK(legend_corner({"a model"}, falling) == "top right");
    REQUIRE(falling.canvas.taken.size() == 1);
    CHECK(falling.canvas.taken[0].right == 500);
  }

  TEST_CASE("a name begins beside its point, whatever its letters are wide") {
    const Plot plot{
        .x = {.high = 100}, .y = {.high = 100}, .canvas = {.width = 500, .height = 400}};
    const std::string right = named_points({{20, 50, "name", "#000000", 1}}, plot);
    CHECK(right.starts_with(
        "set label 'name' at 21.8,50 left front"));  // nine pixels of five hundred
    const std::string left = named_points({{99, 50, "name", "#000000", 1}}, plot);
    CHECK(left.starts_with("set label 'name' at 97.2,50 right front"));
  }

  TEST_CASE("a frontier says what it shows, and shades the intervals that are known") {
    std::vector<FrontierPoint> points = {
        {.line = "m", .context = 8192, .x = 20, .value = 100, .low = 18, .high = 23},
        {.line = "m",
         .context = 8192,
         .x = 30,
         .value = 200,
         .low = 26,
         .high = 35,
         .winner = "2A2F h20"}};
    const FrontierAxes axes{.x = "time per output token, ms", .y = "tokens/s a GPU", .limit = 50};
    const std::string script = frontier_chart(points, axes).script;
    const auto has = [](const std::string& in, const char* text) {
      return in.find(text) != std::string::npos;
    };
    CHECK(has(script, "$p0_0b << EOD\n18 100\n26 200\n35 200\n23 100\nEOD\n"));
    CHECK(has(script, "set title 'Frontier of tokens/s a GPU at 8K tokens of context'\n"));
    CHECK(has(script, "set xlabel 'time per output token, ms (shaded: 90 % interval)'\n"));
    CHECK(has(script, "set label '2A2F h20' at "));
    for (FrontierPoint& point : points) point.low = point.high = 0;
    const std::string bare = frontier_chart(points, axes).script;
    CHECK_FALSE(has(bare, "filledcurves"));
    CHECK(has(bare, "set xlabel 'time per output token, ms'\n"));
  }
}
