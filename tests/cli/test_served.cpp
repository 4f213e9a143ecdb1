#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support.hpp"

using namespace afford;
using test::run_afford;

namespace {

/// The rows that a command writes.
nlohmann::json rows_of(const std::string& command) {
  return nlohmann::json::parse(run_afford(command + " --format json").out);
}

}  // namespace

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

  // The points and pipelines that the page of `explore` draws upon a frontier.
  TEST_CASE("validate says what a measured server and a measured pipeline yield on a GPU") {
    const test::TempFolder folder;
    const std::string points =
        folder.file("points.csv",
                    "engine,model,chip,mode,isl,osl,concurrency_or_batch,tp,tpot_ms\n"
                    "vllm,Qwen/Qwen3-32B,h100,mixed,1024,512,64,2,24\n"
                    "vllm,Qwen/Qwen3-0,h100,mixed,1024,512,64,2,24\n");
    const nlohmann::json served = rows_of("validate --served " + points);
    CHECK(served[0]["library_model"] == "qwen3-32b");
    CHECK(served[0]["context_tokens"] == 1280);  // its prompt and half of its output
    CHECK(served[0]["gpus"] == 2);
    CHECK(served[0]["requests"] == 64);
    CHECK(served[0]["tokens_per_gpu_s"].get<double>() == doctest::Approx(64 / 0.024 / 2));
    CHECK(served[1]["tokens_per_gpu_s"].is_null());  // no such model

    size_t whole = 0;
    const std::string measured = std::string(AFFORD_SOURCE) + "/validation/afd-h100-third.csv";
    for (const nlohmann::json& row : rows_of("validate --afd " + measured)) {
      // A shard of a larger deployment yields what nobody could rent.
      const bool rates = !row["tokens_per_gpu_s"].is_null();
      CHECK_FALSE((rates && row["shard"] != 1));
      if (!rates || row["layout"] != "1a1f") continue;
      ++whole;
      const double requests = row["requests"].get<double>() * row["micro_batches"].get<double>();
      const double tpot_ms = row["tpot_ms"].get<double>();
      CHECK(row["gpus"] == 2);
      CHECK(row["tokens_per_gpu_s"].get<double>() ==
            doctest::Approx(requests / 2 / tpot_ms * 1000));
      CHECK(row["predicted_tpot_ms"].get<double>() / tpot_ms ==
            doctest::Approx(1 + row["deviation_pct"].get<double>() / 100));
    }
    CHECK(whole > 0);
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
