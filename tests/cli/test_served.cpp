#include <doctest/doctest.h>

#include "support.hpp"

using namespace afford;
using test::run_afford;

TEST_SUITE("cli") {
  TEST_CASE("validate --served: one row a point, in the columns that scripts join on") {
    const auto rows = test::parse_csv(run_afford("validate --served shipped --format csv").out);
    const std::vector<std::string> contract = {"id",
                                               "engine",
                                               "chip",
                                               "model",
                                               "mode",
                                               "measured_tpot_ms",
                                               "predicted_tpot_ms",
                                               "low_ms",
                                               "high_ms",
                                               "aiconfigurator_tpot_ms",
                                               "why_not"};
    REQUIRE(rows.size() > 100);
    REQUIRE(rows[0].size() >= contract.size());
    for (size_t i = 0; i < contract.size(); ++i) CHECK(rows[0][i] == contract[i]);
    const std::string people = run_afford("validate --served shipped").out;
    CHECK(people.find("aiconfigurator's") != std::string::npos);
  }

  TEST_CASE("validate: options of served points want served points") {
    const auto complaint = [](const std::string& arguments) {
      const test::Outcome outcome = run_afford("validate " + arguments);
      CHECK(outcome.code == 2);
      CHECK(outcome.out.empty());
      return outcome.err;
    };
    CHECK(complaint("--engine vllm") ==
          "afford: --engine is for --served; the cases have assumptions of their own\n");
    CHECK(complaint("--plot p.svg") ==
          "afford: --plot draws served points or pipelines; give --served or --afd too\n");
    CHECK(complaint("--served shipped --calibration none") ==
          "afford: --served stands alone: neither --tables nor --calibration goes with it\n");
    CHECK(complaint("--served shipped --engine vlm")
              .starts_with("afford: no engine named 'vlm' in "));
  }

  TEST_CASE("fit-engine writes an engine that validate takes, or nothing") {
    const test::TempFolder folder;
    const std::string points =
        folder.file("points.csv",
                    "engine,model,chip,mode,isl,osl,concurrency_or_batch,tp,tpot_ms\n"
                    "vllm,Qwen/Qwen3-32B,h100,mixed,1024,512,4,2,15\n"
                    "vllm,Qwen/Qwen3-32B,h100,mixed,1024,512,16,2,17\n"
                    "vllm,Qwen/Qwen3-32B,h100,mixed,1024,512,64,2,24\n"
                    "vllm,Qwen/Qwen3-32B,h100,mixed,1024,512,4,4,10\n");
    const std::string mine = folder.path("mine.yaml");
    const test::Outcome fitted =
        run_afford("fit-engine " + points + " -o " + mine + " --date 2026-11-26");
    CHECK(fitted.code == 0);
    CHECK(fitted.out.starts_with("vllm fitted to 4 points in 2 series\n"));
    CHECK(run_afford("validate --served " + points + " --engine " + mine).code == 0);
    const std::string other = folder.path("other.yaml");
    const test::Outcome refused =
        run_afford("fit-engine " + points + " -o " + other + " --date yesterday");
    CHECK(refused.code == 2);
    CHECK(refused.err == "afford: --date: expected a date such as 2026-11-26, got 'yesterday'\n");
    CHECK(folder.entries() == 2);
  }
}
