#include <doctest/doctest.h>

#include "error.hpp"
#include "load/readers.hpp"
#include "support.hpp"
#include "yaml/document.hpp"

using namespace afford;

namespace {

constexpr std::string_view engine_yaml = R"(schema: 1
name: mine
title: My engine
base: ideal
sources:
  run: {what: my own run, date: 2026-11}
attention:
  memory: {value: 0.8, source: run}
kernel:
  time: {value: 7 us, source: run}
)";

std::string engine_after(std::string_view from, std::string_view to) {
  const std::string text = test::replaced(engine_yaml, from, to);
  try {
    (void)read_engine(yaml::parse(text, "e.yaml"), "e.yaml");
  } catch (const InputError& error) {
    return error.what();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_SUITE("errors") {
  TEST_CASE("the engine fixture itself is sound") {
    CHECK(engine_after("7 us", "8 us") == "no error");
  }

  TEST_CASE("an engine's keys and values") {
    CHECK(engine_after("  memory:", "  memry:") ==
          "e.yaml:8:10: unknown key 'memry' in 'attention'; did you mean 'memory'?");
    CHECK(engine_after("kernel:", "kernal:") ==
          "e.yaml:9:1: unknown key 'kernal' in 'engine'; did you mean 'kernel'?");
    CHECK(engine_after("value: 0.8", "value: 1.8") ==
          "e.yaml:8:19: attention.memory.value: expected a number from 0.01 to 1, got '1.8'");
    CHECK(engine_after("7 us", "7") ==
          "e.yaml:10:17: kernel.time.value: expected a time such as '50 ms', got '7'");
    CHECK(engine_after("7 us", "7 s") == "e.yaml:10:17: kernel.time.value: expected 0 to 1 s");
    CHECK(engine_after("source: run}\nkernel", "source: walk}\nkernel") ==
          "e.yaml:8:32: attention.memory.source: no source 'walk' in 'sources'; expected run");
  }

  TEST_CASE("an engine without a base states everything") {
    CHECK(engine_after("base: ideal\n", "") ==
          "e.yaml:1:1: missing 'attention.compute', and no 'base' to take it from");
    CHECK(engine_after("base: ideal", "base: ideel")
              .starts_with("e.yaml:4:7: no engine named 'ideel' in "));
  }
}
