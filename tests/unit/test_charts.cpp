#include <doctest/doctest.h>

#include "report/charts.hpp"
#include "report/replay_chart.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("gnuplot strings cannot escape their quotes") {
    CHECK(gnuplot_text("it's `date`") == "'it''s `date`'");
    CHECK(gnuplot_text("two\nlines") == "'two\\nlines'");
  }

  TEST_CASE("every model of a chart is drawn") {
    const Chart chart = cost_by_context({{"m1", 4096, 1e9, 0.1, 0.2}, {"m2", 4096, 2e9, 0.3, 0.4}});
    CHECK(chart.script.find("title 'm1'") != std::string::npos);
    CHECK(chart.script.find("title 'm2'") != std::string::npos);
  }

  TEST_CASE("a replay's picture has a line of each row in every panel, in hours where it is long") {
    ReplayLine line{.name = "EP16, 2/s",
                    .loads = {{0, 1, 0, 5}, {36'000, 7, 2.5, 40}},
                    .first_tokens = {{50, 120}, {99, 900}},
                    .tokens = {{50, 20}, {99, 31}}};
    ReplayLine other = line;
    other.name = "EP16, 3/s";
    const std::string both = replay_chart({line, other}).script;
    CHECK(both.find("title 'EP16, 2/s'") != std::string::npos);
    CHECK(both.find("title 'EP16, 3/s'") != std::string::npos);
    CHECK(both.find("$load0 << EOD\n0 1 0 5\n10 7 2.5 40\nEOD\n") != std::string::npos);
    CHECK(both.find("set xlabel 'hours'") != std::string::npos);
    CHECK(both.find("$first1 << EOD\n120 50\n900 99\nEOD\n") != std::string::npos);
    CHECK(both.find("time to the first token, ms") != std::string::npos);
    line.first_tokens.clear();
    CHECK(replay_chart({line}).script.find("time to the first token, ms") == std::string::npos);
  }

  TEST_CASE("contexts beside the points of an intensity map are no strings of gnuplot") {
    const Chart chart =
        intensity_map({{"m", 8192, 1e8, 1e10}, {"m", 32768, 4e8, 4e10}}, {{"chip", 300}});
    CHECK(chart.script.find("set label '8K' at ") != std::string::npos);
    CHECK(chart.script.find("set label '32K' at ") != std::string::npos);
    CHECK(chart.script.find("\n1e+08 1e+10\n") != std::string::npos);  // no name in the data
  }

  TEST_CASE("a note stands in a corner of the picture, before anything is drawn") {
    const Chart chart = with_note({.script = "plot x\n"}, "it's partial");
    CHECK(chart.script.starts_with("set label "));
    CHECK(chart.script.ends_with(
        " 'it''s partial' at screen 0.01,0.02 left textcolor rgb '#b00020'\nplot x\n"));
  }
}
