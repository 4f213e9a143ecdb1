#pragma once
// CSV as RFC 4180 has it, row by row, with the place of every field.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"

namespace afford {

struct CsvField {
  std::string text;
  int column = 1;
};

struct CsvRow {
  int line = 1;
  std::vector<CsvField> fields;
};

/// Reads `content` of the file called `file` in messages, where it starts at `first_line`. Empty
/// lines and a byte-order mark are passed over, CR LF is LF.
class CsvReader {
 public:
  /// Throws InputError for what is not UTF-8 text.
  CsvReader(std::string file, std::string content, int first_line = 1);

  /// The next row, or nothing at the end. Throws InputError for a quote that is not closed or
  /// stands inside a field.
  [[nodiscard]] std::optional<CsvRow> next();

  [[nodiscard]] Place place(const CsvRow& row, size_t field) const {
    return {file_, row.line, field < row.fields.size() ? row.fields[field].column : 1};
  }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  [[nodiscard]] CsvField field();

  std::string file_, content_;
  size_t at_ = 0, line_start_ = 0;
  int line_;
};

}  // namespace afford
