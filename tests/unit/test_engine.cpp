#include <doctest/doctest.h>

#include <stdexcept>

#include "calibration_support.hpp"
#include "engine.hpp"
#include "error.hpp"
#include "layer/attention_side.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "load/readers.hpp"
#include "support.hpp"
#include "yaml/document.hpp"

using namespace afford;
using doctest::Approx;

namespace {

/// The number, flag or seconds of a parameter.
double number(Engine engine, const EngineParameter& parameter) {
  struct Number {
    Engine& engine;
    double operator()(EngineParameter::Number at) const { return at(engine); }
    double operator()(EngineParameter::Time at) const { return at(engine).base(); }
    double operator()(EngineParameter::Size at) const { return at(engine).base(); }
    double operator()(EngineParameter::Flag at) const { return at(engine) ? 1 : 0; }
  };
  return std::visit(Number{engine}, parameter.at);
}

/// The core of `model` at 128 requests of 16K on one accelerator.
Op core_of(const ModelSpec& model, const HardwareSpec& chip, const Engine& engine) {
  const LayerShape shape = layer_shapes(model).front();
  const Machine machine(chip, engine);
  const AttentionWork work{.requests = 128, .context = 16384};
  for (const Op& op : attention_ops(model, shape, work, machine)) {
    if (op.name == "core attention") return op;
  }
  throw std::runtime_error("no core");
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("an engine of no file is engines/ideal.yaml") {
    const Engine ideal = load_engines({"ideal"}).front();
    for (const EngineParameter& parameter : engine_parameters()) {
      CAPTURE(parameter.section);
      CAPTURE(parameter.key);
      CHECK(number(ideal, parameter) == number(Engine{}, parameter));  // to the last digit
    }
  }

  TEST_CASE("engines/afford.yaml says what the kernels of afford-calibrate do") {
    const Engine written = load_engines({"afford"}).front();
    for (const EngineParameter& parameter : engine_parameters()) {
      CAPTURE(parameter.section);
      CAPTURE(parameter.key);
      if (parameter.section == "runtime") continue;  // of its pipelines, not of its kernels
      CHECK(number(written, parameter) == Approx(number(calibrate::kernels(), parameter)));
    }
    CHECK(written.runtime.there());
    CHECK(number(calibrate::kernels(), engine_parameters()[2]) ==
          test::measured_kernels().attention_tile);
  }

  TEST_CASE("every number of every engine has a source, its own or that of its base") {
    for (const Engine& engine : load_engines({"all"})) {
      CAPTURE(engine.name);
      REQUIRE(engine.citations.size() == engine_parameters().size());
      for (const std::string& citation : engine.citations)
        CHECK(citation.find("(20") != std::string::npos);
    }
    const Engine afford = load_engines({"afford"}).front();
    CHECK(afford.citations[0].starts_with("ideal: "));             // attention.memory
    CHECK(afford.citations[2].starts_with("afford-calibrate: "));  // attention.query_tile
  }

  TEST_CASE("a query tile is data") {
    const test::TempFolder folder;
    const std::string file = folder.file("wide.yaml",
                                         "schema: 1\nname: wide\ntitle: A kernel that pads to 32\n"
                                         "base: ideal\n"
                                         "sources:\n  own: {what: made up, date: 2026}\n"
                                         "attention: {query_tile: {value: 32, source: own}}\n");
    const ModelSpec model = load_models({"qwen3-moe"}).front();  // 16 query heads a KV head
    const HardwareSpec h20 = load_hardware({"h20"}).front();
    const double padded = core_of(model, h20, load_engines({file}).front()).flops /
                          core_of(model, h20, Engine{}).flops;
    CHECK(padded == Approx(2));
  }

  TEST_CASE("a calibrated time is that of the measured kernel, tile and all") {
    const ModelSpec model = load_models({"qwen3-moe"}).front();
    std::vector<HardwareSpec> chips = load_hardware({"h20"});
    const Op sheet = core_of(model, chips.front(), Engine{});
    attach_calibrations(pointers_to(chips), "h200");
    const Op measured = core_of(model, chips.front(), Engine{});
    CHECK(measured.flops / sheet.flops == Approx(4));  // 16 rows padded to 64
    const Op flashinfer = core_of(model, chips.front(), load_engines({"flashinfer"}).front());
    CHECK(flashinfer.flops / sheet.flops == Approx(1));
    CHECK(flashinfer.time < measured.time);  // padding binds on an H20
  }

  TEST_CASE("an engine may build on one that builds on another, but not on itself") {
    const test::TempFolder folder;
    const std::string head = "schema: 1\nname: x\ntitle: X\nsources: {}\n";
    const std::string ring = folder.file("ring.yaml", "");
    (void)folder.file("ring.yaml", head + "base: " + ring + "\n");
    CHECK_THROWS_WITH_AS((void)load_engines({ring}),
                         (ring + ":5:7: base: more than 8 bases: do they form a ring?").c_str(),
                         InputError);
    const std::string once = folder.file("once.yaml", head + "base: afford\n");
    const std::string twice = folder.file("twice.yaml", head + "base: " + once + "\n");
    CHECK(load_engines({twice}).front().attention_tile == 64);
  }
}
