#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <string>

#include "report/record.hpp"
#include "report/row_writer.hpp"

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

  TEST_CASE("records: typed values are cells as others are, of a part too") {
    const Record<Inner> typed = {
        typed_field<Inner>({"value", "value"}, [](const Inner& i) { return i.value; }),
        typed_field<Inner>({"large", "large"},
                           [](const Inner& i) { return number_if(i.value > 2, i.value); })};
    const Record<Outer> record = joined<Outer>(
        {fields_of<Outer>(typed, [](const Outer& o) -> const Inner& { return o.inner; }),
         {typed_field<Outer>({"name", "name"},
                             [](const Outer& o) { return std::string_view(o.name); }),
          typed_field<Outer>({"count", "count"}, [](const Outer&) { return std::int64_t{3}; })}});
    const std::vector<Cell> row = row_of(record, Outer{"a", {1.5}});
    REQUIRE(row.size() == 4);
    CHECK(row[0] == Cell(1.5));
    CHECK(row[1] == Cell());
    CHECK(row[2] == Cell(std::string("a")));
    CHECK(row[3] == Cell(std::int64_t{3}));
    CHECK(row_of(record, Outer{"a", {2.5}})[1] == Cell(2.5));
    CHECK(std::get<std::function<double(const Outer&)>>(record[1].typed)(Outer{"a", {2.5}}) == 2.5);
  }

  TEST_CASE("records: rows of a group one by one are those of the table") {
    const std::string long_text(2000, 'x');
    const Record<Outer> record = {
        of_group<Outer>({{"known", "known"}, [](const Outer& o) { return yes_or_no(o.known); }}),
        typed_field<Outer>({"value", "value"}, [](const Outer& o) { return o.inner.value; }),
        typed_field<Outer>({"name", "name"},
                           [](const Outer& o) { return std::string_view(o.name); }),
        {{"cell", "cell"}, [](const Outer& o) { return o.name + "!"; }},
        {{"text", "text"},
         [](const Outer& o) { return "of " + std::to_string(o.name.size()) + ", all"; },
         Varies::in_a_number,
         std::function<std::int64_t(const Outer&)>(
             [](const Outer& o) { return static_cast<std::int64_t>(o.name.size()); }),
         [](const Outer&) { return "of " + std::string(1, number_mark) + ", all"; }}};
    RowWriter<Outer> writer(record);
    std::string rows, expected;
    for (const bool known : {true, false}) {
      writer.start_group(Outer{"of the group", {0}, known});
      for (const std::string& name : {std::string("a"), std::string("a"), std::string("=b, \"c\""),
                                      long_text, std::string(), std::string("a")}) {
        for (const double value : {2.5, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
          const Outer result{name, {value}, known};
          writer.write(result, rows);
          expected += csv_row(row_of(record, result));
        }
      }
    }
    CHECK(rows == expected);
  }
}
