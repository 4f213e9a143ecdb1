#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support.hpp"

using namespace afford;
using test::run_afford;

namespace {

const std::string deployment = " -m llama-3.1-70b --colocated h200:1x8 --parallelism tp8 ";

nlohmann::json replay(const std::string& file, const std::string& arguments = "") {
  return nlohmann::json::parse(
      run_afford("replay " + file + deployment + "--format json " + arguments).out);
}

const std::string trace =
    "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:00:00.0,512,40\n"
    "2023-11-16 18:00:00.35,2048,12\n2023-11-16 18:00:02.1,96,200\n";

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("replay: a trace, rates and loops; the bill adds up") {
    const test::TempFolder folder;
    const std::string file = folder.file("azure.csv", trace);
    const auto own = replay(file);
    REQUIRE(own.size() == 1);
    CHECK(own[0]["requests"] == 3);
    CHECK(own[0]["arrivals"] == "trace");
    CHECK(own[0]["span_s"] > 2.1);
    const double bill = own[0]["usd_per_request"].get<double>() * 3;
    const double parts = own[0]["usd_per_input_mtok"].get<double>() * 2656e-6 +
                         own[0]["usd_per_output_mtok"].get<double>() * 252e-6;
    CHECK(parts == doctest::Approx(bill));
    const auto loops = replay(file, "--concurrency 1,2");
    REQUIRE(loops.size() == 2);
    CHECK(loops[0]["arrivals"] == "1 at once");
    CHECK(loops[0]["tpot_p50_ms"] <= loops[1]["tpot_p99_ms"]);
    CHECK(replay(file, "--rate 0.5 --requests 2")[0]["requests"] == 2);
  }

  TEST_CASE(
      "replay: a picture beside the table, refused before any work where it cannot be drawn") {
    const test::TempFolder folder;
    const std::string file = folder.file("azure.csv", trace);
    const std::string plot = "replay " + file + deployment + "--concurrency 1,2 --plot ";
    CHECK(run_afford(plot + folder.path("r.gp")).code == 0);
    const std::string script = test::read_file(folder.path("r.gp"));
    CHECK(script.find("title 'TP8, 1 at once'") != std::string::npos);
    CHECK(script.find("title 'TP8, 2 at once'") != std::string::npos);
    CHECK(run_afford(plot + "r.jpg").err == run_afford("compare -m step-3 --plot r.jpg").err);
  }

  TEST_CASE("replay: a workload's laws at the rate of its peak, AFD and a prompt pool") {
    const test::TempFolder folder;
    const std::string file = folder.file("w.yaml", R"(schema: 1
name: chat
model: step-3
traffic:
  requests_per_second: 20
  peak_factor: 2
  prompt: {kind: fixed, tokens: 1000}
  output: {kind: geometric, mean: 200}
target: {tpot: 50 ms}
)");
    const std::string afd =
        "replay " + file + " --attention h800:2x8 --ffn h800:2x8 --requests 300 --format json ";
    const auto alone = nlohmann::json::parse(run_afford(afd).out);
    REQUIRE(alone.size() == 1);
    CHECK(alone[0]["arrivals"] == "40/s");
    CHECK(alone[0]["ttft_p50_ms"].is_null());
    CHECK(alone[0]["usd_per_input_mtok"].is_null());
    const auto with = nlohmann::json::parse(run_afford(afd + "--prefill h800:2x8").out);
    CHECK(with[0]["gpus"] == 48);
    CHECK(with[0]["ttft_p50_ms"] > 0);
    CHECK(with[0]["usd_per_input_mtok"] > 0);
  }

  TEST_CASE("replay: exit 1 where a request fits no memory, alone or among others") {
    const test::TempFolder folder;
    const std::string header = "arrival_s,prompt_tokens,output_tokens\n",
                      large = "0,100000000,10\n", small = "1,100,10\n";
    const auto alone =
        run_afford("replay " + folder.file("large.csv", header + large) + deployment);
    CHECK(alone.code == 1);
    CHECK(alone.out.find("none of 1 requests fits the memory") != std::string::npos);
    const std::string one_of_two =
        "replay " + folder.file("both.csv", header + large + small) + deployment;
    const auto among = run_afford(one_of_two + "--format json");
    CHECK(among.code == 1);
    CHECK(nlohmann::json::parse(among.out)[0]["requests"] == 1);
    CHECK(nlohmann::json::parse(among.out)[0]["too_long"] == 1);
    CHECK(run_afford("replay " + folder.file("small.csv", header + small) + deployment).code == 0);
  }
}
