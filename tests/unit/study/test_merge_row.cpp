#include <doctest/doctest.h>

#include "error.hpp"
#include "records/frontier.hpp"
#include "study/merge_row.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("a merge knows every column that a search writes") {
    for (const Column& column : columns_of(frontier_record(study::SweepPoint()))) {
      CAPTURE(column.key);
      CHECK(study::frontier_cell(column.key).has_value());
    }
    for (const Column& column : columns_of(prompt_columns())) {
      CAPTURE(column.key);
      CHECK(study::frontier_cell(column.key).has_value());
    }
    CHECK(study::frontier_cell("sweep_tpot_ms").has_value());
    CHECK_FALSE(study::frontier_cell("tpotms").has_value());
  }

  TEST_CASE("a merge takes no cell that a search does not write") {
    CsvReader csv("p.csv", "\n5,16,feasible,,,0\n");
    const std::vector<std::string> header = {"tpot_ms", "gpus",          "verdict",
                                             "winner",  "ideal_tpot_ms", "prefix_hit_rate"};
    const std::vector<study::FrontierCell> cells = study::frontier_cells(header);
    const CsvRow good = *csv.next();
    study::RowAt{csv, good}.check(header, cells);
    const auto refused = [&](size_t field, const char* text) {
      CsvRow row = good;
      row.fields[field].text = text;
      try {
        study::RowAt{csv, row}.check(header, cells);
      } catch (const InputError& error) {
        return std::string(error.what());
      }
      return std::string("taken");
    };
    CHECK(refused(0, "inf") == "p.csv:2:1: tpot_ms: expected a number above zero, got 'inf'");
    CHECK(refused(1, "") == "p.csv:2:3: gpus: expected a whole number above zero, got ''");
    CHECK(refused(2, "none of it") ==
          "p.csv:2:6: verdict: expected one of 'feasible', 'slow', 'attention-memory', "
          "'ffn-memory', got 'none of it'");
    CHECK(refused(3, "no") == "p.csv:2:15: winner: expected one of 'yes', '', got 'no'");
    CHECK(refused(4, "x") == "p.csv:2:16: ideal_tpot_ms: expected a number above zero, got 'x'");
    CHECK(refused(4, "7") == "taken");
    CHECK(refused(5, "1") ==
          "p.csv:2:17: prefix_hit_rate: expected a share from 0 to below 1, got '1'");
    CHECK(refused(5, "0.5") == "taken");
  }

  TEST_CASE("a merge wants the columns of a search, each once") {
    const auto refused = [](const std::string& header) {
      CsvReader csv("p.csv", header + "\n");
      try {
        (void)study::frontier_header(csv);
      } catch (const InputError& error) {
        return std::string(error.what());
      }
      return std::string("taken");
    };
    std::string all;
    for (const Column& column : columns_of(frontier_record(study::SweepPoint())))
      all += (all.empty() ? "" : ",") + column.key;
    CHECK(refused(all) == "taken");
    CHECK(refused(all + ",sweep_tpot_ms") == "taken");
    CHECK(refused(all + ",ttft_ms") ==
          "p.csv:1:1: no column 'prefill'; expected a CSV of afford pareto --isl --osl");
    std::string with_prompts = all;
    for (const Column& column : columns_of(prompt_columns())) with_prompts += "," + column.key;
    CHECK(refused(with_prompts) == "taken");
    CHECK(refused("a,b") == "p.csv:1:1: no column 'model'; expected a CSV of afford pareto");
    CHECK(refused("gpu," + all).starts_with("p.csv:1:1: afford pareto writes no column 'gpu'"));
    CHECK(refused("gpus," + all).find(": column 'gpus' stands here a second time") !=
          std::string::npos);
  }
}
