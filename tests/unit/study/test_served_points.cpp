#include <doctest/doctest.h>

#include "error.hpp"
#include "study/served_points.hpp"

using namespace afford;
using namespace afford::study;

namespace {

const std::string header = "engine,model,chip,mode,isl,osl,concurrency_or_batch,tp,tpot_ms";
const std::string row = "vllm,Qwen/Qwen3-32B,h100,mixed,1024,512,16,2,12.5";

std::string complaint(const std::string& text) {
  try {
    (void)parse_served_points(text, "points.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("served points are read in any order of columns, most of which may be missing") {
    const auto points = parse_served_points(
        "tpot_ms,ttft_ms," + header.substr(0, header.rfind(',')) + ",attention_dp,source\n12.5,," +
            row.substr(0, row.rfind(',')) + ",,\"a, b\"\n",
        "points.csv");
    REQUIRE(points.size() == 1);
    const ServedPoint& point = points.front();
    CHECK(point.engine == "vllm");
    CHECK(point.tp == 2);
    CHECK(point.tpot_ms == 12.5);
    CHECK(point.concurrency_or_batch == 16);
    CHECK_FALSE(point.ttft_ms.has_value());
    CHECK_FALSE(point.attention_dp.has_value());
    CHECK(point.source == "a, b");
    CHECK(point.id == "line 2");
    CHECK(point.mixed());
  }

  TEST_CASE("an empty cell is no zero: only what may be missing can be empty") {
    CHECK(complaint(header + "\nvllm,m,h100,mixed,1024,512,16,2,\n") ==
          "points.csv:2:33: tpot_ms: expected a number of zero or more, got ''");
  }

  TEST_CASE("a served point's faults are named with their place") {
    CHECK(complaint("engin," + header.substr(7) + "\n" + row) ==
          "points.csv:1:1: unknown column 'engin'; did you mean 'engine'?");
    CHECK(complaint(header.substr(0, header.rfind(',')) + "\n" + row) ==
          "points.csv:1:1: missing column 'tpot_ms'");
    CHECK(complaint(header + "\nvllm,m,h100,mixd,1024,512,16,2,3\n") ==
          "points.csv:2:13: mode: no mode 'mixd'; did you mean 'mixed'?");
    CHECK(complaint(header + "\nvllm,m,h100,mixed,1024,512,0,2,3\n") ==
          "points.csv:2:28: concurrency_or_batch: expected a number from 0.001 to 1e+06, got 0");
    CHECK(complaint(header + "\nvllm,m,h100,mixed,1024,512,1,x,3\n") ==
          "points.csv:2:30: tp: expected a whole number of zero or more, got 'x'");
    CHECK(complaint(header + ",attention_dp\n" + row + ",-1\n") ==
          "points.csv:2:51: attention_dp: expected a number of zero or more, or nothing, got '-1'");
    for (const std::string name : {"workers", "moe_tp", "moe_ep"}) {
      CHECK(complaint(header + "," + name + "\n" + row + ",9223372036854775807\n") ==
            "points.csv:2:51: " + name +
                ": expected a number from 0 to 65536, got 9.223372036854776e+18");
    }
    CHECK(complaint("") == "points.csv: expected served points as CSV, got an empty file");
  }
}
