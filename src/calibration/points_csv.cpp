#include "calibration/points_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "error.hpp"
#include "text/csv.hpp"
#include "text/file.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford {
namespace {

using Member = std::variant<std::string Point::*, std::int64_t Point::*, double Point::*, bool Point::*>;

struct Field {
  std::string_view name;
  Member member;
};

const Field fields[] = {{"operation", &Point::operation},
                        {"precision", &Point::precision},
                        {"tag", &Point::tag},
                        {"batch", &Point::batch},
                        {"query_heads", &Point::query_heads},
                        {"kv_heads", &Point::kv_heads},
                        {"head_dim", &Point::head_dim},
                        {"context_tokens", &Point::context_tokens},
                        {"longest_tokens", &Point::longest_tokens},
                        {"paged", &Point::paged},
                        {"experts", &Point::experts},
                        {"tokens", &Point::tokens},
                        {"busiest_tokens", &Point::busiest_tokens},
                        {"hidden", &Point::hidden},
                        {"intermediate", &Point::intermediate},
                        {"m", &Point::m},
                        {"n", &Point::n},
                        {"k", &Point::k},
                        {"bytes", &Point::bytes},
                        {"flops", &Point::flops},
                        {"padded_flops", &Point::padded_flops},
                        {"median_us", &Point::median_us},
                        {"p25_us", &Point::p25_us},
                        {"p75_us", &Point::p75_us},
                        {"min_us", &Point::min_us},
                        {"isolated_us", &Point::isolated_us},
                        {"samples", &Point::samples},
                        {"sm_clock_mhz", &Point::sm_clock_mhz},
                        {"power_w", &Point::power_w},
                        {"temperature_c", &Point::temperature_c},
                        {"error", &Point::error},
                        {"tolerance", &Point::tolerance},
                        {"kernel", &Point::kernel},
                        {"rejected", &Point::rejected}};

std::string cell_text(const Point& point, const Member& member) {
  struct Text {
    const Point& point;
    std::string operator()(std::string Point::*m) const { return csv_cell(point.*m); }
    std::string operator()(std::int64_t Point::*m) const { return fmt::format("{}", point.*m); }
    std::string operator()(double Point::*m) const { return fmt::format("{}", point.*m); }
    std::string operator()(bool Point::*m) const { return point.*m ? "1" : "0"; }
  };
  return std::visit(Text{point}, member);
}

std::vector<const Field*> header(const std::vector<CsvCell>& cells, const std::string& file) {
  std::vector<std::string_view> names;
  for (const Field& field : fields) names.push_back(field.name);
  std::vector<const Field*> columns;
  for (const CsvCell& cell : cells) {
    const Field* found = std::find_if(std::begin(fields), std::end(fields),
                                      [&](const Field& f) { return f.name == cell.text; });
    if (found == std::end(fields)) {
      throw InputError(cell.place,
                       fmt::format("unknown column '{}'{}", cell.text, suggestion(cell.text, names)));
    }
    if (std::find(columns.begin(), columns.end(), found) != columns.end()) {
      throw InputError(cell.place, fmt::format("column '{}' stands here a second time", cell.text));
    }
    columns.push_back(found);
  }
  for (const Field& field : fields) {
    if (std::find(columns.begin(), columns.end(), &field) == columns.end()) {
      throw InputError({file, 1, 1}, fmt::format("missing column '{}'", field.name));
    }
  }
  return columns;
}

void set_field(Point& point, const Field& field, const CsvCell& cell) {
  const auto fail = [&](std::string_view expected) {
    throw InputError(cell.place, fmt::format("{}: expected {}, got '{}'", field.name, expected, cell.text));
  };
  struct Set {
    Point& point;
    const CsvCell& cell;
    const decltype(fail)& complain;
    void operator()(std::string Point::*m) const { point.*m = cell.text; }
    void operator()(std::int64_t Point::*m) const {
      const auto value = parse_integer(cell.text);
      if (!value || *value < 0) complain("a whole number of zero or more");
      point.*m = *value;
    }
    void operator()(double Point::*m) const {
      const auto value = parse_real(cell.text);
      if (!value || *value < 0) complain("a number of zero or more");
      point.*m = *value;
    }
    void operator()(bool Point::*m) const {
      if (cell.text != "0" && cell.text != "1") complain("0 or 1");
      point.*m = cell.text == "1";
    }
  };
  std::visit(Set{point, cell, fail}, field.member);
}

}  // namespace

std::string points_csv(const std::vector<Point>& points) {
  std::string out;
  for (const Field& field : fields) out += (out.empty() ? "" : ",") + std::string(field.name);
  out += '\n';
  for (const Point& point : points) {
    std::string line;
    for (const Field& field : fields) {
      if (&field != fields) line += ',';
      line += cell_text(point, field.member);
    }
    out += line + '\n';
  }
  return out;
}

std::vector<Point> parse_points(std::string_view text, const std::string& file) {
  const std::vector<std::vector<CsvCell>> lines = parse_csv(text, file);
  if (lines.empty()) throw InputError({file, 0, 0}, "expected points as CSV, got an empty file");
  const std::vector<const Field*> columns = header(lines.front(), file);
  std::vector<Point> points(lines.size() - 1);
  for (size_t row = 0; row < points.size(); ++row) {
    for (size_t i = 0; i < columns.size(); ++i) set_field(points[row], *columns[i], lines[row + 1][i]);
  }
  return points;
}

std::vector<Point> read_points(const std::string& path) {
  constexpr size_t most = size_t{16} << 20;
  return parse_points(read_whole(path, most, "table of points"), path);
}

}  // namespace afford
