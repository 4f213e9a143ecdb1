#include <doctest/doctest.h>

#include <cmath>

#include "device_class.hpp"
#include "gates.hpp"
#include "progress.hpp"
#include "statistics.hpp"

using namespace afford;
using namespace afford::calibrate;

TEST_SUITE_BEGIN("unit");

namespace {

/// 4.5 GB in 1 ms: 4.5 TB/s, steady and right.
Point good_point() {
  Point point;
  point.operation = "mfa_decode";
  point.bytes = 4.5e9;
  point.median_us = 1000, point.p25_us = 995, point.p75_us = 1005;
  point.error = 0.001, point.tolerance = 0.01;
  return point;
}
constexpr double roof = 4.6e12;

}  // namespace

TEST_CASE("a steady, right point below the roof counts") {
  CHECK(failed_gate(good_point(), {.drift = 0.07}, roof).empty());
}

TEST_CASE("samples that the power cap moves to and fro count, as their medians stay") {
  Point point = good_point();
  point.p25_us = 950, point.p75_us = 1050;
  CHECK(failed_gate(point, {.drift = 0.002}, roof).empty());
}

TEST_CASE("each gate rejects with its reason") {
  Point point = good_point();
  point.error = 0.02;
  CHECK(failed_gate(point, {}, roof) == "error 0.02, more than 0.01");
  CHECK(failed_gate(good_point(), {.drift = 0.09}, roof) ==
        "medians of windows 9.0 % apart, more than 8 %");
  CHECK(failed_gate(good_point(), {.slowed_down = true}, roof) ==
        "slowed down by heat or power supply");
  CHECK(failed_gate(good_point(), {}, 4.3e12) == "1.05 of the read roof, more than 1.02");
  point = good_point();
  point.median_us = 0;
  CHECK(failed_gate(point, {}, roof) == "not measured");
}

TEST_CASE("an error that is no number is rejected") {
  Point point = good_point();
  point.error = std::nan("");
  CHECK_FALSE(failed_gate(point, {}, roof).empty());
}

TEST_CASE("the read roof bounds no other roof, nor a larger read, nor a point measured before it") {
  Point point = good_point();
  for (const char* roofs : {"read", "read_parts", "write", "copy", "l2_read"}) {
    point.operation = roofs;
    CHECK(failed_gate(point, {}, 4e12).empty());
  }
  CHECK(failed_gate(good_point(), {}, 0).empty());
}

TEST_CASE("launches may vary more, but not without end") {
  Point point = good_point();
  point.operation = "launch_stream", point.bytes = 0;
  CHECK(failed_gate(point, {.drift = 0.15}, roof).empty());
  CHECK_FALSE(failed_gate(point, {.drift = 0.3}, roof).empty());
}

TEST_CASE("the read roof is the fastest read that counts") {
  Point slow = good_point(), fast = good_point(), wrong = good_point();
  slow.operation = fast.operation = wrong.operation = "read";
  slow.median_us = 1100, wrong.median_us = 500, wrong.rejected = "interquartile range";
  CHECK(read_roof({slow, fast, wrong, good_point()}) == doctest::Approx(4.5e12));
  CHECK(read_roof({}) == 0);
}

TEST_CASE("roof drift compares the same roof at the start and at the end") {
  Point start = good_point(), end = good_point(), other = good_point();
  start.operation = end.operation = other.operation = "read";
  end.median_us = 1020, other.bytes = 1e9, other.median_us = 1;
  CHECK(roof_drift({other, start}, {end}) == doctest::Approx(0.02));
  CHECK(roof_drift({other}, {end}) == 0);
}

TEST_CASE("quantiles interpolate between neighbours") {
  CHECK(quantile({1, 2, 3, 4}, 0.5) == 2.5);
  CHECK(quantile({1, 2, 3, 4}, 0.25) == 1.75);
  CHECK(quantile({7}, 0.9) == 7);
  CHECK(median({3, 1, 2}) == 2);
}

TEST_CASE("medians of windows tell drift from noise") {
  CHECK(spread_of_medians({90, 110, 90, 110, 90, 110, 90, 110}, 4) == 0);
  CHECK(spread_of_medians({100, 100, 101, 101, 102, 102, 103, 103}, 4) ==
        doctest::Approx(3 / 101.5));
  CHECK(spread_of_medians({100, 100, 104, 104, 108}, 2) == doctest::Approx(4.0 / 104));
  CHECK(spread_of_medians({100, 200, 300}, 2) == 0);
}

TEST_CASE("time left follows the pace, and the expectation before the first point") {
  CHECK(time_left({.weight_all = 100}) == 100);
  CHECK(time_left({.weight_done = 20, .weight_all = 100, .elapsed = 40}) == 160);
  CHECK(time_left({.weight_done = 101, .weight_all = 100, .elapsed = 40}) == 0);
  CHECK(progress_line({.done = 7, .all = 120, .weight_done = 20, .weight_all = 100, .elapsed = 20},
                      "read") == "[  7/120] 1:20 left  read");
}

TEST_CASE("a GPU is filed under its chip") {
  CHECK(device_class("NVIDIA H200", 150e9) == "h200");
  CHECK(device_class("NVIDIA H100 80GB HBM3", 85e9) == "h100");
  CHECK(device_class("NVIDIA H100 SXM5 80GB", 85e9) == "h100");
  CHECK(device_class("NVIDIA H100 NVL", 100e9) == "h100-nvl");
  CHECK(device_class("NVIDIA H100 PCIe", 85e9) == "h100-pcie");
  CHECK(device_class("NVIDIA H800", 85e9) == "h800");
  CHECK(device_class("NVIDIA H20", 102e9) == "h20");
  CHECK(device_class("NVIDIA H20", 150e9) == "h20-3e");
  CHECK(device_class("NVIDIA GH200 480GB", 102e9) == "gh200");
}

TEST_SUITE_END();
