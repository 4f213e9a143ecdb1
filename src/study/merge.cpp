#include "study/merge.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "text/csv.hpp"
#include "text/file.hpp"
#include "text/number.hpp"

namespace afford::study {
namespace {

/// The columns a merge decides by.
struct Keys {
  size_t model, context, tpot, tokens, usd, verdict, winner, number, candidate, objective,
      tpot_limit, shard, complete;
};

/// What is known after some of the files.
struct Parts {
  std::vector<std::string> header;
  std::map<std::int64_t, Frontier<MergedPoint>> frontiers;  // by the number of the case in its run
  std::map<std::int64_t, std::string> cases;                // and what each stands for
  std::map<std::string, std::string> files;                 // "3/8" and the file it came from
  std::optional<Objective> objective;
  std::string objective_from;
  double tpot_limit_ms = 0;
  bool partial = false;
};

Keys keys_of(const std::vector<std::string>& header, const std::string& file) {
  const auto at = [&](std::string_view name) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end())
      throw InputError({file, 1, 1},
                       fmt::format("no column '{}'; expected a CSV of afford pareto", name));
    return static_cast<size_t>(found - header.begin());
  };
  return {.model = at("model"),
          .context = at("context_tokens"),
          .tpot = at("tpot_ms"),
          .tokens = at("tokens_per_gpu_s"),
          .usd = at("usd_per_mtok"),
          .verdict = at("verdict"),
          .winner = at("winner"),
          .number = at("case"),
          .candidate = at("candidate"),
          .objective = at("objective"),
          .tpot_limit = at("tpot_limit_ms"),
          .shard = at("shard"),
          .complete = at("complete")};
}

/// One row of a file with the place of every field.
struct RowAt {
  const CsvReader& reader;
  const CsvRow& row;
  [[nodiscard]] const std::string& text(size_t field) const { return row.fields[field].text; }
  [[nodiscard]] Place place(size_t field) const { return reader.place(row, field); }
};

double number(const RowAt& at, size_t field, std::string_view name) {
  const auto value = parse_real(at.text(field));
  if (value && *value > 0) return *value;
  throw InputError(at.place(field),
                   fmt::format("{}: expected a number above zero, got '{}'", name, at.text(field)));
}

std::int64_t whole(const RowAt& at, size_t field, std::string_view name) {
  const auto value = parse_integer(at.text(field));
  if (value && *value >= 0) return *value;
  throw InputError(at.place(field),
                   fmt::format("{}: expected a whole number, got '{}'", name, at.text(field)));
}

Objective objective_at(const RowAt& at, const Keys& keys) {
  const std::string& text = at.text(keys.objective);
  for (const auto& [name, value] : objective_names) {
    if (name == text) return value;
  }
  throw InputError(at.place(keys.objective),
                   fmt::format("objective: expected tokens, usd or both, got '{}'", text));
}

MergedPoint read_point(const RowAt& at, const Keys& keys, const std::vector<std::string>& header) {
  MergedPoint point;
  point.goals = {.tpot_ms = number(at, keys.tpot, "tpot_ms"),
                 .tokens_per_gpu_s = number(at, keys.tokens, "tokens_per_gpu_s"),
                 .usd_per_mtok = number(at, keys.usd, "usd_per_mtok")};
  point.number = static_cast<std::uint64_t>(whole(at, keys.candidate, "candidate"));
  for (const CsvField& field : at.row.fields) point.cells.push_back(field.text);
  point.group = point.cells[keys.model] + "|" + point.cells[keys.context];
  for (size_t c = 0; c < header.size(); ++c) {
    if (header[c].starts_with("sweep_")) point.group += "|" + point.cells[c];
  }
  return point;
}

void check_same_search(Parts& parts, const RowAt& at, const Keys& keys) {
  const Objective objective = objective_at(at, keys);
  const double limit = number(at, keys.tpot_limit, "tpot_limit_ms");
  if (!parts.objective) {
    parts.objective = objective;
    parts.objective_from = at.reader.file();
    parts.tpot_limit_ms = limit;
  }
  if (*parts.objective == objective) return;
  throw InputError(
      at.place(keys.objective),
      fmt::format("objective {}, but {} has {}; only parts of one search merge", name_of(objective),
                  parts.objective_from, name_of(*parts.objective)));
}

