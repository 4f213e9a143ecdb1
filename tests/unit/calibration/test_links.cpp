#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "calibration/links.hpp"
#include "calibration/pipeline_point.hpp"
#include "error.hpp"

using namespace afford;

TEST_SUITE_BEGIN("unit");

namespace {

LinkPoint copy(double bytes, double us, const char* by = "copy engine") {
  return {.operation = "copy", .by = by, .bytes = bytes, .us = us, .right = true};
}

}  // namespace

TEST_CASE("a link's time is straight on logarithmic scales, flat below, at the last rate above") {
  const Links links = fit_links({copy(4096, 2), copy(16384, 8), copy(65536, 16)}, {});
  REQUIRE(links.curves.size() == 1);
  const LinkCurve& curve = links.curves.front();
  CHECK(curve.at(1024) / microsecond == doctest::Approx(2));
  CHECK(curve.at(8192) / microsecond == doctest::Approx(4));
  CHECK(curve.at(16384) / microsecond == doctest::Approx(8));
  CHECK(curve.at(131072) / microsecond == doctest::Approx(32));
}

TEST_CASE("a size left out is predicted from its neighbours") {
  const Links links = fit_links({copy(4096, 2), copy(8192, 5), copy(16384, 8)}, {});
  const FitError& error = links.curves.front().error;
  CHECK(error.points == 1);
  CHECK(error.median == doctest::Approx(0.2));
  CHECK(error.worst == doctest::Approx(0.2));
}

TEST_CASE("what did not arrive right is in no curve") {
  LinkPoint wrong = copy(8192, 1);
  wrong.right = false;
  const Links links = fit_links({copy(4096, 2), wrong, copy(16384, 8)}, {});
  CHECK(links.curves.front().bytes == std::vector<double>{4096, 16384});
}

TEST_CASE("the fastest way that reaches a size is taken, else the one that reaches furthest") {
  const Links links = fit_links(
      {copy(4096, 2), copy(16384, 8), copy(4096, 1, "stores"), copy(8192, 2, "stores")}, {});
  CHECK(find_link(links, "copy", 2, 4096)->by == "stores");
  CHECK(find_link(links, "copy", 2, 16384)->by == "copy engine");
  CHECK(find_link(links, "copy", 2, 1e6)->by == "copy engine");
  CHECK(find_link(links, "copy", 4, 4096) == nullptr);
  CHECK(find_link(links, "all_reduce", 2, 4096) == nullptr);
}

TEST_CASE(
    "a collective among more GPUs than measured moves as a ring does, and waits for more flags") {
  const auto reduce = [](double bytes, double us, std::int64_t gpus) {
    return LinkPoint{.operation = "all_reduce",
                     .by = "nccl",
                     .gpus = gpus,
                     .bytes = bytes,
                     .us = us,
                     .right = true};
  };
  Links links = fit_links({reduce(3e6, 30, 2), reduce(6e6, 60, 2), reduce(2e6, 25, 4)}, {});
  links.flag = 2 * microsecond;
  const auto us = [&](std::int64_t gpus, double bytes) {
    return collective_time(links, "all_reduce", gpus, bytes).value() / microsecond;
  };
  CHECK(us(2, 3e6) == doctest::Approx(30));
  CHECK(us(4, 2e6) == doctest::Approx(25));
  // 2 (n - 1) / n of the vector over a link: 7 / 8 against 3 / 4, and one flag.
  CHECK(us(8, 4e6) == doctest::Approx(25 * 2 * 7.0 / 6 + 2));
  // On three GPUs from two: 2 / 3 against 1 / 2.
  CHECK(us(3, 3e6) == doctest::Approx(40 + 2 * std::log2(1.5)));
  CHECK_FALSE(collective_time(links, "all_reduce", 1, 1e6).has_value());
  CHECK_FALSE(collective_time(links, "all_gather", 2, 1e6).has_value());
  CHECK(measured_counts(links) == std::vector<std::int64_t>{2, 4});
}

TEST_CASE("the section of links is replaced, and nothing before it") {
  const Links links = fit_links({copy(4096, 2), copy(16384, 8)}, {});
  const std::string once = with_links("schema: 1\ncurves: []\n", links);
  CHECK(once.starts_with("schema: 1\ncurves: []\nlinks:"));
  CHECK(with_links(once, links) == once);
}

TEST_CASE("pipelines survive CSV, and a column that is none is named") {
  PipelinePoint point{.date = "2026-11-27"};
  point.model = "step-3", point.layout = "1a1f", point.layer_us = 315.25, point.slowed = true;
  point.cache = "bf16", point.requests = 16, point.context = 4096, point.layers = 61;
  point.rejected = "medians, apart";
  const auto again = parse_pipelines(pipelines_csv({point}), "afd.csv");
  REQUIRE(again.size() == 1);
  CHECK(again.front().layer_us == 315.25);
  CHECK(again.front().slowed);
  CHECK(again.front().rejected == "medians, apart");
  CHECK_THROWS_WITH_AS((void)parse_pipelines("modle\n", "afd.csv"),
                       "afd.csv:1:1: unknown column 'modle'; did you mean 'model'?", InputError);
}

TEST_CASE("pipelines that no server runs are refused at their place") {
  const auto complaint = [](void (*change)(PipelinePoint&)) -> std::string {
    PipelinePoint point{
        .date = "2026-11-27", .model = "step-3", .layout = "2a2f-tp", .cache = "fp8"};
    point.requests = 16, point.context = 4096, point.layers = 61;
    point.layer_us = point.attention_us = point.ffn_us = 100;
    change(point);
    try {
      (void)parse_pipelines(pipelines_csv({point}), "p.csv");
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  CHECK(complaint([](PipelinePoint&) {}).empty());
  CHECK(complaint([](PipelinePoint& p) { p.layout = "0a1f"; }) ==
        "p.csv:2:24: layout: expected one such as 2a1f, 2a2f-tp, ep2 and tp2, got '0a1f'");
  CHECK(complaint([](PipelinePoint& p) {
          p.requests = 9'000'000'000;
        }).ends_with("requests: expected 1 to 65536, got 9000000000"));
  CHECK(complaint([](PipelinePoint& p) {
          p.layer_us = 0;
        }).ends_with("layer_us: expected 0.001 to 1e+09 us, got 0"));
  CHECK(complaint([](PipelinePoint& p) { p.lengths = "1x34816+15x2048"; }).empty());
  CHECK(complaint([](PipelinePoint& p) { p.lengths = "1x34816+14x2048"; })
            .ends_with("lengths: expected 16 requests of 4096 tokens in the mean, such as "
                       "1x131072+31x4096, got '1x34816+14x2048'"));
  CHECK(complaint([](PipelinePoint& p) {
          p.date = "2026-13-27";
        }).starts_with("p.csv:2:1: date: expected a date"));
  CHECK(complaint([](PipelinePoint& p) {
          p.power_w = 1e300;
        }).ends_with("power_w: expected a smaller number, got '1e+300'"));
  CHECK(complaint([](PipelinePoint& p) {
          p.layer_us = 0;
          p.rejected = "slowed";
        }).empty());
}

TEST_SUITE_END();
