#include "traffic/trace.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "text/escape.hpp"
#include "text/number.hpp"
#include "traffic/json_lines.hpp"

namespace afford {
namespace {

/// Our own, and as published: github.com/Azure/AzurePublicDataset (2023 and 2024),
/// github.com/HPMLL/BurstGPT, github.com/microsoft/vidur, github.com/Mutinifni/splitwise-sim.
constexpr TraceColumns csv_traces[] = {
    {"afford", "arrival_s", "prompt_tokens", "output_tokens"},
    {"Azure", "TIMESTAMP", "ContextTokens", "GeneratedTokens", true},
    {"BurstGPT", "Timestamp", "Request tokens", "Response tokens"},
    {"Vidur", "arrived_at", "num_prefill_tokens", "num_decode_tokens"},
    {"Splitwise", "arrival_timestamp", "prompt_size", "token_size"}};

/// As much of a line as a message bears.
std::string start_of(std::string_view text) {
  constexpr size_t longest = 80;
  if (text.size() <= longest) return std::string(text);
  return std::string(text.substr(0, boundary(text, longest))) + "...";
}

/// What a character is to a line without quotes: by a table, as traces have hundreds of millions.
enum class Character : unsigned char { other, plain, comma };

constexpr std::array<Character, 256> kinds_of_characters() {
  std::array<Character, 256> kinds{};
  for (int c = ' '; c <= '~'; ++c) kinds[static_cast<size_t>(c)] = Character::plain;
  kinds['"'] = Character::other;
  kinds[','] = Character::comma;
  return kinds;
}

/// One row of a file that has one a line.
std::optional<CsvRow> fields_of_line(const Line& line, const std::string& file) {
  return CsvReader(file, std::string(line.text), line.number).next();
}

}  // namespace

TraceReader::TraceReader(const std::filesystem::path& path) : lines_(path) {
  std::optional<Line> line = next_line();
  if (line && line->text.starts_with('{')) {
    first_ = std::move(line);
    format_ = "Mooncake";
    return;
  }
  read_header(line.value_or(Line{}));
}

std::optional<Line> TraceReader::next_line() {
  if (first_) return std::exchange(first_, std::nullopt);
  std::optional<Line> line = lines_.next();
  while (line && line->text.empty()) line = lines_.next();
  return line;
}

void TraceReader::read_header(const Line& line) {
  const std::optional<CsvRow> row = fields_of_line(line, lines_.file());
  for (size_t i = 0; row && i < row->fields.size(); ++i) {
    const std::string& name = row->fields[i].text;
    if (std::find(header_.begin(), header_.end(), name) != header_.end())
      throw InputError({lines_.file(), line.number, row->fields[i].column},
                       fmt::format("column '{}' stands here a second time", name));
    header_.push_back(name);
  }
  const auto column = [&](std::string_view name) {
    return static_cast<size_t>(std::find(header_.begin(), header_.end(), name) - header_.begin());
  };
  for (const TraceColumns& columns : csv_traces) {
    at_ = {column(columns.arrival), column(columns.prompt), column(columns.output)};
    if (*std::max_element(at_.begin(), at_.end()) == header_.size()) continue;
    columns_ = &columns;
    format_ = columns.name;
    return;
  }
  const TraceColumns& own = csv_traces[0];
  throw InputError(
      {lines_.file(), line.number, 1},
      fmt::format("expected the header '{},{},{}', or a trace of Azure, BurstGPT, Vidur, Splitwise "
                  "or Mooncake, got '{}'",
                  own.arrival, own.prompt, own.output, start_of(line.text)));
}

std::string_view TraceReader::name_of(const Field& field) const {
  const auto at = static_cast<size_t>(&field - fields_.data());
  if (at == at_[0]) return columns_->arrival;
  return at == at_[1] ? columns_->prompt : columns_->output;
}

std::int64_t TraceReader::tokens_of(const Field& field, int line, std::int64_t least) const {
  const auto value = parse_integer(field.text);
  if (value && *value >= least && *value <= most_trace_tokens) return *value;
  throw InputError(place(line, field),
                   fmt::format("{}: expected a whole number of tokens, at least {}, got '{}'",
                               name_of(field), least, field.text));
}

double TraceReader::arrival_of(const Field& field, int line) {
  if (!columns_->dates) {
    const auto value = parse_real(field.text);
    if (value && *value >= 0 && *value <= latest_arrival_s) return *value;
    throw InputError(place(line, field),
                     fmt::format("{}: expected seconds from 0 to {:g}, got '{}'", columns_->arrival,
                                 latest_arrival_s, field.text));
  }
  const auto time = parse_timestamp(field.text);
  if (!time) {
    throw InputError(place(line, field),
                     fmt::format("{}: expected a time such as 2023-11-16 18:17:03.98, got '{}'",
                                 columns_->arrival, field.text));
  }
  if (!start_) start_ = time;
  return static_cast<double>(time->seconds - start_->seconds) + (time->fraction - start_->fraction);
}

bool TraceReader::split_plain(std::string_view line) {
  static constexpr auto kinds = kinds_of_characters();
  fields_.clear();
  size_t start = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const Character kind = kinds[static_cast<unsigned char>(line[i])];
    if (kind == Character::plain) continue;
    if (kind == Character::other) return false;
    fields_.push_back({line.substr(start, i - start), static_cast<int>(start) + 1});
    start = i + 1;
  }
  fields_.push_back({line.substr(start), static_cast<int>(start) + 1});
  return true;
}

