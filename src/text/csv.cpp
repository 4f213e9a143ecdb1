#include "text/csv.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace afford {
namespace {

/// The rest of a cell in quotes, from after the opening one; `at` moves behind the closing one.
std::string quoted_cell(std::string_view line, size_t& at, const Place& opening) {
  std::string text;
  for (; at < line.size(); ++at) {
    if (line[at] != '"') {
      text += line[at];
    } else if (at + 1 < line.size() && line[at + 1] == '"') {
      text += line[++at];
    } else {
      ++at;
      return text;
    }
  }
  throw InputError(opening, "expected a closing quote in this line");
}

}  // namespace

std::vector<CsvCell> split_csv_line(std::string_view line, const std::string& file, int number) {
  std::vector<CsvCell> cells;
  for (size_t at = 0;; ++at) {
    CsvCell cell{.text = {}, .place = {file, number, static_cast<int>(at) + 1}};
    if (at < line.size() && line[at] == '"') {
      cell.text = quoted_cell(line, ++at, cell.place);
      if (at < line.size() && line[at] != ',') {
        throw InputError({file, number, static_cast<int>(at) + 1},
                         "expected a comma after the closing quote");
      }
    } else {
      const size_t end = std::min(line.find(',', at), line.size());
      cell.text = line.substr(at, end - at);
      at = end;
    }
    cells.push_back(std::move(cell));
    if (at >= line.size()) return cells;
  }
}

std::vector<std::vector<CsvCell>> parse_csv(std::string_view text, const std::string& file) {
  std::vector<std::vector<CsvCell>> lines;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    lines.push_back(split_csv_line(line, file, number));
    if (lines.back().size() != lines.front().size()) {
      throw InputError({file, number, 1}, fmt::format("expected {} cells as in the header, got {}",
                                                      lines.front().size(), lines.back().size()));
    }
  }
  return lines;
}

std::string csv_cell(std::string_view text) {
  const bool quote = text.find_first_of(",\"\n\r") != std::string_view::npos;
  std::string out = quote ? "\"" : "";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return quote ? out + '"' : out;
}

}  // namespace afford
