#include "calibration/points_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <variant>

#include "error.hpp"
#include "text/csv.hpp"
#include "text/file.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford {
namespace {

using Member =
    std::variant<std::string Point::*, std::int64_t Point::*, double Point::*, bool Point::*>;

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

/// A text as a field; in quotes when it holds a separator. Line breaks become spaces.
std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out + '"';
}

std::string cell_text(const Point& point, const Member& member) {
  struct Text {
    const Point& point;
    std::string operator()(std::string Point::*m) const { return quoted(point.*m); }
    std::string operator()(std::int64_t Point::*m) const { return fmt::format("{}", point.*m); }
    std::string operator()(double Point::*m) const { return fmt::format("{}", point.*m); }
    std::string operator()(bool Point::*m) const { return point.*m ? "1" : "0"; }
  };
  return std::visit(Text{point}, member);
}

std::vector<const Field*> header(const CsvReader& csv, const CsvRow& row) {
  std::vector<std::string_view> names;
  for (const Field& field : fields) names.push_back(field.name);
  std::vector<const Field*> columns;
  for (size_t i = 0; i < row.fields.size(); ++i) {
    const std::string& name = row.fields[i].text;
    const Field* found = std::find_if(std::begin(fields), std::end(fields),
                                      [&](const Field& f) { return f.name == name; });
    if (found == std::end(fields)) {
      throw InputError(csv.place(row, i),
                       fmt::format("unknown column '{}'{}", name, suggestion(name, names)));
    }
    if (std::find(columns.begin(), columns.end(), found) != columns.end()) {
      throw InputError(csv.place(row, i),
                       fmt::format("column '{}' stands here a second time", name));
    }
    columns.push_back(found);
  }
  for (const Field& field : fields) {
    if (std::find(columns.begin(), columns.end(), &field) == columns.end()) {
      throw InputError({csv.file(), row.line, 1}, fmt::format("missing column '{}'", field.name));
    }
  }
  return columns;
}

void set_field(Point& point, const Field& field, const std::string& text, const Place& place) {
  const auto fail = [&](std::string_view expected) {
    throw InputError(place, fmt::format("{}: expected {}, got '{}'", field.name, expected, text));
  };
  struct Set {
    Point& point;
    const std::string& text;
    const decltype(fail)& complain;
    void operator()(std::string Point::*m) const { point.*m = text; }
    void operator()(std::int64_t Point::*m) const {
      const auto value = parse_integer(text);
      if (!value || *value < 0) complain("a whole number of zero or more");
      point.*m = *value;
    }
    void operator()(double Point::*m) const {
      const auto value = parse_real(text);
      if (!value || *value < 0) complain("a number of zero or more");
      point.*m = *value;
    }
    void operator()(bool Point::*m) const {
      if (text != "0" && text != "1") complain("0 or 1");
      point.*m = text == "1";
    }
  };
  std::visit(Set{point, text, fail}, field.member);
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
  CsvReader csv(file, std::string(text));
  const std::optional<CsvRow> first = csv.next();
  if (!first) throw InputError({file, 0, 0}, "expected points as CSV, got an empty file");
  const std::vector<const Field*> columns = header(csv, *first);
  std::vector<Point> points;
  while (const std::optional<CsvRow> row = csv.next()) {
    if (row->fields.size() != columns.size()) {
      throw InputError({file, row->line, 1},
                       fmt::format("expected {} cells as in the header, got {}", columns.size(),
                                   row->fields.size()));
    }
    Point& point = points.emplace_back();
    for (size_t i = 0; i < columns.size(); ++i)
      set_field(point, *columns[i], row->fields[i].text, csv.place(*row, i));
  }
  return points;
}

std::vector<Point> read_points(const std::string& path) {
  constexpr size_t most = size_t{16} << 20;
  return parse_points(read_whole(path, most, "table of points"), path);
}

}  // namespace afford
