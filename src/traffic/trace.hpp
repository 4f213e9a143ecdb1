#pragma once
// Traces of requests, as they are published.

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/csv.hpp"
#include "text/date.hpp"
#include "text/lines.hpp"
#include "traffic/request.hpp"

namespace afford {

inline constexpr std::int64_t most_trace_tokens = 100'000'000;  // of a prompt or an output
/// Beyond any clock that counts seconds; a double still tells microseconds apart there.
inline constexpr double latest_arrival_s = 1e10;

/// A family of CSV traces: the columns that say when a request came and how long prompt and output
/// are. Others are passed over.
struct TraceColumns {
  std::string_view name;
  std::string_view arrival, prompt, output;
  bool dates = false;  // arrivals are dates with a time, not seconds
};

/// Reads a trace request by request, in the order of arrival, holding one line at a time. What it
/// is follows from its first line: a header of traces() in any order of columns, or an object of
/// Mooncake's JSON lines.
class TraceReader {
 public:
  /// Throws InputError.
  explicit TraceReader(const std::filesystem::path& path);

  /// The next request that has output, or nothing at the end; those without (calls that failed) are
  /// counted and passed over. Throws InputError, also for a trace without any request.
  [[nodiscard]] std::optional<Request> next();

  /// Before the next request, for another reader of the same trace to go on from.
  [[nodiscard]] LinePosition position() const {
    return first_ ? LinePosition() : lines_.position();
  }
  /// Reads on from there, arrivals counted from the start of the trace as ever.
  void go_to(const LinePosition& position);

  [[nodiscard]] std::string_view format() const { return format_; }  // "Azure"
  [[nodiscard]] std::int64_t requests() const { return requests_; }  // so far
  [[nodiscard]] std::int64_t without_output() const { return without_output_; }

 private:
  struct Row {
    int line = 1, column = 1;  // of the arrival
    Request request;
  };
  struct Field {
    std::string_view text;
    int column = 1;
  };
  void read_header(const Line& line);
  /// Into `fields_`.
  void split(const Line& line);
  [[nodiscard]] bool split_plain(std::string_view line);
  [[nodiscard]] std::optional<Line> next_line();
  [[nodiscard]] Row row_of(const Line& line);
  [[nodiscard]] Row csv_row(const Line& line);
  [[nodiscard]] double arrival_of(const Field& field, int line);
  [[nodiscard]] std::int64_t tokens_of(const Field& field, int line, std::int64_t least) const;
  [[nodiscard]] std::string_view name_of(const Field& field) const;
  [[nodiscard]] Place place(int line, const Field& field) const {
    return {lines_.file(), line, field.column};
  }
  void require_any() const;

  LineReader lines_;
  std::optional<Line> first_;  // of JSON lines, which have no header
  std::string_view format_;
  const TraceColumns* columns_ = nullptr;  // null: JSON lines
  std::array<size_t, 3> at_{};             // of arrival, prompt and output in a row
  std::vector<std::string> header_;
  std::vector<Field> fields_;       // of the line at hand
  std::optional<CsvRow> quoted_;    // what they point into where quotes had to be taken off
  std::optional<Timestamp> start_;  // of the first row that has a date
  double last_arrival_ = 0;
  std::int64_t requests_ = 0, without_output_ = 0;
};

}  // namespace afford
