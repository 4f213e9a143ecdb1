#pragma once
// A row of a CSV of afford pareto: what its cells may hold.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "text/csv.hpp"

namespace afford::study {

/// What stands in a column. A number is finite and above zero, a whole one from 1, a share from 0
/// to below 1.
enum class FrontierCell {
  text,
  number,
  number_or_none,
  share,
  whole,
  yes_or_none,
  way,
  verdict,
  complete
};

/// What a column of afford pareto holds; nothing where there is no such column.
[[nodiscard]] std::optional<FrontierCell> frontier_cell(std::string_view column);

/// The columns of a file. Throws InputError for one that is missing, that afford pareto does not
/// write, or that stands there twice.
[[nodiscard]] std::vector<std::string> frontier_header(CsvReader& reader);
/// What its columns hold; looked up once for a million rows.
[[nodiscard]] std::vector<FrontierCell> frontier_cells(const std::vector<std::string>& header);

/// One row of a file with the place of every field.
struct RowAt {
  const CsvReader& reader;
  const CsvRow& row;
  [[nodiscard]] const std::string& text(size_t field) const { return row.fields[field].text; }
  [[nodiscard]] Place place(size_t field) const { return reader.place(row, field); }
  /// Throws the complaint about a field.
  [[noreturn]] void fail(size_t field, std::string_view name, std::string_view expected) const;

  /// Above zero. Throws InputError.
  [[nodiscard]] double number(size_t field, std::string_view name) const;
  /// Throws InputError.
  [[nodiscard]] std::int64_t whole(size_t field, std::string_view name, std::int64_t least,
                                   std::int64_t most) const;
  /// Throws InputError for a cell that cannot stand in its column; `cells`: what `header` holds.
  void check(const std::vector<std::string>& header, const std::vector<FrontierCell>& cells) const;
};

}  // namespace afford::study
