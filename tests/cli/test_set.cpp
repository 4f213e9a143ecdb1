// What-ifs of single values, ownership, energy and one user's speed, on the command line.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support.hpp"

using namespace afford;
using doctest::Approx;
using test::run_afford;

namespace {

const std::string served =
    "simulate -m qwen3-8b --colocated h800:1x1 --batch 8 -c 4k --calibration none ";

void refuses_values(const std::string& arguments, const std::string& message) {
  CAPTURE(arguments);
  const test::Outcome outcome = run_afford(arguments);
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == "afford: " + message + "\n");
}

nlohmann::json json_rows(const std::string& arguments) {
  return nlohmann::json::parse(run_afford(arguments + " --format json").out);
}
nlohmann::json json_row(const std::string& arguments) { return json_rows(arguments)[0]; }

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("--set: a value of a model, a chip or the engine, as the flags that there are do it") {
    const auto plain = json_row(served);
    CHECK(json_row(served + "--set 'h800.memory.bandwidth=6.7 TB/s'")["tpot_ms"] <
          plain["tpot_ms"]);
    CHECK(json_row(served + "--set 'h800.price=4 USD/h'")["usd_per_mtok"].get<double>() ==
          Approx(2 * plain["usd_per_mtok"].get<double>()));
    CHECK(json_row(served + "--set model.attention.gqa.kv_heads=4")["tpot_ms"] < plain["tpot_ms"]);
    CHECK(json_row(served + "--set 'engine.hopper.kernel=30 us'")["tpot_ms"] > plain["tpot_ms"]);
    CHECK(
        json_row("simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --batch 6144 "
                 "--set model.ffn.moe.experts=96")["ffn_us"] ==
        json_row("simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --batch 6144 --experts 96")
            ["ffn_us"]);
    CHECK(
        json_row("cost -m step-3 --on h800 -c 8k --set model.attention.mfa.head_dim=128")
            ["kv_bytes_per_token"]
                .get<double>() ==
        Approx(json_row("cost -m step-3 --on h800 -c 8k")["kv_bytes_per_token"].get<double>() / 2));
  }

  TEST_CASE("--set: what leads nowhere, says nothing or changes nothing is refused") {
    refuses_values(served + "--set h800.memory.bandwith=1",
                   "--set: h800.memory.bandwith is no value that can be set; did you mean "
                   "'h800.memory.bandwidth'?");
    refuses_values(served + "--set 'h800.memory.bandwidth=3.35 TB/s'",
                   "--set: h800.memory.bandwidth is 3.35 TB/s already");
    refuses_values(
        served + "--set h800.memory.bandwidth=4",
        "--set: memory.bandwidth.value: expected a bandwidth such as '4.8 TB/s', got '4'");
    refuses_values(served + "--set 'h20.memory.bandwidth=4 TB/s'",
                   "--set: 'h20' is neither model, engine nor a chip of this run; expected one of "
                   "model, engine, h800");
    refuses_values(served + "--set 'h800.server.nic_bandwidth=100 Gbit/s'",
                   "--set: h800.server.nic_bandwidth changes nothing in this run");
    refuses_values(
        served + "--set bandwidth",
        "--set: expected PATH=VALUE such as h800.memory.bandwidth='4 TB/s', got 'bandwidth'");
    refuses_values(served + "--set engine.gemm.memory=2",
                   "--set: engine.gemm.memory expects a number from 0.01 to 1, got '2'");
    refuses_values("cost -m step-3 --on h800 -c 8k --set engine.gemm.memory=0.8",
                   "--set: engine.gemm.memory has no effect on ideal costs");
  }

  TEST_CASE("a sweep takes the same paths, and more of the flags") {
    const auto bandwidth = json_rows(served + "--sweep 'h800.memory.bandwidth=3.35 TB/s,6.7 TB/s'");
    CHECK(bandwidth.size() == 2);
    CHECK(bandwidth[0]["tpot_ms"] == json_row(served)["tpot_ms"]);
    CHECK(bandwidth[1]["sweep_h800_memory_bandwidth"] == "6.7 TB/s");
    CHECK(bandwidth[1]["tpot_ms"] < bandwidth[0]["tpot_ms"]);
    const auto formats = json_rows(served + "--sweep kv-dtype=bf16,fp8");
    CHECK(formats[1]["sweep_kv_dtype"] == "fp8");
    CHECK(formats[1]["tpot_ms"] == json_row(served + "--kv-dtype fp8")["tpot_ms"]);
    const std::string pool = "simulate -m qwen3-32b --colocated h800:1x8 --batch 8 -c 4k ";
    const auto gpus = json_rows(pool + "--sweep gpus=1..8*2");
    CHECK(gpus.size() == 4);
    CHECK(gpus[3]["gpus"] == 8);
    CHECK(json_rows(pool + "--sweep tp=2..8*2")[2]["deployment"] == "TP8");
    const auto engines = json_rows(served + "--sweep engine=ideal,vllm");
    CHECK(engines[0]["tpot_ms"] == json_row(served + "--engine ideal")["tpot_ms"]);
    CHECK(engines[1]["tpot_ms"] == json_row(served + "--engine vllm")["tpot_ms"]);
    refuses_values(
        "pareto -m qwen3-32b --on h800 -c 4k --sweep tp=1,2",
        "--sweep: tp has no effect without a deployment of its own: a search tries every "
        "layout");
  }

  TEST_CASE("a sweep gives drafts and their acceptance, either or both") {
    const std::string one = "simulate -m deepseek-v3 --colocated h200:1x8 --batch-per-gpu 4 -c 4k ";
    const auto accepted = json_rows(one + "--mtp 1 --sweep acceptance=0.3..0.9+0.2");
    CHECK(accepted.size() == 4);
    CHECK(accepted[2]["tpot_ms"] == json_row(one + "--mtp 1 --acceptance 0.7")["tpot_ms"]);
    const auto drafts = json_rows(one + "--acceptance 0.7 --sweep mtp=0..3+1");
    CHECK(drafts.size() == 4);
    CHECK(drafts[0]["tpot_ms"] == json_row(one)["tpot_ms"]);
    CHECK(drafts[1]["tpot_ms"] == accepted[2]["tpot_ms"]);
    CHECK(json_rows(one + "--sweep mtp=1,2 --sweep acceptance=0.5,0.9").size() == 4);
    refuses_values(one + "--sweep mtp=1,2",
                   "--mtp needs --acceptance P, the share of drafts that are accepted");
    refuses_values(
        one + "--sweep batch=8,16",
        "--sweep: batch has no effect without a pool whose batch is given for all accelerators");
  }

  // 700 W over the tokens a second of one H800; 3.6e6 J a kWh.
  TEST_CASE("energy: the data sheet's power over the tokens, and what a kWh buys") {
    const auto plain = json_row(served);
    const double rate = plain["tokens_per_gpu_s"].get<double>();
    const double joules = plain["joules_per_token"].get<double>();
    const double watts = joules * rate;
    CHECK(watts == Approx(700));
    CHECK(plain["tokens_per_kwh"].get<double>() == Approx(3.6e6 / joules));
    CHECK(json_row(served + "--pue 1.3")["joules_per_token"].get<double>() == Approx(1.3 * joules));
    CHECK(plain["tokens_per_user_s"].get<double>() ==
          Approx(1000 / plain["tpot_ms"].get<double>()));
    const auto two =
        json_row("simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --batch 6144");
    CHECK(two["joules_per_token"].get<double>() * two["tokens_per_gpu_s"].get<double>() < watts);
  }

  // Of one chip, whatever the batch: its power over the tokens that its price buys.
  TEST_CASE("energy of ideal costs") {
    const auto cost = json_row("cost -m step-3 --on h800 -c 8k");
    const double hours_per_mtok = cost["total_usd_per_mtok"].get<double>() / 2;  // 2 USD/h
    CHECK(cost["joules_per_token"].get<double>() == Approx(700 * hours_per_mtok * 3600 / 1e6));
    CHECK(json_row("cost -m step-3 --on h800 -c 8k --pue 1.2")["joules_per_token"].get<double>() ==
          Approx(1.2 * cost["joules_per_token"].get<double>()));
    const auto compared = json_row("compare -m step-3 --on h800 -c 8k");
    CHECK(compared["single_joules_per_token"].get<double>() ==
          Approx(cost["joules_per_token"].get<double>()));
    CHECK(compared["afd_joules_per_token"].get<double>() ==
          Approx(cost["joules_per_token"].get<double>()));
    CHECK(json_row("cost -m phi-4 --on tpu-v6e -c 8k")["joules_per_token"].is_null());
  }

  TEST_CASE("own hardware: its price over the years and its electricity instead of rent") {
    const auto plain = json_row(served);
    const double rate = plain["tokens_per_gpu_s"].get<double>();
    const auto owned = json_row(served + "--own h800=35064/4");  // 35064 h in four years
    CHECK(owned["usd_per_mtok"].get<double>() == Approx(1.0 / 3600 / rate * 1e6));
    const double watts = plain["joules_per_token"].get<double>() * rate;
    const auto powered =
        json_row(served + "--own h800=35064/4 --electricity '0.10 USD/kWh' --pue 1.5");
    CHECK(powered["usd_per_mtok"].get<double>() ==
          Approx((1.0 + 1.5 * watts / 1000 * 0.10) / 3600 / rate * 1e6));
    refuses_values(served + "--electricity 0.10USD/kWh",
                   "--electricity has no effect without --own: rent has it in");
    refuses_values(served + "--own h800=35064",
                   "--own: expected CHIP=USD/YEARS such as h800=30000/4, got "
                   "'h800=35064'");
    refuses_values(served + "--own h20=30000/4",
                   "--own: 'h20' is not among the chips of this run; expected h800");
    refuses_values(served + "--pue 0.5", "--pue: expected a number from 1 to 10, got 0.5");
  }

  TEST_CASE("pareto --objective interactivity: the frontier of throughput, by a user's speed") {
    const std::string search = "pareto -m step-3 --on h800 -c 8k --max-gpus 24 --batch-steps 4 ";
    const auto tokens = json_rows(search), users = json_rows(search + "--objective interactivity");
    CHECK(users.size() == tokens.size());
    CHECK(users[0]["tpot_ms"] == tokens[0]["tpot_ms"]);
    const std::string table = run_afford(search + "--objective interactivity").out;
    CHECK(table.starts_with("Frontier of tokens per second and user against throughput"));
    CHECK(table.find("tok/s/user") != std::string::npos);
  }
}
