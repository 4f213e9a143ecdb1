#pragma once
// CSV as RFC 4180 has it, less line breaks inside quotes: cells that know where they stand.

#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"

namespace afford {

struct CsvCell {
  std::string text;
  Place place;
};

/// The cells of one line. Throws InputError.
[[nodiscard]] std::vector<CsvCell> split_csv_line(std::string_view line, const std::string& file, int number);

/// All lines that are not empty. Throws InputError, also when a line has not as many cells as the first.
[[nodiscard]] std::vector<std::vector<CsvCell>> parse_csv(std::string_view text, const std::string& file);

/// `text` as a cell: in quotes when it holds a comma or a quote; line breaks become spaces.
[[nodiscard]] std::string csv_cell(std::string_view text);

}  // namespace afford