void TraceReader::split(const Line& line) {
  if (split_plain(line.text)) return;
  quoted_ = fields_of_line(line, lines_.file());
  fields_.clear();
  if (!quoted_) return;
  for (const CsvField& field : quoted_->fields) fields_.push_back({field.text, field.column});
}

TraceReader::Row TraceReader::csv_row(const Line& line) {
  split(line);
  if (fields_.size() != header_.size()) {
    throw InputError({lines_.file(), line.number, 1},
                     fmt::format("expected {} fields ({}), got {}", header_.size(),
                                 fmt::join(header_, ","), fields_.size()));
  }
  const Field& arrival = fields_[at_[0]];
  Row out{.line = line.number,
          .column = arrival.column,
          .request = {.arrival_s = arrival_of(arrival, line.number)}};
  out.request.output_tokens = tokens_of(fields_[at_[2]], line.number, 0);
  const std::int64_t least_prompt = out.request.output_tokens > 0 ? 1 : 0;
  out.request.prompt_tokens = tokens_of(fields_[at_[1]], line.number, least_prompt);
  return out;
}

TraceReader::Row TraceReader::row_of(const Line& line) {
  if (columns_ != nullptr) return csv_row(line);
  JsonRequest read = json_request(line, lines_.file());
  return {
      .line = read.arrival.line, .column = read.arrival.column, .request = std::move(read.request)};
}

void TraceReader::go_to(const LinePosition& position) {
  // Dates count from that of the first row.
  if (requests_ == 0) (void)next();
  first_.reset();
  lines_.go_to(position);
}

std::optional<Request> TraceReader::next() {
  while (const std::optional<Line> line = next_line()) {
    Row row = row_of(*line);
    if (row.request.output_tokens == 0) {
      ++without_output_;
      continue;
    }
    if (requests_ > 0 && row.request.arrival_s < last_arrival_) {
      throw InputError({lines_.file(), row.line, row.column},
                       fmt::format("{}: {} is before the line above ({}); sort the trace",
                                   columns_ == nullptr ? "timestamp" : columns_->arrival,
                                   row.request.arrival_s, last_arrival_));
    }
    last_arrival_ = row.request.arrival_s;
    ++requests_;
    return std::move(row.request);
  }
  require_any();
  return std::nullopt;
}

void TraceReader::require_any() const {
  if (requests_ > 0) return;
  if (without_output_ == 0)
    throw InputError({lines_.file(), 2, 1}, "expected at least one request");
  throw InputError({lines_.file()}, fmt::format("expected at least one request with output; the {} "
                                                "of it have none",
                                                without_output_));
}

}  // namespace afford
