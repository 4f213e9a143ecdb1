#include "traffic/trace.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

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

std::int64_t whole_tokens(const std::string& text, std::int64_t least, std::string_view name,
                          const Place& place) {
  const auto value = parse_integer(text);
  if (value && *value >= least && *value <= most_trace_tokens) return *value;
  throw InputError(place, fmt::format("{}: expected a whole number of tokens, at least {}, got "
                                      "'{}'",
                                      name, least, text));
}

/// As much of a line as a message bears.
std::string start_of(const std::string& text) {
  constexpr size_t longest = 80;
  if (text.size() <= longest) return text;
  return text.substr(0, boundary(text, longest)) + "...";
}

/// One row of a file that has one a line.
std::optional<CsvRow> fields_of_line(const Line& line, const std::string& file) {
  return CsvReader(file, line.text, line.number).next();
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

double TraceReader::arrival_of(const std::string& text, const Place& place) {
  if (!columns_->dates) {
    const auto value = parse_real(text);
    if (value && *value >= 0 && *value <= latest_arrival_s) return *value;
    throw InputError(place, fmt::format("{}: expected seconds from 0 to {:g}, got '{}'",
                                        columns_->arrival, latest_arrival_s, text));
  }
  const auto time = parse_timestamp(text);
  if (!time) {
    throw InputError(place, fmt::format("{}: expected a time such as 2023-11-16 18:17:03.98, got "
                                        "'{}'",
                                        columns_->arrival, text));
  }
  if (!start_) start_ = time;
  return static_cast<double>(time->seconds - start_->seconds) + (time->fraction - start_->fraction);
}

TraceReader::Row TraceReader::csv_row(const Line& line) {
  const CsvRow row = fields_of_line(line, lines_.file()).value_or(CsvRow{.line = line.number});
  if (row.fields.size() != header_.size()) {
    throw InputError({lines_.file(), line.number, 1},
                     fmt::format("expected {} fields ({}), got {}", header_.size(),
                                 fmt::join(header_, ","), row.fields.size()));
  }
  const auto text = [&](size_t i) -> const std::string& { return row.fields[at_[i]].text; };
  const auto place = [&](size_t i) {
    return Place{lines_.file(), line.number, row.fields[at_[i]].column};
  };
  Row out{.arrival = place(0), .request = {.arrival_s = arrival_of(text(0), place(0))}};
  out.request.output_tokens = whole_tokens(text(2), 0, columns_->output, place(2));
  const std::int64_t least_prompt = out.request.output_tokens > 0 ? 1 : 0;
  out.request.prompt_tokens = whole_tokens(text(1), least_prompt, columns_->prompt, place(1));
  return out;
}

TraceReader::Row TraceReader::row_of(const Line& line) {
  if (columns_ != nullptr) return csv_row(line);
  JsonRequest read = json_request(line, lines_.file());
  return {.arrival = std::move(read.arrival), .request = std::move(read.request)};
}

std::optional<Request> TraceReader::next() {
  while (const std::optional<Line> line = next_line()) {
    Row row = row_of(*line);
    if (row.request.output_tokens == 0) {
      ++without_output_;
      continue;
    }
    if (requests_ > 0 && row.request.arrival_s < last_arrival_) {
      throw InputError(row.arrival,
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
