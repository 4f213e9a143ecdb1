#pragma once
// One result table, many renderers. Values are plain; how a person sees them is the column's
// business.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace afford {

/// A number that is not one (the cost of a chip without a price) shows as an empty cell.
using Cell = std::variant<std::monostate, std::string, double, std::int64_t>;

/// How a column shows its numbers to people. CSV and JSON always carry full precision.
enum class Show { text, plain, scientific, money, price, percent, tokens, params };

struct Column {
  std::string key;      // CSV and JSON name, with its unit
  std::string heading;  // for people
  Show show = Show::text;
  bool detail = false;  // in CSV and JSON only
  std::string behind;   // people see it behind the column of this key, where both say something
};

struct Table {
  std::string title;
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> notes;
};

enum class Format { table, csv, json, md };
inline constexpr std::pair<std::string_view, Format> format_names[] = {
    {"table", Format::table}, {"csv", Format::csv}, {"json", Format::json}, {"md", Format::md}};

/// The whole table as text. CSV: RFC 4180 quoting, LF. JSON: an array of objects.
[[nodiscard]] std::string render(const Table& table, Format format);

/// The pieces of the CSV, for tables too long to hold: the header, and one row, each with its LF.
[[nodiscard]] std::string csv_header(const std::vector<Column>& columns);
[[nodiscard]] std::string csv_row(const std::vector<Cell>& row);
void append_csv_cell(std::string& out, const Cell& cell);
void append_csv_number(std::string& out, std::int64_t number);

/// A number as the column shows it: 2.56e8, 0.055, 8K, 37.9B.
[[nodiscard]] std::string shown(const Cell& cell, Show show);

}  // namespace afford
