#include <doctest/doctest.h>

#include <array>

#include "report/record.hpp"

using namespace afford;

namespace {

struct Inner {
  double value = 0;
};
struct Outer {
  std::string name;
  Inner inner;
  bool known = true;
};

const Record<Inner> inner_record = {
    {{"value_ms", "value", Show::plain}, [](const Inner& i) { return i.value; }}};

Record<Outer> outer_record() {
  return joined<Outer>({{{{"name", "name"}, [](const Outer& o) { return o.name; }}},
                        fields_of<Outer>(inner_record, [](const Outer& o) { return o.inner; }),
                        {{{"known", "known", Show::text, in_files_only},
                          [](const Outer& o) { return cell_if(o.known, 1.5); }}}});
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("records: a row has a cell for every column, in the order of the fields") {
    const Record<Outer> record = outer_record();
    const std::vector<Column> columns = columns_of(record);
    const std::vector<Cell> row = row_of(record, Outer{"a", {2.5}, false});
    REQUIRE(columns.size() == 3);
    REQUIRE(row.size() == columns.size());
    CHECK(columns[1].key == "value_ms");
    CHECK(std::get<std::string>(row[0]) == "a");
    CHECK(std::get<double>(row[1]) == 2.5);
    CHECK(std::holds_alternative<std::monostate>(row[2]));
    CHECK(columns[2].detail);
  }

  TEST_CASE("records: CSV, JSON and table come from the same list") {
    const std::array results = {Outer{"a", {2.5}, true}, Outer{"b", {3}, false}};
    const Table table = table_of(outer_record(), results);
    CHECK(render(table, Format::csv) == "name,value_ms,known\na,2.5,1.5\nb,3,\n");
    CHECK(render(table, Format::json) ==
          "[\n  {\n    \"name\": \"a\",\n    \"value_ms\": 2.5,\n    \"known\": 1.5\n  },\n"
          "  {\n    \"name\": \"b\",\n    \"value_ms\": 3.0,\n    \"known\": null\n  }\n]\n");
    CHECK(render(table, Format::table) == "name  value\n----  -----\na       2.5\nb         3\n");
  }
}
