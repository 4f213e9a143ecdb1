#include "study/merge.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "error.hpp"
#include "study/frontier.hpp"
#include "study/merge_origin.hpp"
#include "study/merge_row.hpp"
#include "text/file.hpp"
#include "text/number.hpp"

namespace afford::study {
namespace {

constexpr std::int64_t most_context = 1'000'000'000;

/// What is known after some of the files.
struct Parts {
  std::vector<std::string> header;
  std::vector<FrontierCell> cells;                          // of the header
  std::map<std::int64_t, Frontier<MergedPoint>> frontiers;  // by the number of the case in its run
  std::map<std::int64_t, std::string> cases;                // and what each stands for
  std::map<Part, std::string> files;                        // and where each part comes from
  std::optional<Origin> first;
  bool partial = false;
};

/// Not a number where a chip has no price, which only a search by cost needs.
double usd_at(const RowAt& at, const MergeKeys& keys, Objective objective) {
  const bool none = at.text(keys.usd).empty() && !counts_money(objective);
  return none ? std::nan("") : at.number(keys.usd, "usd_per_mtok");
}

/// Whether a column says what is served, which is one thing in a case.
bool tells_cases_apart(std::string_view column) {
  constexpr std::string_view lengths[] = {"isl", "osl", "prefix_hit_rate", "ttft_limit_ms"};
  return column.starts_with("sweep_") ||
         std::find(std::begin(lengths), std::end(lengths), column) != std::end(lengths);
}

MergedPoint read_point(const RowAt& at, const MergeKeys& keys, const Parts& parts) {
  const std::vector<std::string>& header = parts.header;
  at.check(header, parts.cells);
  MergedPoint point;
  point.goals = {.tpot_ms = at.number(keys.tpot, "tpot_ms"),
                 .tokens_per_gpu_s = at.number(keys.tokens, "tokens_per_gpu_s"),
                 .usd_per_mtok = usd_at(at, keys, parts.first->objective)};
  point.number =
      static_cast<std::uint64_t>(at.whole(keys.candidate, "candidate", 0, most_merged_rows));
  (void)at.whole(keys.context, "context_tokens", 1, most_context);
  for (const CsvField& field : at.row.fields) point.cells.push_back(field.text);
  point.group = point.cells[keys.model] + "|" + point.cells[keys.context];
  for (size_t c = 0; c < header.size(); ++c) {
    if (tells_cases_apart(header[c])) point.group += "|" + point.cells[c];
  }
  return point;
}

void add_point(Parts& parts, const RowAt& at, const MergeKeys& keys) {
  MergedPoint point = read_point(at, keys, parts);
  const std::int64_t number = at.whole(keys.number, "case", 1, most_merged_rows);
  if (point.cells[keys.verdict] != "feasible") return;
  require_within_limits(at, keys, parts.first->tpot_limit_ms);
  const auto [known, added] = parts.cases.emplace(number, point.group);
  if (!added && known->second != point.group) {
    throw InputError(
        at.place(keys.number),
        "another model, context or request than in the rows before; only parts of one search "
        "merge");
  }
  // As a search in one part has them.
  point.cells[keys.winner].clear();
  point.cells[keys.shard] = "1/1";
  point.cells[keys.complete] = "yes";
  parts.frontiers.emplace(number, Frontier<MergedPoint>(parts.first->objective))
      .first->second.add(point);
}

/// One file: its rows, how many there are, and whether they say that there should be more.
struct FileSoFar {
  std::optional<Origin> origin;
  std::int64_t rows = 0;
  bool interrupted = false;
};

void start_file(Parts& parts, FileSoFar& file, const RowAt& at, const MergeKeys& keys) {
  file.origin = origin_at(at, keys);
  if (!parts.first) parts.first = file.origin;
  require_same_search(*file.origin, *parts.first, at, keys);
  const auto [known, added] = parts.files.emplace(file.origin->part, at.reader.file());
  if (!added) {
    throw InputError(at.place(keys.shard), fmt::format("part {} a second time; {} has it",
                                                       at.text(keys.shard), known->second));
  }
}

void add_row(Parts& parts, FileSoFar& file, const RowAt& at, const MergeKeys& keys) {
  if (!file.origin) start_file(parts, file, at, keys);
  const Origin origin = origin_at(at, keys);
  require_same_search(origin, *file.origin, at, keys);
  if (origin.part != file.origin->part || origin.rows != file.origin->rows) {
    throw InputError(
        at.place(keys.shard),
        fmt::format("part {} with {} rows among rows of part {}/{} with {}", at.text(keys.shard),
                    origin.rows, file.origin->part.index, file.origin->part.of, file.origin->rows));
  }
  if (at.text(keys.complete) == "partial") parts.partial = true;
  const std::string& verdict = at.text(keys.verdict);
  if (verdict == interrupted_mark) {
    file.interrupted = true;
    return;
  }
  ++file.rows;
  if (verdict != nothing_found_mark) add_point(parts, at, keys);
}

void require_whole(const FileSoFar& file, const std::string& name, int last_line) {
  if (!file.origin) {
    throw InputError(
        {name, 2, 1},
        "no row; expected the points of a search, or the row that says there are none");
  }
  const bool whole = file.rows == file.origin->rows;
  if (whole || (file.interrupted && file.rows < file.origin->rows)) return;
  throw InputError({name, last_line, 1},
                   fmt::format("{} rows, expected {} as the column 'rows' says: the file is not "
                               "whole",
                               file.rows, file.origin->rows));
}

void add_file(Parts& parts, const std::string& name) {
  constexpr size_t most = size_t{4} << 30;
  std::string content = read_whole(name, most, "a CSV");
  const bool ends_with_a_line = content.ends_with('\n');
  CsvReader reader(name, std::move(content));
  const std::vector<std::string> header = frontier_header(reader);
  const MergeKeys keys = merge_keys(header);
  if (parts.header.empty()) {
    parts.header = header;
    parts.cells = frontier_cells(header);
  }
  if (parts.header != header)
    throw InputError({name, 1, 1}, "columns differ from those of the first file");
  FileSoFar file;
  int last_line = 1;
  while (const auto row = reader.next()) {
    if (row->fields.size() != header.size()) {
      throw InputError({name, row->line, 1}, fmt::format("expected {} fields, got {}",
                                                         header.size(), row->fields.size()));
    }
    last_line = row->line;
    add_row(parts, file, {reader, *row}, keys);
  }
  if (!ends_with_a_line)
    throw InputError({name, last_line, 1}, "the last row has no line end: the file is cut");
  require_whole(file, name, last_line);
}

void require_all_parts(const Parts& parts) {
  constexpr size_t most_named = 8;
  const std::int64_t of = parts.first->part.of;
  std::vector<std::string> missing;
  for (std::int64_t i = 1; i <= of && missing.size() < most_named; ++i) {
    if (!parts.files.contains({i, of})) missing.push_back(fmt::format("{}/{}", i, of));
  }
  if (missing.empty()) return;
  const bool more = of - std::ssize(parts.files) > std::ssize(missing);
  throw UsageError(fmt::format("{} files for {} parts; none has a row of {}{}", parts.files.size(),
                               of, fmt::join(missing, ", "), more ? ", ..." : ""));
}

}  // namespace

std::string Merged::text(const MergedPoint& point, std::string_view key) const {
  const auto at = std::find(header.begin(), header.end(), key);
  return at == header.end() ? "" : point.cells[static_cast<size_t>(at - header.begin())];
}

Merged merge(const std::vector<std::string>& files) {
  Parts parts;
  for (const std::string& file : files) add_file(parts, file);
  require_all_parts(parts);
  Merged out{.header = parts.header,
             .points = {},
             .objective = parts.first->objective,
             .tpot_limit_ms = parts.first->tpot_limit_ms,
             .partial = parts.partial,
             .files = files.size()};
  const MergeKeys keys = merge_keys(out.header);
  for (const auto& [number, frontier] : parts.frontiers) {
    const std::ptrdiff_t best = winner(frontier.points(), out.objective);
    for (const MergedPoint& point : frontier.points()) {
      MergedPoint& added = out.points.emplace_back(point);
      added.winner = &point - frontier.points().data() == best;
      if (added.winner) added.cells[keys.winner] = "yes";
      if (out.partial) added.cells[keys.complete] = "partial";
    }
  }
  for (MergedPoint& point : out.points) point.cells[keys.rows] = std::to_string(out.points.size());
  return out;
}

}  // namespace afford::study
