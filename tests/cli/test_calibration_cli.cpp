#include <doctest/doctest.h>

#include "calibration/calibration_file.hpp"
#include "calibration/points_csv.hpp"
#include "calibration_support.hpp"
#include "support.hpp"
#include "text/csv.hpp"

using namespace afford;
using namespace afford::test;

namespace {

const std::string pools =
    "simulate -m step-3 --attention h200:2x8 --ffn h20:2x8 --batch 1536 --tpot 1s --engine ideal ";

/// The cell of the first row in `column`.
std::string cell(const std::string& csv, std::string_view column) {
  CsvReader reader("out", csv);
  const auto header = reader.next(), row = reader.next();
  for (size_t i = 0; i < header->fields.size(); ++i) {
    if (header->fields[i].text == column) return row->fields[i].text;
  }
  return "no such column";
}

struct WithCalibration {
  TempFolder folder;
  std::string file = folder.file("made-up.calibration.yaml", calibration_yaml(known_calibration()));
};

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("none is the default efficiencies, and says so") {
    const Outcome none = run_afford(pools + "--calibration none --format csv");
    CHECK(none.code == 0);
    CHECK(cell(none.out, "fidelity") == "roofline");
    CHECK(cell(none.out, "tpot_low_ms") == "");
    const Outcome table = run_afford(pools + "--calibration none");
    CHECK(table.out.find("Fidelity: roofline with default efficiencies, no calibration.") !=
          std::string::npos);
  }

  TEST_CASE("a calibration is named with the number it gave, by pool") {
    const WithCalibration with;
    const Outcome csv = run_afford(pools + "--format csv --calibration " + with.file);
    REQUIRE(csv.code == 0);
    const std::string row = csv.out.substr(csv.out.find('\n'));
    CHECK(row.find("\"attention calibrated (h200, 2026-11-24); ffn transferred from h200 "
                   "(2026-11-24)\"") != std::string::npos);
    const Outcome table = run_afford(pools + "--calibration " + with.file);
    CHECK(table.out.find("Fidelity: h200 calibrated (h200, 2026-11-24); h20 transferred from h200 "
                         "(2026-11-24).") != std::string::npos);
    CHECK(table.out.find("from the left-out errors of the curves.") != std::string::npos);
    const Outcome mixed = run_afford(
        "simulate -m step-3 --attention h200:2x8 --ffn a800:4x8 --batch 1536 --tpot 1s "
        "--calibration " +
        with.file);
    CHECK(mixed.out.find("a800 roofline with default efficiencies") != std::string::npos);
  }

  TEST_CASE("the interval holds the prediction; columns of the contract come first") {
    const WithCalibration with;
    const Outcome csv = run_afford(
        "simulate -m deepseek-v3 --colocated h200:4x8 --batch-per-gpu 64 --format csv "
        "--calibration " +
        with.file);
    REQUIRE(csv.code == 0);
    CHECK(csv.out.starts_with("model,deployment,context_tokens,gpus,batch,micro_batches,tpot_ms,"));
    const double tpot = std::stod(cell(csv.out, "tpot_ms"));
    CHECK(std::stod(cell(csv.out, "tpot_low_ms")) < tpot);
    CHECK(std::stod(cell(csv.out, "tpot_high_ms")) > tpot);
    const double usd = std::stod(cell(csv.out, "usd_per_mtok"));
    CHECK(std::stod(cell(csv.out, "usd_low_per_mtok")) < usd);
    CHECK(std::stod(cell(csv.out, "usd_high_per_mtok")) > usd);
  }

  TEST_CASE("a size no point covers is called so") {
    const WithCalibration with;
    const Outcome far = run_afford(
        "simulate -m step-3 --attention h200:2x8 --ffn h200:2x8 --batch 48 --micro-batches 3 -c 1k "
        "--calibration " +
        with.file);
    CHECK(far.out.find("outside the measured range of its curve:") != std::string::npos);
  }

  TEST_CASE("an unknown calibration is one clear error") {
    const Outcome unknown = run_afford(pools + "--calibration h300");
    CHECK(unknown.code == 2);
    CHECK(unknown.err.starts_with("afford: --calibration: no calibration named 'h300'"));
    CHECK(unknown.out.empty());
  }

  TEST_CASE("a prompt's attention takes the curve of its kernel, with its interval, and says so") {
    const WithCalibration with;
    const std::string prompt = "prefill -m deepseek-v3 --colocated h200:1x8 --calibration ";
    const Outcome csv = run_afford(prompt + with.file + " --format csv");
    REQUIRE(csv.code == 0);
    const double attention = std::stod(cell(csv.out, "attention_ms"));
    CHECK(std::stod(cell(csv.out, "attention_low_ms")) == doctest::Approx(0.97 * attention));
    CHECK(std::stod(cell(csv.out, "attention_high_ms")) == doctest::Approx(1.03 * attention));
    CHECK(cell(csv.out, "fidelity") == "calibrated (h200, 2026-11-24)");
    const Outcome table = run_afford(prompt + with.file);
    CHECK(table.out.find("On the curves of measured kernels, for nine of ten points left out of "
                         "their fit: attention within 3 %. The rest: shares of the peaks") !=
          std::string::npos);
    CHECK(table.out.find("Fidelity: h200 calibrated (h200, 2026-11-24).") != std::string::npos);
    const Outcome longer = run_afford(prompt + with.file + " -c 64k");
    CHECK(longer.out.find("attention within 3 % (some beyond the sizes measured).") !=
          std::string::npos);
    const Outcome none = run_afford(prompt + "none --format csv");
    CHECK(cell(none.out, "attention_low_ms") == "");
    CHECK(cell(none.out, "fidelity") == "roofline");
    CHECK(std::stod(cell(none.out, "attention_ms")) != doctest::Approx(attention));
    CHECK(run_afford(prompt + "none")
              .out.find("Nothing stands on measured curves: shares of the peaks that come from "
                        "prompts that interrupted decoding") != std::string::npos);
  }

  TEST_CASE("check lints calibrations and their points") {
    const WithCalibration with;
    const Outcome ok = run_afford("check " + with.file);
    CHECK(ok.code == 0);
    CHECK(ok.out == with.file + ": ok, calibration of h200 (2026-11-24), 11 curves\n");
    const std::string points = with.folder.file(
        "p.points.csv", points_csv({{.operation = "read", .rejected = "hot"}, {}}));
    CHECK(run_afford("check " + points).out == points + ": ok, 2 points, 1 rejected\n");
  }

  TEST_CASE("validate reads whole tables where they are") {
    const TempFolder folder;
    (void)folder.file("h200_gemm.csv",
                      "gpu,framework,version,kernel,dtype,m,n,k,latency_us,flag,source\n"
                      "h200_sxm,Any,1,\"a, b\",bfloat16,64,8192,8192,40,,here\n"
                      "h200_sxm,Any,1,\"a, b\",bfloat16,64,8192,8192,1,doubtful,here\n");
    const Outcome csv =
        run_afford("validate --calibration none --format csv --tables " + folder.path(""));
    CHECK(csv.code == 0);
    CHECK(cell(csv.out, "points") == "1");
    // 134 MB at 0.9 * 4.8 TB/s, and 3 us to start.
    CHECK(std::stod(cell(csv.out, "median_pct")) ==
          doctest::Approx(100 * std::abs((8192.0 * 8192 * 2 / 4.32e6 + 3) / 40 - 1)));
    const TempFolder empty;
    const Outcome none = run_afford("validate --tables " + empty.path(""));
    CHECK(none.code == 2);
    CHECK(none.err.find("holds none of h200_gqa_decode.csv") != std::string::npos);
  }
}
