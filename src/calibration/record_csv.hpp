#pragma once
// Records as CSV: one row a record, one column a field, losslessly both ways. The columns may stand
// in any order; all but the optional ones must be there, and no other.

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "error.hpp"
#include "text/csv.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford {

/// Above what any kernel, link or server was measured at: products of a few of them stay numbers.
inline constexpr std::int64_t most_csv_count = 1'000'000'000'000;
inline constexpr double most_csv_number = 1e24;

/// A column: its name, and the member it holds. Numbers are zero or more, within reason; an empty
/// cell is a number only for a member that may be without one.
template <class Record>
struct CsvColumn {
  std::string_view name;
  std::variant<std::string Record::*, std::int64_t Record::*, double Record::*, bool Record::*,
               std::optional<double> Record::*>
      member;
  bool optional = false;  // a file may lack it: the member keeps its default
};

template <class Record>
using CsvColumns = std::span<const CsvColumn<Record>>;

/// A text as a field; in quotes when it holds a separator. Line breaks become spaces.
[[nodiscard]] inline std::string csv_quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out + '"';
}

template <class Record>
[[nodiscard]] std::string csv_cell(const Record& record, const CsvColumn<Record>& column) {
  struct Text {
    const Record& record;
    std::string operator()(std::string Record::*m) const { return csv_quoted(record.*m); }
    std::string operator()(std::int64_t Record::*m) const { return fmt::format("{}", record.*m); }
    std::string operator()(double Record::*m) const { return fmt::format("{}", record.*m); }
    std::string operator()(bool Record::*m) const { return record.*m ? "1" : "0"; }
    std::string operator()(std::optional<double> Record::*m) const {
      return record.*m ? fmt::format("{}", *(record.*m)) : "";
    }
  };
  return std::visit(Text{record}, column.member);
}

/// Header and one row for each record.
template <class Record>
[[nodiscard]] std::string csv_of(const std::vector<Record>& records, CsvColumns<Record> columns) {
  std::string out;
  for (const auto& column : columns) out += (out.empty() ? "" : ",") + std::string(column.name);
  out += '\n';
  for (const Record& record : records) {
    for (const auto& column : columns)
      out += (&column == columns.data() ? "" : ",") + csv_cell(record, column);
    out += '\n';
  }
  return out;
}

/// The columns in the order of a header. Throws InputError with the place.
template <class Record>
[[nodiscard]] std::vector<const CsvColumn<Record>*> csv_header(const CsvReader& csv,
                                                               const CsvRow& row,
                                                               CsvColumns<Record> columns) {
  std::vector<std::string_view> names;
  for (const auto& column : columns) names.push_back(column.name);
  std::vector<const CsvColumn<Record>*> order;
  for (size_t i = 0; i < row.fields.size(); ++i) {
    const std::string& name = row.fields[i].text;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw InputError(csv.place(row, i),
                       fmt::format("unknown column '{}'{}", name, suggestion(name, names)));
    const auto* column = &columns[static_cast<size_t>(found - names.begin())];
    if (std::find(order.begin(), order.end(), column) != order.end())
      throw InputError(csv.place(row, i),
                       fmt::format("column '{}' stands here a second time", name));
    order.push_back(column);
  }
  for (const auto& column : columns) {
    if (!column.optional && std::find(order.begin(), order.end(), &column) == order.end())
      throw InputError({csv.file(), row.line, 1}, fmt::format("missing column '{}'", column.name));
  }
  return order;
}

template <class Record>
void set_csv_field(Record& record, const CsvColumn<Record>& column, const std::string& text,
                   const Place& place) {
  const auto fail = [&](std::string_view expected) {
    throw InputError(place, fmt::format("{}: expected {}, got '{}'", column.name, expected, text));
  };
  struct Set {
    Record& record;
    const std::string& text;
    const decltype(fail)& complain;
    void operator()(std::string Record::*m) const { record.*m = text; }
    void operator()(std::int64_t Record::*m) const {
      const auto value = parse_integer(text);
      if (!value || *value < 0) complain("a whole number of zero or more");
      record.*m = *value;
    }
    void operator()(double Record::*m) const {
      const auto value = parse_real(text);
      if (!value || *value < 0) complain("a number of zero or more");
      record.*m = *value;
    }
    void operator()(bool Record::*m) const {
      if (text != "0" && text != "1") complain("0 or 1");
      record.*m = text == "1";
    }
    void operator()(std::optional<double> Record::*m) const {
      if (text.empty()) return;
      const auto value = parse_real(text);
      if (!value || *value < 0) complain("a number of zero or more, or nothing");
      record.*m = value;
    }
  };
  std::visit(Set{record, text, fail}, column.member);
}

/// Whether a number is one that anything can have been measured at.
template <class Record>
[[nodiscard]] bool within_reason(const Record& record, const CsvColumn<Record>& column) {
  struct Within {
    const Record& record;
    bool operator()(std::string Record::*) const { return true; }
    bool operator()(bool Record::*) const { return true; }
    bool operator()(std::int64_t Record::*m) const { return record.*m <= most_csv_count; }
    bool operator()(double Record::*m) const { return record.*m <= most_csv_number; }
    bool operator()(std::optional<double> Record::*m) const {
      return (record.*m).value_or(0) <= most_csv_number;
    }
  };
  return std::visit(Within{record}, column.member);
}

/// Reads what csv_of() writes; `file` and `what` are for messages. `check` is given each record
/// with a function from a column's name to its place, and may throw. Throws InputError with line
/// and column.
template <class Record, class Check>
[[nodiscard]] std::vector<Record> parse_csv(std::string_view text, const std::string& file,
                                            std::string_view what, CsvColumns<Record> columns,
                                            const Check& check) {
  CsvReader csv(file, std::string(text));
  const std::optional<CsvRow> first = csv.next();
  if (!first)
    throw InputError({file, 0, 0}, fmt::format("expected {} as CSV, got an empty file", what));
  const auto order = csv_header(csv, *first, columns);
  std::vector<Record> records;
  while (const std::optional<CsvRow> row = csv.next()) {
    if (row->fields.size() != order.size()) {
      throw InputError({file, row->line, 1},
                       fmt::format("expected {} cells as in the header, got {}", order.size(),
                                   row->fields.size()));
    }
    Record& record = records.emplace_back();
    for (size_t i = 0; i < order.size(); ++i)
      set_csv_field(record, *order[i], row->fields[i].text, csv.place(*row, i));
    check(record, [&](std::string_view name) {
      const auto found = std::find_if(order.begin(), order.end(),
                                      [&](const auto* column) { return column->name == name; });
      return csv.place(*row, static_cast<size_t>(found - order.begin()));
    });
    // What the check asks of a number says more.
    for (size_t i = 0; i < order.size(); ++i) {
      if (!within_reason(record, *order[i]))
        throw InputError(csv.place(*row, i), fmt::format("{}: expected a smaller number, got '{}'",
                                                         order[i]->name, row->fields[i].text));
    }
  }
  return records;
}

template <class Record>
[[nodiscard]] std::vector<Record> parse_csv(std::string_view text, const std::string& file,
                                            std::string_view what, CsvColumns<Record> columns) {
  return parse_csv(text, file, what, columns, [](const Record&, const auto&) {});
}

}  // namespace afford
