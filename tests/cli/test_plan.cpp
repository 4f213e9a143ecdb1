#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support.hpp"

using namespace afford;
using test::run_afford;

namespace {

const std::string workload = R"(schema: 1
name: chat
model: step-3
traffic:
  requests_per_second: 20
  prompt: {kind: fixed, tokens: 4000}
  output: {kind: fixed, tokens: 500}
target: {tpot: 50 ms}
chips: {h800: , h20: }
)";

nlohmann::json plan(const std::string& file, const std::string& arguments = "") {
  return nlohmann::json::parse(
      run_afford("plan " + file + " --max-gpus 32 --format json " + arguments).out);
}

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("plan: the best beside those with less to choose from; the bill adds up") {
    const test::TempFolder folder;
    const std::string file = folder.file("w.yaml", workload);
    const auto rows = plan(file);
    REQUIRE(rows.size() == 6);
    CHECK(rows[0]["plan"] == "best");
    CHECK(rows[1]["plan"] == "without AFD");
    CHECK(rows[2]["plan"] == "prompts apart");
    CHECK(rows[3]["plan"] == "prompts beside tokens");
    CHECK(rows[4]["plan"] == "h800 alone");
    CHECK(rows[5]["plan"] == "h20 alone");
    for (const auto& row : rows) {
      CHECK(row["feasible"] == "yes");
      CHECK(row["monthly_usd"].get<double>() >= rows[0]["monthly_usd"].get<double>());
      CHECK(row["tpot_percentile_ms"].get<double>() <= 50);
      CHECK(row["usd_per_mtok"].get<double>() ==
            doctest::Approx(row["monthly_usd"].get<double>() / (20.0 * 500 * 730 * 3600 / 1e6)));
      CHECK(row["requests_in_flight"].get<double>() ==
            doctest::Approx(20 * 500 * row["tpot_ms"].get<double>() / 1000).epsilon(1e-6));
    }
    CHECK(rows[4]["monthly_usd"].get<double>() ==
          doctest::Approx(730 * 2.0 * rows[4]["gpus"].get<double>()));
  }

  TEST_CASE("plan: where nothing is rented no energy is used, and none is stated") {
    const test::TempFolder folder;
    const std::string file =
        folder.file("w.yaml", test::replaced(workload, "h20: ", "h20: {limit: 1}"));
    const auto rows = plan(file);
    REQUIRE(rows.size() == 6);
    CHECK(rows[5]["feasible"] == "no");
    CHECK(rows[5]["joules_per_token"].is_null());
    CHECK(rows[5]["tokens_per_kwh"].is_null());
    CHECK(rows[0]["joules_per_token"].get<double>() > 0);
    CHECK(run_afford("plan " + file + " --max-gpus 32 --format csv").out.find(",inf") ==
          std::string::npos);
  }

  TEST_CASE("plan: contracts, peak hours, spares") {
    const test::TempFolder folder;
    const std::string file = folder.file(
        "w.yaml",
        test::replaced(
            test::replaced(workload, "h800: , h20: ",
                           "h800: {reserved: {price: 1 USD/h}, on_demand: {price: 4 USD/h}}"),
            "target: {tpot: 50 ms}", "target: {tpot: 50 ms, spares: 1}"));
    const auto with_spare = plan(file)[2];
    CHECK(with_spare["spare_instances"] == 2);  // of what decodes, and of what works off prompts
    CHECK(with_spare["monthly_usd"].get<double>() ==
          doctest::Approx(730 * 1.0 * with_spare["gpus"].get<double>()));  // all reserved
  }

  TEST_CASE("plan: prompts are worked off by servers of their own, in the bill") {
    const test::TempFolder folder;
    const auto apart = plan(folder.file("w.yaml", workload))[2];
    const auto number = [&](const char* key) { return apart[key].get<double>(); };
    CHECK(number("prompt_gpus") >= 8);
    CHECK(number("gpus") == number("attention_gpus") + number("ffn_gpus") + number("prompt_gpus"));
    CHECK(number("ttft_ms") > 0);
    CHECK(number("prompt_utilisation") <= 1);
    CHECK(number("usd_per_request") * 20 * 730 * 3600 == doctest::Approx(number("monthly_usd")));
    CHECK(number("usd_per_input_mtok") * 4000 + number("usd_per_output_mtok") * 500 ==
          doctest::Approx(1e6 * number("usd_per_request")));
    CHECK(apart["deployment"].get<std::string>().find(" x prompts (") != std::string::npos);

    const std::string hits =
        test::replaced(workload, "traffic:\n", "traffic:\n  prefix_hit_rate: 0.6\n");
    const auto cached = plan(folder.file("hits.yaml", hits))[2];
    // The part of the prompts' bill that is at work; launches are not spared, and what is cheapest
    // in whole servers may be another chip.
    CHECK(cached["prompt_utilisation"].get<double>() * cached["prompt_monthly_usd"].get<double>() <
          0.75 * number("prompt_utilisation") * number("prompt_monthly_usd"));
    const std::string all =
        test::replaced(workload, "traffic:\n", "traffic:\n  prefix_hit_rate: 1\n");
    const auto none = plan(folder.file("all.yaml", all))[0];
    CHECK(none["prompt_gpus"] == 0);
    CHECK(none["ttft_ms"].is_null());
    CHECK(none["monthly_usd"].get<double>() ==
          doctest::Approx(number("monthly_usd") - number("prompt_monthly_usd")));
  }

  TEST_CASE("plan: the best is replayed and meets its targets, the first token's too") {
    const test::TempFolder folder;
    const std::string file = folder.file("w.yaml", workload);
    const auto loose = plan(file)[0], rows = plan(file, "--ttft 600ms"), sharp = rows[0];
    CHECK(loose["ttft_limit_ms"].is_null());
    CHECK(sharp["ttft_limit_ms"] == 600.0);
    CHECK(sharp["replayed_requests"].get<int>() >= 3000);
    CHECK(sharp["replayed_ttft_ms"].get<double>() <= 600);
    CHECK(sharp["replayed_tpot_ms"].get<double>() <= 50);
    CHECK(sharp["ttft_percentile_ms"].get<double>() > 0);
    CHECK(sharp["monthly_usd"].get<double>() >= loose["monthly_usd"].get<double>());
    CHECK(rows[1]["replayed_requests"].is_null());
    const test::Outcome never = run_afford("plan " + file + " --max-gpus 32 --ttft 1ms");
    CHECK(never.code == 1);
    CHECK(never.out.find("none: nothing works off the prompts in time for the first token") !=
          std::string::npos);
  }

  // vllm-project/vllm-project.github.io#286: 16 B200, attention tensor-parallel inside a server.
  TEST_CASE("plan: --ways mixed rents what holds a model that no other way fits") {
    const test::TempFolder folder;
    const std::string file = folder.file("w.yaml",
                                         "schema: 1\nname: k3\nmodel: kimi-k3\n"
                                         "traffic:\n  requests_per_second: 0.5\n"
                                         "  prompt: {kind: fixed, tokens: 7000}\n"
                                         "  output: {kind: fixed, tokens: 500}\n"
                                         "target: {tpot: 100 ms}\nchips: {b200: }\n");
    const auto planned = [&](const std::string& ways) {
      return run_afford("plan " + file + " --max-gpus 16 --format json --ways " + ways);
    };
    const test::Outcome spread = planned("ep,tp"), mixed = planned("mixed");
    CHECK(spread.code == 1);
    CHECK(nlohmann::json::parse(spread.out)[0]["reason"] == "no deployment meets the target");
    CHECK(mixed.code == 0);
    const auto best = nlohmann::json::parse(mixed.out)[0];
    CHECK(best["feasible"] == "yes");
    CHECK(best["gpus"] == 16);
    CHECK(best["deployment"].get<std::string>().find("+TP") != std::string::npos);
  }

  TEST_CASE("plan: a trace that comes in bursts needs more than its mean rate says") {
    const test::TempFolder folder;
    std::string even = "arrival_s,prompt_tokens,output_tokens\n", bursts = even;
    for (int i = 0; i < 1200; ++i) {
      even += std::to_string(i) + ",400,200\n";
      bursts += std::to_string(300 * (i / 300)) + ",400,200\n";
    }
    bursts += "1200,400,200\n";
    folder.file("even.csv", even);
    folder.file("bursts.csv", bursts);
    const auto planned = [&](const std::string& trace) {
      return plan(folder.file(trace + ".yaml",
                              "schema: 1\nname: t\nmodel: llama-3.1-70b\n"
                              "traffic: {trace: " +
                                  trace +
                                  ".csv}\ntarget: {tpot: 25 ms, ttft: 4 s}\n"
                                  "chips: {h200: }\n"),
                  "--ways tp")[0];
    };
    const auto calm = planned("even"), rough = planned("bursts");
    CHECK(calm["replayed_in_flight_percentile"].get<double>() < 10);
    CHECK(rough["replayed_in_flight_percentile"].get<double>() > 100);
    for (const auto& row : {calm, rough}) {
      CHECK(row["replayed_tpot_ms"].get<double>() <= 25);
      CHECK(row["replayed_ttft_ms"].get<double>() <= 4000);
    }
    CHECK(rough["gpus"].get<double>() > calm["gpus"].get<double>());
  }

  TEST_CASE("plan: what cannot be says what is nearest") {
    const test::TempFolder folder;
    const std::string file = folder.file("w.yaml", workload);
    const test::Outcome slow = run_afford("plan " + file + " --max-gpus 32 --tpot 1ms");
    CHECK(slow.code == 1);
    CHECK(slow.out.find("none: no deployment meets the target") != std::string::npos);
    CHECK(slow.out.find("Nearest to 1 ms: ") != std::string::npos);
    const std::string few =
        folder.file("few.yaml", test::replaced(workload, "h800: , h20: ", "h800: {limit: 8}"));
    const test::Outcome small = run_afford("plan " + few + " --sweep rate=100000");
    CHECK(small.code == 1);
    CHECK(small.out.find("none: the inventory carries ") != std::string::npos);
  }

  TEST_CASE("plan: sweeps") {
    const test::TempFolder folder;
    const std::string file = folder.file("w.yaml", workload);
    const auto rows = plan(file, "--sweep rate=10..40*2");
    CHECK(rows.size() == 18);
    CHECK(rows[0]["sweep_rate_per_s"] == 10.0);
    CHECK(rows[6]["monthly_usd"].get<double>() >= rows[0]["monthly_usd"].get<double>());
  }

  TEST_CASE("plan: an inventory takes the place of the workload's limit") {
    const test::TempFolder folder;
    const std::string file = folder.file("w.yaml", workload);
    const std::string few =
        folder.file("few.yaml", test::replaced(workload, "h20: ", "h20: {limit: 8}"));
    const auto limited = plan(few);
    CHECK(limited != plan(file));
    CHECK(plan(file, "--inventory h20=8") == limited);
    CHECK(plan(few, "--inventory h20=4096") == plan(file));
    auto swept = plan(few, "--sweep inventory.h20=8,4096");
    REQUIRE(swept.size() == 12);
    CHECK(swept[0]["sweep_inventory_h20"] == 8.0);
    CHECK(swept[6]["sweep_inventory_h20"] == 4096.0);
    for (auto& row : swept) row.erase("sweep_inventory_h20");
    for (size_t i = 0; i < 6; ++i) CHECK(swept[i] == limited[i]);
  }

  TEST_CASE("plan: bad input") {
    const test::TempFolder folder;
    const std::string none =
        folder.file("none.yaml", test::replaced(workload, "model: step-3\n", ""));
    CHECK(run_afford("plan " + none).err ==
          "afford: --model: expected one, as " + none + " names none\n");
    const std::string chips =
        folder.file("chips.yaml", test::replaced(workload, "chips: {h800: , h20: }\n", ""));
    CHECK(run_afford("plan " + chips).err ==
          "afford: --on: expected chips, as " + chips + " lists none\n");
    CHECK(run_afford("plan " + folder.path("w.yaml")).err ==
          folder.path("w.yaml") + ": no such file\n");
  }
}
