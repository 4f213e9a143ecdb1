#include <doctest/doctest.h>

#include "error.hpp"
#include "plan/workload.hpp"
#include "support.hpp"

using namespace afford;

namespace {

constexpr std::string_view workload_yaml = R"(schema: 1
name: chat
model: step-3
traffic:
  requests_per_second: 50
  prompt: {kind: lognormal, mean: 3000, cv: 1.2}
  output: {kind: fixed, tokens: 500}
target:
  tpot: 50 ms
  percentile: 99
chips:
  h800: {limit: 64, on_demand: {price: 2 USD/h}}
  h20:
)";

std::string workload_error(const std::string& text, const std::string& file = "chat.yaml") {
  try {
    (void)read_workload(yaml::parse(text, file), file);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

std::string changed(std::string_view from, std::string_view to) {
  return workload_error(test::replaced(workload_yaml, from, to));
}

}  // namespace

TEST_SUITE("errors") {
  TEST_CASE("workloads: every mistake has its place") {
    CHECK(workload_error(std::string(workload_yaml)) == "no error");
    CHECK(changed("requests_per_second: 50", "requests_per_second: -3") ==
          "chat.yaml:5:24: traffic.requests_per_second: expected a number from 1e-06 to 1000000, "
          "got '-3'");
    CHECK(changed("requests_per_second: 50", "requests_per_second: 0") ==
          "chat.yaml:5:24: traffic.requests_per_second: expected a number from 1e-06 to 1000000, "
          "got '0'");
    CHECK(changed("h800", "all") ==
          "chat.yaml:12:3: no hardware named 'all'; expected the name of a chip, such as h800");
    CHECK(changed("requests_per_second: 50", "requests_per_second: nan") ==
          "chat.yaml:5:24: traffic.requests_per_second: expected a number from 1e-06 to 1000000, "
          "got 'nan'");
    CHECK(changed("cv: 1.2", "cv: inf") ==
          "chat.yaml:6:45: traffic.prompt.cv: expected a number from 0 to 20, got 'inf'");
    CHECK(changed("kind: fixed", "kind: fix") ==
          "chat.yaml:7:18: traffic.output.kind: unknown value 'fix'; did you mean 'fixed'?");
    CHECK(changed("kind: fixed", "kind: steady") ==
          "chat.yaml:7:18: traffic.output.kind: unknown value 'steady'; expected one of fixed, "
          "uniform, lognormal, geometric");
    CHECK(changed("tokens: 500", "tokens: 0") ==
          "chat.yaml:7:33: traffic.output.tokens: expected a number from 1 to 100000000, got '0'");
    CHECK(changed("  output: {kind: fixed, tokens: 500}\n", "") ==
          "chat.yaml:5:3: missing key 'output' in 'traffic'");
    CHECK(changed("tpot: 50 ms", "tpot: 50") ==
          "chat.yaml:9:9: target.tpot: expected a time such as '50 ms', got '50'");
    CHECK(changed("percentile: 99", "percentile: 100") ==
          "chat.yaml:10:15: target.percentile: expected a number from 1 to 99.999, got '100'");
    CHECK(changed("price: 2 USD/h", "price: -2 USD/h") ==
          "chat.yaml:12:40: chips.h800.on_demand.price: expected a price such as '2.00 USD/h', got "
          "'-2 USD/h'");
    CHECK(changed("limit: 64", "limit: 6.5") ==
          "chat.yaml:12:17: chips.h800.limit: expected an integer from 0 to 1000000, got '6.5'");
    CHECK(changed("target:", "targets:") ==
          "chat.yaml:8:1: unknown key 'targets' in 'workload'; did you mean 'target'?");
    CHECK(changed("requests_per_second: 50",
                  "requests_per_second: 50\n  peak_factor: 4\n  peak_hours: 8") ==
          "chat.yaml:7:15: traffic.peak_hours: 8 hours at 4 times the mean rate are more than a "
          "day's "
          "requests");
  }

  TEST_CASE("a trace beside the workload gives rate and lengths") {
    const test::TempFolder folder;
    folder.file("t.csv",
                "arrival_s,prompt_tokens,output_tokens\n10,100,20\n10.5,100,20\n11,100,20\n");
    const std::string text = test::replaced(
        test::replaced(test::replaced(workload_yaml, "  requests_per_second: 50\n", ""),
                       "  prompt: {kind: lognormal, mean: 3000, cv: 1.2}\n", "  trace: t.csv\n"),
        "  output: {kind: fixed, tokens: 500}\n", "");
    const std::string file = folder.path("w.yaml");
    const Workload workload = read_workload(yaml::parse(text, file), file);
    CHECK(workload.traffic.requests_per_s == doctest::Approx(2));
    CHECK(workload.traffic.mix.output_tokens == 20);
    CHECK(workload.traffic.mix.context == doctest::Approx(109.5));
    CHECK(workload.offers.size() == 2);
  }
}
