#include <doctest/doctest.h>

#include <cmath>

#include "load/library.hpp"
#include "study/engine_file.hpp"
#include "study/engine_fit.hpp"
#include "support.hpp"

using namespace afford;
using namespace afford::study;

namespace {

Engine engine_called(const std::string& name) { return load_engines({name}).front(); }

const FittedParameter& parameter(const EngineFit& fit, std::string_view section,
                                 std::string_view key) {
  for (const FittedParameter& p : fit.parameters) {
    if (p.parameter->section == section && p.parameter->key == key) return p;
  }
  FAIL("no parameter " << section << "." << key);
  return fit.parameters.front();
}

std::vector<std::pair<double, double>> lengths_and_batches() {
  std::vector<std::pair<double, double>> all;
  for (const double isl : {125, 250, 500, 1000, 2000, 4000, 8000}) {
    for (const double batch : {1, 4, 16, 64, 256}) all.emplace_back(isl, batch);
  }
  return all;
}

/// Dense points on H100 as `truth` would serve them, over tensor parallelism and batch.
std::vector<ServedPoint> made_points(const Engine& truth, ServedLibrary& library) {
  std::vector<ServedPoint> points;
  for (const std::string model : {"Qwen/Qwen3-32B", "meta-llama/Llama-3.1-8B"}) {
    for (const std::int64_t tp : {1, 2, 4, 8}) {
      for (const auto& [isl, batch] : lengths_and_batches()) {
        ServedPoint point;
        point.engine = "vllm";
        point.model = model;
        point.chip = "h100";
        point.mode = "mixed";
        point.isl = isl;
        point.osl = 500;
        point.concurrency_or_batch = batch;
        point.tp = tp;
        point.tpot_ms = 190;  // anything that can be
        const auto set_up = library.set_up(point, truth);
        const ServedTime time = served_time(std::get<ServedDeployment>(set_up), truth);
        if (time.tpot > 150 * millisecond) continue;
        point.tpot_ms = time.tpot / millisecond;
        point.ttft_ms = time.first_token / millisecond;
        points.push_back(point);
      }
    }
  }
  return points;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a fit finds the engine that made the points, and says what they cannot tell") {
    Engine truth = engine_called("vllm");
    truth.time.kernel.hopper = 4.2 * microsecond;
    truth.time.request = 20 * microsecond;
    truth.time.prompts.dense = 0.5;
    truth.time.prompts.first_token = 9;
    ServedLibrary library;
    std::map<std::string, size_t> reasons;
    const EngineFit fit = fit_engine(
        set_up_points(made_points(truth, library), truth, library, reasons), engine_called("vllm"));
    CHECK(reasons.empty());
    CHECK(fit.series == 8);
    CHECK(fit.error.median < 0.02);
    CHECK(fit.left_out_error.median < 0.03);
    const FittedParameter& kernel = parameter(fit, "hopper", "kernel");
    CHECK(kernel.determined);
    CHECK(kernel.value == doctest::Approx(4.2e-6).epsilon(0.05));
    CHECK(parameter(fit, "prompts", "dense").value == doctest::Approx(0.5).epsilon(0.05));
    CHECK(fit.first_tokens > 50);
    CHECK(fit.first_tokens < fit.points);
    // The truth is an engine, so series left out are met as well as the others.
    CHECK(fit.first_token_series > 1);
    CHECK(fit.first_token_series <= fit.series);
    CHECK(fit.first_token_spread.between < 0.05);
    CHECK(fit.first_token_spread.within < 0.05);
    CHECK(parameter(fit, "prompts", "first_token").value == doctest::Approx(9).epsilon(0.02));
    // No Blackwell, no experts.
    for (const auto& [section, key] : {std::pair{"blackwell", "kernel"}, {"prompts", "experts"}}) {
      const FittedParameter& unseen = parameter(fit, section, key);
      CHECK_FALSE(unseen.determined);
      CHECK(unseen.value == unseen.base);
      CHECK(unseen.posterior == doctest::Approx(unseen.prior));
    }
  }

  // docs/engines.md has the command lines. From the numbers that all engines share, the points that
  // come with afford lead back to what the whole collection gave for this engine.
  TEST_CASE("the points that come with afford give TensorRT-LLM's profile again") {
    const Engine shipped = engine_called("tensorrt-llm");
    Engine base = engine_called("served");
    base.time.kernels = shipped.time.kernels;
    std::vector<ServedPoint> points;
    for (const ServedPoint& point :
         read_served_points((data_folder() / "validation" / "served.csv").string())) {
      if (point.engine == "trtllm") points.push_back(point);
    }
    ServedLibrary library;
    std::map<std::string, size_t> reasons;
    const EngineFit fit = fit_engine(set_up_points(points, base, library, reasons), base);
    CHECK(fit.points == points.size());
    const auto near = [&](std::string_view section, std::string_view key, Seconds expected) {
      const FittedParameter& p = parameter(fit, section, key);
      CAPTURE(key);
      CAPTURE(p.value);
      CHECK(p.determined);
      CHECK(std::fabs(std::log(p.value / expected.base())) < 2 * p.posterior);
    };
    near("hopper", "kernel", shipped.time.kernel.hopper);
    near("blackwell", "kernel", shipped.time.kernel.blackwell);
    CHECK(fit.error.median < 0.10);
    CHECK(fit.left_out_error.median < 0.12);
  }

  TEST_CASE(
      "a fitted engine is written as a file that reads back, with what was determined alone") {
    Engine truth = engine_called("vllm");
    truth.time.kernel.hopper = 4.2 * microsecond;
    ServedLibrary library;
    std::map<std::string, size_t> reasons;
    const EngineFit fit = fit_engine(
        set_up_points(made_points(truth, library), truth, library, reasons), engine_called("vllm"));
    const std::string text = engine_file(fit, {.name = "mine",
                                               .command = "afford fit-engine p.csv -o mine.yaml",
                                               .points = "p.csv",
                                               .date = "2026-11-26"});
    CHECK(text.find("blackwell") == std::string::npos);
    const test::TempFolder folder;
    const Engine read = engine_called(folder.file("mine.yaml", text));
    CHECK(read.base == "vllm");
    CHECK(read.time.kernel.hopper.base() ==
          doctest::Approx(fit.engine.time.kernel.hopper.base()).epsilon(1e-3));
    CHECK(read.time.kernel.blackwell == truth.time.kernel.blackwell);
  }

  TEST_CASE("fewer than three usable points are no fit") {
    const test::TempFolder folder;
    const std::string file =
        folder.file("points.csv",
                    "engine,model,chip,mode,isl,osl,concurrency_or_batch,tp,tpot_ms\n"
                    "vllm,Qwen/Qwen3-32B,h101,mixed,1024,512,16,2,12.5\n"
                    "vllm,Qwen/Qwen3-32B,h100,mixed,1024,512,16,2,12.5\n");
    CHECK_THROWS_WITH((void)fit_engine({.points = file, .base = "vllm"}),
                      (file + ": 1 of its points can be set up, a fit wants 3; of the others: no "
                              "hardware 'h101'")
                          .c_str());
  }
}