void note_part(Parts& parts, const RowAt& at, const Keys& keys) {
  const std::string& shard = at.text(keys.shard);
  const auto [known, added] = parts.files.emplace(shard, at.reader.file());
  if (!added && known->second != at.reader.file()) {
    throw InputError(at.place(keys.shard),
                     fmt::format("part {} a second time; {} has it", shard, known->second));
  }
  if (at.text(keys.complete) == "partial") parts.partial = true;
}

void add_row(Parts& parts, const RowAt& at, const Keys& keys) {
  check_same_search(parts, at, keys);
  note_part(parts, at, keys);
  MergedPoint point = read_point(at, keys, parts.header);
  if (point.cells[keys.verdict] != "feasible") return;
  const std::int64_t number = whole(at, keys.number, "case");
  const auto [known, added] = parts.cases.emplace(number, point.group);
  if (!added && known->second != point.group) {
    throw InputError(
        at.place(keys.number),
        "another model or context than in the files before; only parts of one search merge");
  }
  // As a search in one part has them.
  point.cells[keys.winner].clear();
  point.cells[keys.shard] = "1/1";
  point.cells[keys.complete] = "yes";
  parts.frontiers.emplace(number, Frontier<MergedPoint>(*parts.objective)).first->second.add(point);
}

void add_file(Parts& parts, const std::string& file) {
  constexpr size_t most = size_t{4} << 30;
  CsvReader reader(file, read_whole(file, most, "a CSV"));
  const auto head = reader.next();
  if (!head) throw InputError({file}, "empty; expected a CSV of afford pareto");
  std::vector<std::string> header;
  for (const CsvField& field : head->fields) header.push_back(field.text);
  const Keys keys = keys_of(header, file);
  if (parts.header.empty()) parts.header = header;
  if (parts.header != header)
    throw InputError({file, 1, 1}, "columns differ from those of the first file");
  while (const auto row = reader.next()) {
    if (row->fields.size() != header.size()) {
      throw InputError({file, row->line, 1}, fmt::format("expected {} fields, got {}",
                                                         header.size(), row->fields.size()));
    }
    add_row(parts, {reader, *row}, keys);
  }
}

/// Parts that no file has. A part without a feasible candidate is a file with a header alone.
void check_parts(const Parts& parts, size_t files) {
  if (parts.files.empty()) return;
  const auto count_of = [](const std::string& part) { return part.substr(part.find('/') + 1); };
  const auto& [any, any_file] = *parts.files.begin();
  for (const auto& [part, file] : parts.files) {
    if (count_of(part) != count_of(any))
      throw UsageError(fmt::format("{} is part {}, {} part {}; only parts of one search merge",
                                   any_file, any, file, part));
  }
  const auto of = parse_integer(count_of(any)).value_or(1);
  if (static_cast<std::int64_t>(files) >= of) return;
  std::vector<std::string> missing;
  for (std::int64_t i = 1; i <= of; ++i) {
    const std::string part = fmt::format("{}/{}", i, of);
    if (!parts.files.contains(part)) missing.push_back(part);
  }
  throw UsageError(fmt::format("{} files for {} parts; none has a row of {}", files, of,
                               fmt::join(missing, ", ")));
}

}  // namespace

std::string Merged::text(const MergedPoint& point, std::string_view key) const {
  const auto at = std::find(header.begin(), header.end(), key);
  return at == header.end() ? "" : point.cells[static_cast<size_t>(at - header.begin())];
}

Merged merge(const std::vector<std::string>& files) {
  Parts parts;
  for (const std::string& file : files) add_file(parts, file);
  check_parts(parts, files.size());
  Merged out{.header = parts.header,
             .points = {},
             .objective = parts.objective.value_or(Objective::throughput),
             .tpot_limit_ms = parts.tpot_limit_ms,
             .partial = parts.partial,
             .files = files.size()};
  const Keys keys = keys_of(out.header, files.front());
  for (const auto& [number, frontier] : parts.frontiers) {
    const std::ptrdiff_t best = winner(frontier.points(), out.objective);
    for (const MergedPoint& point : frontier.points()) {
      MergedPoint& added = out.points.emplace_back(point);
      added.winner = &point - frontier.points().data() == best;
      if (added.winner) added.cells[keys.winner] = "yes";
      if (out.partial) added.cells[keys.complete] = "partial";
    }
  }
  return out;
}

}  // namespace afford::study
