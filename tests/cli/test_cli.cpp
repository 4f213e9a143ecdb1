// The program as a user meets it: verbs, exit codes, messages, files.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support.hpp"

using namespace afford;
using test::run_afford;
using test::TempFolder;

namespace {

/// One refusal: exit 2, nothing on stdout, exactly this line on stderr.
void cli_refuses(const std::string& arguments, const std::string& message) {
  CAPTURE(arguments);
  const test::Outcome outcome = run_afford(arguments);
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == message + "\n");
}

std::string data() { return AFFORD_SOURCE; }

/// Entries in models/ or hardware/, so that adding one breaks no test.
size_t entries(const std::string& folder) {
  size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(data() + "/" + folder)) {
    const std::string name = file.path().filename().string();
    count += name.ends_with(".yaml") && !name.ends_with(".calibration.yaml") ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("the columns of the contract come first, in order") {
    CHECK(run_afford("cost -m step-3 --on h800 -c 8k --format csv")
              .out.starts_with(
                  "model,hardware,context_tokens,kv_bytes_per_token,attention_flops_per_token,"
                  "linear_flops_per_token,ffn_flops_per_token,attention_usd_per_mtok,ffn_usd_per_"
                  "mtok,"
                  "total_usd_per_mtok,attention_bound,"));
    CHECK(run_afford("compare -m step-3 --on h800 -c 8k --format csv")
              .out.starts_with("model,context_tokens,attention_hardware,ffn_hardware,afd_usd_per_"
                               "mtok,single_hardware,"
                               "single_usd_per_mtok,active_params,"));
    CHECK(run_afford("roofline -m step-3 --on h800 --format csv")
              .out.starts_with(
                  "model,hardware,attention_intensity_flop_per_byte,ridge_flop_per_byte,bound,"
                  "model_sparsity,min_sparsity,min_ffn_batch_tokens,"));
  }

  TEST_CASE("cost of one cell, whole") {
    CHECK(
        run_afford("cost -m step-3 --on h800 -c 8k").out ==
        "Ideal cost of one generated token\n\n"
        "model   on    context  KV bytes  attn FLOP  proj FLOP  FFN FLOP  attn USD/Mtok  FFN "
        "USD/Mtok  "
        "total USD/Mtok  J/token  "
        "attn bound\n"
        "------  ----  -------  --------  ---------  ---------  --------  -------------  "
        "------------  "
        "--------------  -------  "
        "----------\n"
        "step-3  h800       8K    2.56e8    3.27e10    2.07e10   5.33e10          0.048         "
        "0.015      "
        "     0.063  0.07961  "
        "memory\n"
        "\n"
        "Fidelity: ideal. Every part runs at its roof, batches are large, communication is "
        "hidden.\n"
        "Counting: paper. MLA at 576/576, no router, no LM head (--convention exact for those).\n");
  }

  TEST_CASE("numbers in CSV and JSON are the same and unrounded") {
    const auto csv =
        test::parse_csv(run_afford("cost -m deepseek-v3 --on h20 -c 32k --format csv").out);
    const auto json =
        nlohmann::json::parse(run_afford("cost -m deepseek-v3 --on h20 -c 32k --format json").out);
    REQUIRE(csv.size() == 2);
    REQUIRE(json.size() == 1);
    for (size_t i = 0; i < csv[0].size(); ++i) {
      const auto& value = json[0][csv[0][i]];
      if (value.is_number()) {
        CHECK(std::stod(csv[1][i]) == value.get<double>());
      } else {
        CHECK(csv[1][i] == value.get<std::string>());
      }
    }
    CHECK(json[0]["kv_bytes_per_token"] == 576.0 * 61 * 32768);
  }

  TEST_CASE("what-if flags move what they should") {
    const auto total = [](const std::string& flags) {
      return nlohmann::json::parse(
          run_afford("cost -m step-3 --on h800 -c 32k --format json " + flags).out)[0];
    };
    const auto plain = total("");
    CHECK(total("--price h800=1")["total_usd_per_mtok"].get<double>() ==
          doctest::Approx(plain["total_usd_per_mtok"].get<double>() / 2));
    CHECK(total("--price h800=1USD/h")["price_origin"] == "given");
    CHECK(total("--kv-dtype int4")["kv_bytes_per_token"] ==
          plain["kv_bytes_per_token"].get<double>() / 2);
    CHECK(total("--attention-dtype bf16")["attention_compute_dtype"] == "bf16");
    CHECK(total("--weight-dtype bf16")["ffn_usd_per_mtok"].get<double>() ==
          doctest::Approx(plain["ffn_usd_per_mtok"].get<double>() * 1980 / 989));
    CHECK(total("--mtp 1 --acceptance 0.7")["tokens_per_step"] == 1.7);
    CHECK(total("--mtp 1 --acceptance 0.7")["attention_usd_per_mtok"] <
          plain["attention_usd_per_mtok"]);
    CHECK(total("--convention exact")["linear_flops_per_token"] > plain["linear_flops_per_token"]);
  }

  TEST_CASE("a chip without FP8 is told about") {
    const test::Outcome outcome = run_afford("cost -m step-3 --on a800 -c 8k");
    CHECK(outcome.out.find("\nFallback on a800: weights int8, KV int8, attention computed in bf16, "
                           "GEMMs in bf16.\n") != std::string::npos);
  }

  TEST_CASE("estimated prices are told about") {
    CHECK(run_afford("compare -m step-3 --on h800,910b,l20")
              .out.find("\nPrice is an estimate: 910b, l20.\n") != std::string::npos);
    CHECK(run_afford("compare -m step-3 --on h800,910b --price 910b=1").out.find("estimate") ==
          std::string::npos);
  }

  TEST_CASE("--explain shows formula, inputs, sources and what binds") {
    const std::string out = run_afford("cost -m deepseek-v3 --on h20 -c 8k --explain").out;
    for (const char* part :
         {"deepseek-v3 on h20 at S = 8192 tokens",
          "2 x 128 heads x (576 key + 576 value) x S = 1.47e11 a token",
          "(512 kv_rank + 64 rope_dim) x S in fp8 = 2.88e8 a token",
          "intensity 512.0 against a ridge of 74.0 FLOP/B: compute binds",
          "h20 price = 0.80 USD/h: Step-3 report, arXiv 2507.19427, Table 4 (2025-07)"}) {
      CAPTURE(part);
      CHECK(out.find(part) != std::string::npos);
    }
  }

  TEST_CASE("several models, chips and contexts at once; all; paths; ranges") {
    CHECK(test::parse_csv(run_afford("cost -m all --on all -c 8k,32k --format csv").out).size() ==
          1 + entries("models") * entries("hardware") * 2);
    CHECK(test::parse_csv(run_afford("compare -m step-3 -c 1k..128k*2 --format csv").out).size() ==
          1 + 8);
    const TempFolder folder;
    const std::string path = folder.file("mine.yaml", test::model_yaml);
    CHECK(run_afford("cost -m " + path + " --on h800 -c 8k --format csv")
              .out.find("\ntiny,h800,8192,") != std::string::npos);
  }

  TEST_CASE("names that do not exist") {
    const std::string models = data() + "/models", hardware = data() + "/hardware";
    cli_refuses("cost -m step3",
                "afford: no model named 'step3' in " + models + "; did you mean 'step-3'?");
    cli_refuses("cost --on h80",
                "afford: no hardware named 'h80' in " + hardware + "; did you mean 'h800'?");
    cli_refuses("cots", "afford: no verb 'cots'; did you mean 'cost'?");
    cli_refuses("cost --modle x",
                "afford: afford cost has no option '--modle'; did you mean '--model'?");
    cli_refuses("cost extra", "afford: afford cost does not expect 'extra'");
    cli_refuses("cost -m nowhere/x.yaml", "nowhere/x.yaml: no such file");
    cli_refuses("show qwen3-mo",
                "afford: no model, hardware or engine named 'qwen3-mo'; did you mean 'qwen3-moe'?");
  }

  TEST_CASE("values that make no sense") {
    cli_refuses("cost --format cvs", "afford: --format: unknown value 'cvs'; did you mean 'csv'?");
    cli_refuses(
        "cost -c eight",
        "afford: expected a context in tokens from 1 to 1e9, such as 8192, 8k or 4k..128k*2, "
        "got 'eight'");
    cli_refuses(
        "cost -c 0",
        "afford: expected a context in tokens from 1 to 1e9, such as 8192, 8k or 4k..128k*2, "
        "got '0'");
    cli_refuses("cost --price h800",
                "afford: --price: expected CHIP=USD_PER_HOUR such as h800=1.6, got 'h800'");
    cli_refuses("cost --price h900=1",
                "afford: --price: 'h900' is not among the chips of this run; did you mean 'h800'?");
    cli_refuses("cost --price h800=nan",
                "afford: --price: expected a price such as '2.00 USD/h', got 'nan'");
    cli_refuses("cost --price h800=0USD/h", "afford: --price: expected more than zero");
    cli_refuses("cost --kv-dtype int5",
                "afford: --kv-dtype: unknown value 'int5'; did you mean 'int8'?");
    cli_refuses("cost --mtp 1",
                "afford: --mtp needs --acceptance P, the share of drafts that are accepted");
    cli_refuses("cost --mtp 1 --acceptance 1.5",
                "afford: --acceptance: expected a probability from 0 to 1, got 1.5");
    cli_refuses("cost --acceptance 0.5", "afford: --acceptance needs --mtp N");
    cli_refuses("cost --explain --format csv", "afford: --explain goes with --format table");
    cli_refuses("roofline --stages 5", "afford: --stages: expected 3 or 4, got 5");
    cli_refuses("roofline --tpot 50", "afford: --tpot: expected a time such as '50 ms', got '50'");
    cli_refuses("compare --chart pie",
                "afford: --chart: unknown value 'pie'; expected one of active, context, split");
    cli_refuses(
        "cost --plot x.pdf",
        "afford: --plot: expected a file ending in .svg, .png or .gp (the gnuplot script), got "
        "'x.pdf'");
  }

  TEST_CASE("check lints files, tells model from hardware, and reports every file") {
    const TempFolder folder;
    const std::string good = folder.file("good.yaml", test::model_yaml);
    const std::string chip = folder.file("chip.yaml", test::hardware_yaml);
    const std::string bad =
        folder.file("bad.yaml", test::replaced(test::model_yaml, "hidden: 256", "hiden: 256"));
    const std::string neither = folder.file("neither.yaml", "a: 1\n");
    const std::string off = folder.file(
        "off.yaml",
        std::string(test::model_yaml) +
            "published:\n"
            "  total_params: {value: 1e9, printed_to: 1e8, counts: [], source: card}\n"
            "  active_params: {value: 1e6, printed_to: 1e5, counts: [], source: card}\n");
    CHECK(run_afford("check " + good + " " + chip).code == 0);
    const test::Outcome mixed = run_afford("check " + bad + " " + neither + " " + good);
    CHECK(mixed.code == 2);
    CHECK(mixed.err == bad + ":6:23: unknown key 'hiden' in 'shape'; did you mean 'hidden'?\n" +
                           neither +
                           ":1:1: neither a model (no 'attention', 'ffn', 'layers') nor hardware "
                           "(no 'peak', 'memory') nor an engine (no 'base', 'kernels')\n");
    CHECK(mixed.out == good + ": ok, model tiny, 2.858e+07 parameters, 6.56e+06 active\n");
    const test::Outcome deviating = run_afford("check " + off);
    CHECK(deviating.code == 1);
    CHECK(deviating.out.find(
              "total_params: the shapes give 2.807e+07, published is 1e+09, -97.2 %") !=
          std::string::npos);
    CHECK(run_afford("check " + data() + "/models/*.yaml " + data() + "/hardware/*.yaml " + data() +
                     "/engines/*.yaml")
              .code == 0);
  }

  TEST_CASE("import writes a file that loads, reports to stderr, and takes answers") {
    const TempFolder folder;
    const std::string config = data() + "/tests/import/qwen3-next-80b-a3b.json",
                      path = folder.path("q.yaml");
    const test::Outcome done =
        run_afford("import " + config + " --name q --date 2025-09 -o " + path);
    CHECK(done.code == 0);
    CHECK(done.out.empty());
    for (const char* part :
         {"q: 48 layers, 79.7B parameters, 3.9B active a token (3.6B without the embedding)\n",
          "a sequence of 8K tokens keeps 201.3 MB of KV, 24576 bytes a token, and 77.27 MB of "
          "state\n",
          "  used: model_type = 'qwen3_next', ", "  defaulted: attn_output_gate = true "}) {
      CAPTURE(part);
      CHECK(done.err.find(part) != std::string::npos);
    }
    CHECK(run_afford("import " + config + " --name q --date 2025-09").out == test::read_file(path));
    CHECK(run_afford("check " + path).code == 0);
    CHECK(run_afford("show " + path).out.find("GDN 32/16 x 128 x 128") != std::string::npos);
    CHECK(run_afford("show " + config).out.find("GDN 32/16 x 128 x 128") != std::string::npos);
    const std::string checked = run_afford("check " + config).out;
    CHECK(checked.starts_with(config + ": attn_output_gate = true (Qwen3NextAttention)\n"));
    CHECK(checked.ends_with(
        config + ": ok, model qwen3-next-80b-a3b, 7.967e+10 parameters, 3.87e+09 active\n"));
    CHECK(run_afford("show " + config).out.find("attn_output_gate = true (Qwen3NextAttention)") !=
          std::string::npos);
    CHECK(run_afford("cost -m " + config + " --on h800 -c 8k --format csv")
              .out.find("\nqwen3-next-80b-a3b,h800,") != std::string::npos);
    CHECK(run_afford("import " + config + " --assume num_experts=256")
              .out.find("# Assumed: num_experts = 256\n") != std::string::npos);
    cli_refuses("import nowhere.json", "nowhere.json: no such file");
    cli_refuses("import " + config + " --assume x",
                "afford: --assume: expected KEY=VALUE such as head_dim=128, got 'x'");
    cli_refuses("import " + config + " --precision fp8",
                "afford: --precision: unknown value 'fp8'; expected one of config, paper");
    cli_refuses(
        "import " + config + " --name Q!",
        "afford: --name: expected a name of lower-case letters, digits, '.', '-' and '_', got "
        "'Q!'");
    cli_refuses("import " + config + " --total 80B",
                "afford: --total, --active and --published-source go together");
    CHECK(folder.entries() == 1);
  }

  TEST_CASE("list and show") {
    CHECK(test::parse_csv(run_afford("list hardware --format csv").out).size() ==
          1 + entries("hardware"));
    CHECK(run_afford("list").out.find("step-3") != std::string::npos);
    cli_refuses(
        "list chips",
        "afford: list: unknown value 'chips'; expected one of models, hardware, engines, families");
    CHECK(run_afford("show 910b").out.find("0.67 USD/h (estimate)") != std::string::npos);
    CHECK(run_afford("show step-3").out.find("64/1 x 256, query rank 2048") != std::string::npos);
  }

  TEST_CASE("help and version") {
    CHECK(run_afford("--version").out.starts_with("afford "));
    CHECK(run_afford("").out.find("compare") != std::string::npos);
    CHECK(run_afford("cost --help").code == 0);
  }
}
