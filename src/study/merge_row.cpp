#include "study/merge_row.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford::study {
namespace {

using enum FrontierCell;

constexpr std::pair<std::string_view, FrontierCell> frontier_columns[] = {
    {"model", text},
    {"context_tokens", whole},
    {"tpot_ms", number},
    {"tokens_per_gpu_s", number},
    {"usd_per_mtok", number_or_none},  // of chips without a price
    {"deployment", text},
    {"attention_hardware", text},
    {"attention_gpus", whole},
    {"ffn_hardware", text},
    {"ffn_gpus", whole},
    {"ffn_parallelism", text},
    {"batch", whole},
    {"micro_batches", whole},
    {"bound", text},
    {"winner", yes_or_none},
    {"way", way},
    {"gpus", whole},
    {"attention_instances", whole},
    {"ffn_instances", whole},
    {"attention_parallelism", text},
    {"verdict", verdict},
    {"case", whole},
    {"candidate", text},  // counts from 0
    {"objective", text},
    {"tpot_limit_ms", number},
    {"shard", text},
    {"complete", complete},
    {"search", text},
    {"rows", whole},
    {"fidelity", text},
    {"engine", text},
    {"ideal_tpot_ms", number_or_none},
    {"tokens_per_user_s", number},
    {"joules_per_token", number_or_none},
    {"tokens_per_kwh", number_or_none},
    {"tpot_low_ms", number_or_none},
    {"tpot_high_ms", number_or_none},
    {"simulate", text}};

/// Of a search in which prompts count, all of them.
constexpr std::pair<std::string_view, FrontierCell> prompt_columns[] = {
    {"prefill", text},
    {"prefill_to_decode", number_or_none},  // of pools apart
    {"ttft_ms", number},
    {"prefill_gpus", number_or_none},
    {"isl", whole},
    {"osl", whole},
    {"prefix_hit_rate", share},
    {"ttft_limit_ms", number_or_none},
    {"usd_per_input_mtok", number_or_none},
    {"usd_per_output_mtok", number_or_none},
    {"usd_per_request", number_or_none},
    {"ttft_low_ms", number_or_none},
    {"ttft_high_ms", number_or_none}};

template <size_t N>
void require_one_of(const RowAt& at, size_t field, std::string_view name,
                    const std::string_view (&known)[N]) {
  if (std::find(std::begin(known), std::end(known), at.text(field)) == std::end(known))
    at.fail(field, name, fmt::format("one of '{}'", fmt::join(known, "', '")));
}

void check_cell(const RowAt& at, size_t field, const std::string& name, FrontierCell cell) {
  constexpr std::string_view ways[] = {"afd", "ep", "tp", "mixed"}, yes[] = {"yes", ""},
                             completeness[] = {"yes", "partial"},
                             verdicts[] = {"feasible", "slow", "attention-memory", "ffn-memory"};
  switch (cell) {
    case text:
      if (at.text(field).empty()) at.fail(field, name, "a text");
      return;
    case number_or_none:
      if (!at.text(field).empty()) (void)at.number(field, name);
      return;
    case number:
      return (void)at.number(field, name);
    case share: {
      const std::optional<double> value = parse_real(at.text(field));
      if (!value || *value < 0 || *value >= 1) at.fail(field, name, "a share from 0 to below 1");
      return;
    }
    case whole:
      if (parse_integer(at.text(field)).value_or(0) < 1)
        at.fail(field, name, "a whole number above zero");
      return;
    case yes_or_none:
      return require_one_of(at, field, name, yes);
    case way:
      return require_one_of(at, field, name, ways);
    case verdict:
      return require_one_of(at, field, name, verdicts);
    case complete:
      return require_one_of(at, field, name, completeness);
  }
}

}  // namespace

std::optional<FrontierCell> frontier_cell(std::string_view column) {
  for (const auto& [name, cell] : frontier_columns) {
    if (name == column) return cell;
  }
  for (const auto& [name, cell] : prompt_columns) {
    if (name == column) return cell;
  }
  if (column.starts_with("sweep_")) return text;
  return std::nullopt;
}

std::vector<std::string> frontier_header(CsvReader& reader) {
  const auto head = reader.next();
  if (!head) throw InputError({reader.file()}, "empty; expected a CSV of afford pareto");
  std::vector<std::string> header, known;
  for (const CsvField& field : head->fields) header.push_back(field.text);
  for (const auto& [name, cell] : frontier_columns) {
    known.emplace_back(name);
    if (std::find(header.begin(), header.end(), name) == header.end())
      throw InputError({reader.file(), 1, 1},
                       fmt::format("no column '{}'; expected a CSV of afford pareto", name));
  }
  const bool prompts =
      std::any_of(std::begin(prompt_columns), std::end(prompt_columns), [&](const auto& column) {
        return std::find(header.begin(), header.end(), column.first) != header.end();
      });
  for (const auto& [name, cell] : prompt_columns) {
    known.emplace_back(name);
    if (prompts && std::find(header.begin(), header.end(), name) == header.end())
      throw InputError(
          {reader.file(), 1, 1},
          fmt::format("no column '{}'; expected a CSV of afford pareto --isl --osl", name));
  }
  std::set<std::string> seen;
  for (size_t i = 0; i < header.size(); ++i) {
    if (!frontier_cell(header[i])) {
      throw InputError(reader.place(*head, i),
                       fmt::format("afford pareto writes no column '{}'{}", header[i],
                                   suggestion(header[i], known)));
    }
    if (!seen.insert(header[i]).second) {
      throw InputError(reader.place(*head, i),
                       fmt::format("column '{}' stands here a second time", header[i]));
    }
  }
  return header;
}

std::vector<FrontierCell> frontier_cells(const std::vector<std::string>& header) {
  std::vector<FrontierCell> cells;
  for (const std::string& column : header) cells.push_back(frontier_cell(column).value());
  return cells;
}

void RowAt::fail(size_t field, std::string_view name, std::string_view expected) const {
  throw InputError(place(field),
                   fmt::format("{}: expected {}, got '{}'", name, expected, text(field)));
}

double RowAt::number(size_t field, std::string_view name) const {
  const auto value = parse_real(text(field));
  if (!value || !(*value > 0)) fail(field, name, "a number above zero");
  return *value;
}

std::int64_t RowAt::whole(size_t field, std::string_view name, std::int64_t least,
                          std::int64_t most) const {
  const auto value = parse_integer(text(field));
  if (!value || *value < least || *value > most)
    fail(field, name, fmt::format("a whole number from {} to {}", least, most));
  return *value;
}

void RowAt::check(const std::vector<std::string>& header,
                  const std::vector<FrontierCell>& cells) const {
  for (size_t field = 0; field < header.size(); ++field) {
    if (text(field).find('\n') != std::string::npos) fail(field, header[field], "one line");
    check_cell(*this, field, header[field], cells[field]);
  }
}

}  // namespace afford::study
