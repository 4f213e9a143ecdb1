#include "report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "text/escape.hpp"
#include "text/number.hpp"
#include "text/shortest.hpp"

namespace afford {
namespace {

/// 2.56e8: no plus, no leading zero in the exponent.
std::string scientific(double value) {
  if (value == 0) return "0";
  const std::string text = fmt::format("{:.2e}", value);
  const size_t e = text.find('e');
  return fmt::format("{}e{}", text.substr(0, e), std::stoi(text.substr(e + 1)));
}

std::string show_number(double value, Show show) {
  switch (show) {
    case Show::scientific:
      return scientific(value);
    // Three decimals as the report prints; more where those would say too little.
    case Show::money:
      return fmt::format("{:.{}f}", value,
                         value >= 0.01 || value == 0 ? 3
                         : value >= 0.001            ? 4
                                                     : 6);
    case Show::price:
      return fmt::format("{:.2f}", value);
    case Show::percent:
      return fmt::format("{:.1f}%", value);
    case Show::tokens:
      return token_count_text(static_cast<std::int64_t>(std::llround(value)));
    case Show::params:
      return value >= 1e12 ? fmt::format("{:.2f}T", value / 1e12)
                           : fmt::format("{:.1f}B", value / 1e9);
    case Show::text:
    case Show::plain:
      break;
  }
  return fmt::format("{:.4g}", value);
}

std::string csv(const Table& table) {
  std::string out = csv_header(table.columns);
  for (const auto& row : table.rows) out += csv_row(row);
  return out;
}

std::string json(const Table& table) {
  struct Value {
    nlohmann::ordered_json operator()(std::monostate) const { return nullptr; }
    nlohmann::ordered_json operator()(const std::string& text) const { return text; }
    nlohmann::ordered_json operator()(double value) const { return value; }
    nlohmann::ordered_json operator()(std::int64_t value) const { return value; }
  };
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const auto& row : table.rows) {
    nlohmann::ordered_json object;
    for (size_t i = 0; i < row.size(); ++i)
      object[table.columns[i].key] = std::visit(Value{}, row[i]);
    rows.push_back(std::move(object));
  }
  constexpr auto replace = nlohmann::ordered_json::error_handler_t::replace;
  return rows.dump(2, ' ', false, replace) + "\n";
}

/// Headings and shown cells of the columns meant for people.
struct Grid {
  std::vector<std::vector<std::string>> rows;  // the first is the headings
  std::vector<bool> left;
  std::vector<size_t> widths;
};

bool says_something(const Table& table, size_t column) {
  return std::any_of(table.rows.begin(), table.rows.end(), [&](const std::vector<Cell>& row) {
    return shown(row[column], table.columns[column].show) != "-";
  });
}

/// The columns that people see, in their order.
std::vector<size_t> columns_for_people(const Table& table) {
  const std::vector<Column>& columns = table.columns;
  std::vector<size_t> seen;
  for (size_t c = 0; c < columns.size(); ++c) {
    if (!columns[c].detail) seen.push_back(c);
  }
  for (size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].behind.empty() || !says_something(table, c)) continue;
    const auto other = std::find_if(seen.begin(), seen.end(), [&](size_t each) {
      return columns[each].key == columns[c].behind;
    });
    if (other != seen.end()) seen.insert(other + 1, c);
  }
  return seen;
}

Grid grid_of(const Table& table) {
  Grid grid;
  grid.rows.resize(table.rows.size() + 1);
  for (const size_t c : columns_for_people(table)) {
    const Column& column = table.columns[c];
    grid.left.push_back(column.show == Show::text);
    grid.rows[0].push_back(column.heading);
    for (size_t r = 0; r < table.rows.size(); ++r)
      grid.rows[r + 1].push_back(shown(table.rows[r][c], column.show));
    size_t width = 0;
    for (const auto& row : grid.rows) width = std::max(width, row.back().size());
    grid.widths.push_back(width);
  }
  return grid;
}

std::string terminal(const Table& table) {
  const Grid grid = grid_of(table);
  std::string out = table.title.empty() ? "" : escaped(table.title) + "\n\n";
  for (size_t r = 0; r < grid.rows.size(); ++r) {
    std::string line;
    for (size_t c = 0; c < grid.widths.size(); ++c) {
      if (c > 0) line += "  ";
      line += grid.left[c] ? fmt::format("{:<{}}", grid.rows[r][c], grid.widths[c])
                           : fmt::format("{:>{}}", grid.rows[r][c], grid.widths[c]);
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    if (r > 0) continue;
    for (size_t c = 0; c < grid.widths.size(); ++c)
      out += (c > 0 ? "  " : "") + std::string(grid.widths[c], '-');
    out += '\n';
  }
  if (!table.notes.empty()) out += '\n';
  for (const std::string& note : table.notes) out += escaped(note) + "\n";
  return out;
}

std::string markdown(const Table& table) {
  const Grid grid = grid_of(table);
  std::string out = table.title.empty() ? "" : "**" + markdown_text(table.title) + "**\n\n";
  for (size_t r = 0; r < grid.rows.size(); ++r) {
    out += '|';
    for (const std::string& cell : grid.rows[r]) {
      out += ' ';
      out += markdown_text(cell);
      out += " |";
    }
    out += '\n';
    if (r > 0) continue;
    out += '|';
    for (const bool left : grid.left) out += left ? " --- |" : " ---: |";
    out += '\n';
  }
  for (const std::string& note : table.notes) out += "\n" + markdown_text(note) + "\n";
  return out;
}

}  // namespace

std::string shown(const Cell& cell, Show show) {
  struct Text {
    Show show;
    std::string operator()(std::monostate) const { return "-"; }
    std::string operator()(const std::string& text) const { return escaped(text); }
    std::string operator()(double value) const {
      return std::isnan(value) ? "-" : show_number(value, show);
    }
    std::string operator()(std::int64_t value) const {
      return show == Show::plain || show == Show::text
                 ? fmt::format("{}", value)
                 : show_number(static_cast<double>(value), show);
    }
  };
  return std::visit(Text{show}, cell);
}

std::string render(const Table& table, Format format) {
  switch (format) {
    case Format::csv:
      return csv(table);
    case Format::json:
      return json(table);
    case Format::md:
      return markdown(table);
    case Format::table:
      break;
  }
  return terminal(table);
}

std::string csv_header(const std::vector<Column>& columns) {
  std::string out;
  for (const Column& column : columns) out.append(out.empty() ? 0 : 1, ',').append(column.key);
  return out += '\n';
}

std::string csv_row(const std::vector<Cell>& row) {
  std::string out;
  for (size_t i = 0; i < row.size(); ++i) append_csv_cell(out.append(i == 0 ? 0 : 1, ','), row[i]);
  return out += '\n';
}

void append_csv_number(std::string& out, std::int64_t number) {
  const fmt::format_int text(number);
  out.append(text.data(), text.size());
}

void append_csv_cell(std::string& out, const Cell& cell) {
  struct Append {
    std::string& out;
    void operator()(std::monostate) const {}
    void operator()(const std::string& text) const { append_csv_text(out, text); }
    void operator()(double value) const {
      if (std::isnan(value)) return;
      append_shortest(out, value);
    }
    void operator()(std::int64_t value) const { append_csv_number(out, value); }
  };
  std::visit(Append{out}, cell);
}

}  // namespace afford
