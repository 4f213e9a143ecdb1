#pragma once
// A result as a record: each field's key, heading, unit and value stand together, once. CSV, JSON,
// tables and Markdown are made of the same list.

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "report/table.hpp"

namespace afford {

inline constexpr bool in_files_only = true;  // Column::detail

/// Whether results of one group, written one after another, share the text of a field: none, all of
/// it, or all but one number in it.
enum class Varies { with_each, with_group, in_a_number };

/// Stands in Field::around() where the number goes.
inline constexpr char number_mark = '\0';

/// A value of one type, for rows by the million: a number, none where it is not one; a whole
/// number; or one of a few names.
template <class Result>
using Typed = std::variant<std::monostate, std::function<double(const Result&)>,
                           std::function<std::int64_t(const Result&)>,
                           std::function<std::string_view(const Result&)>>;

/// One thing a result says of itself: the column it is shown in, and how to read it off.
template <class Result>
struct Field {
  Column column;
  std::function<Cell(const Result&)> value;
  Varies varies = Varies::with_each;
  Typed<Result> typed;                               // the same value, where it has one type
  std::function<std::string(const Result&)> around;  // of one that varies in its typed number
};

/// One whose value is a double, one that may be missing, a std::int64_t or a std::string_view.
template <class Result, class Read>
[[nodiscard]] Field<Result> typed_field(Column column, Read read) {
  using Value = std::invoke_result_t<Read, const Result&>;
  if constexpr (std::is_same_v<Value, std::optional<double>>) {
    const auto cell = [read](const Result& result) {
      const std::optional<double> value = read(result);
      return value ? Cell(*value) : Cell();
    };
    const auto number = [read](const Result& result) {
      return read(result).value_or(std::numeric_limits<double>::quiet_NaN());
    };
    return {std::move(column), cell, Varies::with_each,
            std::function<double(const Result&)>(number)};
  } else {
    const auto cell = [read](const Result& result) -> Cell {
      if constexpr (std::is_same_v<Value, std::string_view>)
        return std::string(read(result));
      else
        return read(result);
    };
    return {std::move(column), cell, Varies::with_each, std::function<Value(const Result&)>(read)};
  }
}

/// The same for all results of a group.
template <class Result>
[[nodiscard]] Field<Result> of_group(Field<Result> field) {
  field.varies = Varies::with_group;
  return field;
}

template <class Result>
using Record = std::vector<Field<Result>>;

/// Several records as one, in order.
template <class Result>
[[nodiscard]] Record<Result> joined(std::vector<Record<Result>> records) {
  Record<Result> all;
  for (Record<Result>& record : records) {
    for (Field<Result>& field : record) all.push_back(std::move(field));
  }
  return all;
}

/// The fields of a part of a result as fields of the whole; `part` takes the whole to the part.
template <class Whole, class Part, class Way>
[[nodiscard]] Record<Whole> fields_of(const Record<Part>& record, Way part) {
  const auto of_whole = [&](const auto& value) {
    return [value, part](const Whole& whole) { return value(part(whole)); };
  };
  const auto typed_of_whole = [&](const auto& value) -> Typed<Whole> {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
      return {};
    } else {
      using Value = std::invoke_result_t<decltype(value), const Part&>;
      return std::function<Value(const Whole&)>(of_whole(value));
    }
  };
  Record<Whole> out;
  for (const Field<Part>& field : record)
    out.push_back({field.column, of_whole(field.value), field.varies,
                   std::visit(typed_of_whole, field.typed)});
  return out;
}

template <class Result>
[[nodiscard]] std::vector<Column> columns_of(const Record<Result>& record) {
  std::vector<Column> columns;
  for (const Field<Result>& field : record) columns.push_back(field.column);
  return columns;
}

template <class Result>
[[nodiscard]] std::vector<Cell> row_of(const Record<Result>& record, const Result& result) {
  std::vector<Cell> row;
  for (const Field<Result>& field : record) row.push_back(field.value(result));
  return row;
}

template <class Results, class Result>
[[nodiscard]] Table table_of(const Record<Result>& record, const Results& results) {
  Table table{.title = {}, .columns = columns_of(record), .rows = {}, .notes = {}};
  for (const Result& result : results) table.rows.push_back(row_of(record, result));
  return table;
}

/// A number, or an empty cell where there is none to say.
[[nodiscard]] inline Cell cell_if(bool there, double value) { return there ? Cell(value) : Cell(); }
/// The same of a typed field.
[[nodiscard]] inline std::optional<double> number_if(bool there, double value) {
  return there ? std::optional(value) : std::nullopt;
}
/// A name out of a constant table.
[[nodiscard]] inline Cell named(std::string_view name) { return std::string(name); }
[[nodiscard]] inline Cell yes_or_no(bool yes) { return std::string(yes ? "yes" : "no"); }

}  // namespace afford
