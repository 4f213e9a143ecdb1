#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "report/table.hpp"

using namespace afford;

namespace {

Table sample() {
  return {.title = "Title",
          .columns = {{"model", "model"},
                      {"usd_per_mtok", "USD", Show::money},
                      {"kv_bytes", "KV", Show::scientific},
                      {"note", "note", Show::text, true}},
          .rows = {{std::string("a|b"), 0.0551, 255852544.0, std::string("x,\"y\"")},
                   {std::string("long-name"), 0.00437, Cell(), std::string("z")}},
          .notes = {"A note."}};
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a terminal table lines up, rounds for people and keeps detail out") {
    CHECK(render(sample(), Format::table) ==
          "Title\n\n"
          "model         USD      KV\n"
          "---------  ------  ------\n"
          "a|b         0.055  2.56e8\n"
          "long-name  0.0044       -\n"
          "\nA note.\n");
  }

  TEST_CASE("a column may stand elsewhere for people than in files, if it says something") {
    Table table = sample();
    table.columns.push_back({"j", "J", Show::plain, true, "usd_per_mtok"});
    table.columns.push_back({"kwh", "kWh", Show::plain, true, "no_such_key"});
    for (auto& row : table.rows) row.insert(row.end(), {2.5, 1.5});
    CHECK(render(table, Format::table) ==
          "Title\n\n"
          "model         USD    J      KV\n"
          "---------  ------  ---  ------\n"
          "a|b         0.055  2.5  2.56e8\n"
          "long-name  0.0044  2.5       -\n\n"
          "A note.\n");
    CHECK(render(table, Format::csv).starts_with("model,usd_per_mtok,kv_bytes,note,j,kwh\n"));
    for (auto& row : table.rows) row[4] = Cell();
    CHECK(render(table, Format::table) == render(sample(), Format::table));
  }

  TEST_CASE("CSV has every column, plain round-trip numbers and RFC 4180 quotes") {
    CHECK(render(sample(), Format::csv) ==
          "model,usd_per_mtok,kv_bytes,note\n"
          "a|b,0.0551,255852544,\"x,\"\"y\"\"\"\n"
          "long-name,0.00437,,z\n");
  }

  TEST_CASE("JSON is an array of objects with null for nothing") {
    const auto json = nlohmann::json::parse(render(sample(), Format::json));
    CHECK(json.size() == 2);
    CHECK(json[0]["kv_bytes"] == 255852544.0);
    CHECK(json[1]["kv_bytes"].is_null());
    CHECK(json[0]["note"] == "x,\"y\"");
  }

  TEST_CASE("Markdown escapes its own separators") {
    CHECK(render(sample(), Format::md) ==
          "**Title**\n\n"
          "| model | USD | KV |\n"
          "| --- | ---: | ---: |\n"
          "| a\\|b | 0.055 | 2.56e8 |\n"
          "| long-name | 0.0044 | - |\n"
          "\nA note.\n");
  }

  TEST_CASE("numbers are shown as their column says") {
    CHECK(shown(Cell(0.0), Show::scientific) == "0");
    CHECK(shown(Cell(2.81e-19), Show::scientific) == "2.81e-19");
    CHECK(shown(Cell(37.9e9), Show::params) == "37.9B");
    CHECK(shown(Cell(1.026e12), Show::params) == "1.03T");
    CHECK(shown(Cell(0.67), Show::price) == "0.67");
    CHECK(shown(Cell(12.86), Show::percent) == "12.9%");
    CHECK(shown(Cell(std::int64_t{8192}), Show::tokens) == "8K");
    CHECK(shown(Cell(std::int64_t{61}), Show::plain) == "61");
  }
}
