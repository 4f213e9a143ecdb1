#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support.hpp"

using namespace afford;
using test::run_afford;

namespace {

const std::string afd =
    "simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --batch 6144 --engine ideal "
    "--calibration none ";

void simulate_refuses(const std::string& arguments, const std::string& message) {
  CAPTURE(arguments);
  const test::Outcome outcome = run_afford(arguments);
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == "afford: " + message + "\n");
}

nlohmann::json row(const std::string& arguments) {
  return nlohmann::json::parse(run_afford(arguments + " --format json").out)[0];
}

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("--engine names what stands on top of the kernels, and the output says so") {
    const std::string pools =
        "simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --batch 6144 -c 4k --calibration "
        "none ";
    const test::Outcome ideal = run_afford(pools + "--engine ideal");
    CHECK(ideal.out.find("Engine:") == std::string::npos);
    const test::Outcome assumed = run_afford(pools);
    CHECK(assumed.out.find("Engine: step for AFD, assumed; --engine NAME takes another. The same "
                           "formats with no engine: 2A2F ") != std::string::npos);
    const test::Outcome step = run_afford(pools + "--engine step");
    CHECK(step.code == 0);
    CHECK(step.out != ideal.out);
    CHECK(step.out.find("Engine: step for AFD. The same formats") != std::string::npos);
    CHECK(run_afford(pools + "--engine stepp").err.ends_with("; did you mean 'step'?\n"));
    const test::Outcome frontier = run_afford(
        "pareto -m step-3 --on h800 -c 4k --max-gpus 16 --batch-steps 1 --calibration none "
        "--engine step --format csv");
    CHECK(frontier.code == 0);
    CHECK(frontier.out.find(",roofline,step,") != std::string::npos);
  }

  TEST_CASE("simulate: the contract's columns, and Table 8's 2A2F within 5 %") {
    CHECK(run_afford(afd + "--format csv")
              .out.starts_with(
                  "model,deployment,context_tokens,gpus,batch,micro_batches,tpot_ms,tokens_per_"
                  "gpu_s,usd_per_mtok,"
                  "attention_us,a2f_us,ffn_us,f2a_us,bound,feasible,reason,"));
    const auto r = row(afd);
    CHECK(r["deployment"] == "2A2F");
    CHECK(r["gpus"] == 32);
    CHECK(r["feasible"] == "yes");
    CHECK(r["tokens_per_gpu_s"].get<double>() == doctest::Approx(4039).epsilon(0.05));
    CHECK(r["tokens_per_gpu_s"].get<double>() * 32 * r["tpot_ms"].get<double>() / 1000 ==
          doctest::Approx(6144));
    CHECK(r["usd_per_mtok"].get<double>() ==
          doctest::Approx(2.0 / 3600 / r["tokens_per_gpu_s"].get<double>() * 1e6));
  }

  TEST_CASE("zero jitter equals no jitter; what-if flags reach the pools") {
    const auto plain = row(afd);
    CHECK(row(afd + "--jitter 0 --seed 9")["tpot_ms"] == plain["tpot_ms"]);
    CHECK(row(afd + "--jitter 0.2")["tpot_ms"] > plain["tpot_ms"]);
    CHECK(row(afd + "--scale-up-bandwidth 400GB/s")["ffn_us"] < plain["ffn_us"]);
    CHECK(row(afd + "--nic-bandwidth 25GB/s")["a2f_us"] > plain["a2f_us"]);
    CHECK(row(afd + "--overlap none")["ffn_us"] > plain["ffn_us"]);
    CHECK(row(afd + "--experts 96")["ffn_us"] > plain["ffn_us"]);
    CHECK(row(afd + "--routing zipf:0.5")["ffn_us"] > plain["ffn_us"]);
    CHECK(row(afd + "--attention-dtype bf16")["attention_us"] > plain["attention_us"]);
    CHECK(row("simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --batch 6144 --stages 4")
              ["micro_batches"] == 4);
  }

  TEST_CASE(
      "uneven micro-batches: equal sizes change nothing, unequal ones of the same sum wait for the "
      "largest") {
    const std::string pools =
        "simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --engine ideal --calibration none ";
    const auto even = row(afd);
    const auto same = row(pools + "--micro-batch-sizes 2048,2048,2048");
    CHECK(same["tpot_ms"] == even["tpot_ms"]);
    CHECK(same["batch"] == 6144);
    const auto uneven = row(pools + "--micro-batch-sizes 2048,3072,1024");
    CHECK(uneven["batch"] == 6144);
    CHECK(uneven["micro_batches"] == 3);
    CHECK(uneven["tpot_ms"] > even["tpot_ms"]);
    simulate_refuses(afd + "--micro-batch-sizes 2048,2048",
                     "--micro-batch-sizes: add up to 4096, not to the 6144 of --batch");
    simulate_refuses(pools + "--micro-batches 2 --micro-batch-sizes 8,8,8",
                     "--micro-batch-sizes: 3 sizes for 2 micro-batches");
    simulate_refuses(
        pools + "--micro-batch-sizes 8,0,8",
        "--micro-batch-sizes: expected 1 to 64 sizes, each at least 1, such as 2048,2048,1024, "
        "got '8,0,8'");
    simulate_refuses(
        "simulate -m step-3 --colocated h800:2x8 --batch-per-gpu 8 --micro-batch-sizes 4,4",
        "--micro-batch-sizes is for --attention and --ffn pools");
  }

  TEST_CASE("what does not fit or is too slow exits 1 with the reason") {
    const test::Outcome large =
        run_afford("simulate -m step-3 --attention h800:1x8 --ffn h800:2x8 --batch 6144 -c 8k");
    CHECK(large.code == 1);
    CHECK(large.out.find("an accelerator; a batch of ") != std::string::npos);
    CHECK(run_afford("simulate -m deepseek-v3 --attention h800:1x8 --ffn h800:1x8 --batch 96")
              .out.find("FFN weights alone need 82.") != std::string::npos);
    CHECK(run_afford(afd + "--tpot 40ms").out.find("TPOT above 40 ms") != std::string::npos);
    CHECK(run_afford(afd + "--tpot 40ms").code == 1);
  }

  TEST_CASE("AFD against EP in one command") {
    const auto csv = test::parse_csv(
        run_afford(afd + "--colocated h800:4x8 --batch-per-gpu 128 --format csv").out);
    REQUIRE(csv.size() == 3);
    CHECK(csv[1][1] == "2A2F");
    CHECK(csv[2][1] == "EP32");
    const std::string mixed =
        "simulate -m step-3 --attention h20:4x8 --ffn h800:2x8 --batch 1536 --colocated h800:4x8 "
        "--batch-per-gpu 32 ";
    const auto plain = test::parse_csv(run_afford(mixed + "--format csv").out);
    const auto priced = test::parse_csv(run_afford(mixed + "--price h20=1.6 --format csv").out);
    REQUIRE(plain.size() == 3);
    REQUIRE(priced.size() == 3);
    CHECK(std::stod(priced[1][8]) > std::stod(plain[1][8]));
    CHECK(priced[2][8] == plain[2][8]);
  }

  TEST_CASE("co-located baselines") {
    CHECK(row("simulate -m deepseek-v3 --colocated h800:16x8 --batch-per-gpu 128")["deployment"] ==
          "EP128");
    CHECK(
        row("simulate -m qwen3-32b --colocated h800:1x8 --tp 8 --batch-per-gpu 16")["deployment"] ==
        "TP8");
  }

  TEST_CASE("nonsense is refused") {
    simulate_refuses("simulate", "simulate needs -m MODEL");
    simulate_refuses(
        "simulate -m step-3",
        "needs --attention POOL and --ffn POOL, or --colocated POOL (such as h800:2x8), or all "
        "three");
    simulate_refuses(
        "simulate -m step-3 --attention h800:0x8 --ffn h800:2x8 --batch 6",
        "--attention: expected CHIP:INSTANCESxACCELERATORS such as h800:2x8, both at least 1, got "
        "'h800:0x8'");
    simulate_refuses("simulate -m step-3 --attention h80:1x8 --ffn h800:2x8 --batch 6",
                     "no hardware named 'h80' in " AFFORD_SOURCE "/hardware; did you mean 'h800'?");
    simulate_refuses(
        "simulate -m step-3 --attention h800:1x16 --ffn h800:2x8 --batch 6",
        "--attention: an instance of 16 is larger than what h800 joins by NVLink4 (8)");
    simulate_refuses("simulate -m step-3 --attention h800:1x8 --ffn h800:2x8 --batch 100",
                     "--batch: 100 requests do not divide into 3 micro-batches; 102 would");
    simulate_refuses("simulate -m step-3 --attention h800:1x8 --ffn h800:2x8",
                     "--batch: expected the number of requests in flight, at least 1");
    simulate_refuses(afd + "--experts 999999999",
                     "--experts: expected at most 65536, got 999999999");
    simulate_refuses(afd + "--jitter -0.1", "--jitter: expected a standard deviation from 0 to 2");
    simulate_refuses(afd + "--mtp 1 --acceptance 1.2",
                     "--acceptance: expected a probability from 0 to 1, got 1.2");
    simulate_refuses(afd + "--ffn-parallelism tp8ep",
                     "--ffn-parallelism: expected tp, ep or tpXepY such as tp8ep2, got 'tp8ep'");
    simulate_refuses(
        afd + "--routing skewed",
        "--routing: expected uniform, zipf:EXPONENT from 0 to 10, or FILE.csv, got 'skewed'");
    simulate_refuses("simulate -m step-3 --attention h800:2x8 --batch 6",
                     "--attention and --ffn go together");
  }

  TEST_CASE("the trace is JSON in the Trace Event Format") {
    const test::TempFolder folder;
    CHECK(run_afford(afd + "--timeline --trace " + folder.path("t.json")).code == 0);
    const auto trace = nlohmann::json::parse(test::read_file(folder.path("t.json")));
    REQUIRE(trace["traceEvents"].size() == 4 + 3 * (61 * 4 + 1));
    for (const auto& event : trace["traceEvents"]) {
      if (event["ph"] == "M") continue;
      CHECK(event["ph"] == "X");
      CHECK(event["ts"].get<double>() >= 0);
      CHECK(event["dur"].get<double>() >= 0);
    }
  }

  TEST_CASE("validate: every case within its stated tolerance") {
    const test::Outcome outcome = run_afford("validate --format csv");
    CHECK(outcome.code == 0);
    CHECK(outcome.out.starts_with("case,quantity,published,predicted,deviation_pct,source,"));
  }

  TEST_CASE("validate: exit 1 where a case is out of its tolerance") {
    const test::TempFolder data;
    const std::filesystem::path sources = AFFORD_SOURCE, own = data.path("validation");
    for (const char* name : {"models", "hardware", "engines"})
      std::filesystem::create_directory_symlink(sources / name, data.path(name));
    std::filesystem::create_directory(own);
    std::filesystem::copy_file(sources / "validation/kernels.yaml", own / "kernels.yaml");
    (void)data.file("validation/cases.yaml", R"(schema: 1
sources:
  made-up: {what: "no measurement", date: 2025-07}
systems:
  afd: {about: "AFD", source: made-up, engine: step}
cases:
  - {name: far, system: afd, kind: afd, quantity: tokens_per_gpu_s, model: step-3, attention: "h800:2x8",
     ffn: "h800:2x8", batch: 6144, context: 4096, published: 9000, tolerance_pct: 5, source: made-up}
)");
    const test::Outcome outcome =
        run_afford("validate --calibration none --format json", "AFFORD_DATA=" + data.path(""));
    CHECK(outcome.code == 1);
    const auto rows = nlohmann::json::parse(outcome.out);
    REQUIRE(!rows.empty());
    CHECK(rows[0]["within"] == "no");
  }

  TEST_CASE("simulate: a sweep is one tidy table; break-even points and a picture") {
    const std::string both = afd + "-c 4k --colocated h800:4x8 --batch-per-gpu 192 ";
    const auto rows = nlohmann::json::parse(
        run_afford(both + "--sweep scale-up-bandwidth=50..400*2GB/s --format json").out);
    REQUIRE(rows.size() == 8);
    CHECK(rows[0]["sweep_scale_up_bandwidth_gb_per_s"] == 50.0);
    CHECK(rows[7]["sweep_scale_up_bandwidth_gb_per_s"] == 400.0);
    CHECK(rows[0]["tpot_ms"].get<double>() > rows[6]["tpot_ms"].get<double>());
    const test::TempFolder folder;
    const test::Outcome drawn = run_afford(
        both + "--tpot 1s --sweep acceptance=0.5..0.9+0.1 --mtp 1 --plot " + folder.path("s.gp"));
    CHECK(drawn.out.find("Cheapest for step-3: ") != std::string::npos);
    CHECK(test::read_file(folder.path("s.gp")).find("set xlabel 'acceptance'") !=
          std::string::npos);
    CHECK(drawn.out.find("What if: MTP with 1 draft, draft layers counted.") != std::string::npos);
    const test::Outcome drafts = run_afford(both + "--sweep mtp=0..2 --acceptance 0.7 --tpot 1s");
    CHECK(drafts.out.find("What if: MTP, draft layers counted.") != std::string::npos);
    simulate_refuses(afd + "-c 4k --sweep tpot=1ms,2ms --plot " + folder.path("none.svg"),
                     "--plot: no row of the sweep is feasible, nothing to draw");
    simulate_refuses(afd + "--plot a.svg", "--plot draws a sweep; give --sweep too");
    simulate_refuses(afd + "--sweep acceptance=0.5", "--acceptance needs --mtp N");
  }

  TEST_CASE("simulate: a deployment on one pool does not read the engine of AFD") {
    const test::TempFolder folder;
    const std::string broken = folder.file("engines/step.yaml", "schema: 2\n");
    const std::string own = "AFFORD_PATH=" + folder.path("");
    const std::string simulate = "simulate -m step-3 -c 4k ";
    CHECK(run_afford(simulate + "--colocated h800:4x8 --batch-per-gpu 8", own).code == 0);
    const auto pools =
        run_afford(simulate + "--attention h800:2x8 --ffn h800:2x8 --batch 768", own);
    CHECK(pools.code == 2);
    CHECK(pools.err.find("step.yaml:1:9: schema: expected") != std::string::npos);
  }
}
