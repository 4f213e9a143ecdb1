#include <doctest/doctest.h>

#include <string>

#include "calibration/pipeline_layout.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("the name of a pipeline's layout says which GPUs do what") {
    const auto apart = parse_pipeline_layout("2a1f");
    REQUIRE(apart);
    CHECK(apart->pooled);
    CHECK_FALSE(apart->tensor);
    CHECK(apart->attention == 2);
    CHECK(apart->ffn == 1);
    CHECK(apart->gpus() == 3);
    const auto cut = parse_pipeline_layout("1a3f-tp");
    REQUIRE(cut);
    CHECK(cut->tensor);
    CHECK(cut->gpus() == 4);
    const auto together = parse_pipeline_layout("tp4");
    REQUIRE(together);
    CHECK_FALSE(together->pooled);
    CHECK(together->tensor);
    CHECK(together->gpus() == 4);
    CHECK_FALSE(parse_pipeline_layout("ep2")->tensor);
  }

  TEST_CASE("other names are no layout of a pipeline") {
    for (const std::string name : {"", "-tp", "2a", "2a1", "0a1f", "2a0f", "2a1f-ep", "10a1f", "ep",
                                   "ep0", "ep10", "dp2", "2A1F", "ep2-tp", "2a1f-tp-tp"})
      CHECK_MESSAGE(!parse_pipeline_layout(name), name);
  }
}
