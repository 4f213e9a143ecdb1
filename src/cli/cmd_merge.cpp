// Joins the CSV files of a sharded search: the frontier of the frontiers is the frontier of the
// whole.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>

#include "cli/commands.hpp"
#include "cli/frontier_table.hpp"
#include "report/gnuplot.hpp"
#include "text/csv.hpp"
#include "text/file.hpp"
#include "text/number.hpp"

namespace afford::cli {
namespace {

struct MergeArgs {
  std::vector<std::string> files;
  std::string plot;
  OutputArgs output;
};

/// A row of any of the files, its goals read, its cells kept as they stand.
struct Row : Scored {
  std::vector<std::string> cells;
};

/// The columns a merge decides by.
struct Keys {
  size_t model, context, tpot, tokens, usd, verdict, winner, number, candidate, objective,
      tpot_limit, shard, complete;
};

struct Merged {
  std::vector<std::string> header;
  std::map<std::int64_t, Frontier<Row>> frontiers;  // by the number of the case in its run
  std::map<std::int64_t, std::string> cases;        // and what each stands for
  std::map<std::string, std::string> parts;         // "3/8" and the file it came from
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

double number(const CsvReader& reader, const CsvRow& row, size_t field, std::string_view name) {
  const auto value = parse_real(row.fields[field].text);
  if (value && *value > 0) return *value;
  throw InputError(
      reader.place(row, field),
      fmt::format("{}: expected a number above zero, got '{}'", name, row.fields[field].text));
}

std::int64_t whole(const CsvReader& reader, const CsvRow& row, size_t field,
                   std::string_view name) {
  const auto value = parse_integer(row.fields[field].text);
  if (value && *value >= 0) return *value;
  throw InputError(reader.place(row, field), fmt::format("{}: expected a whole number, got '{}'",
                                                         name, row.fields[field].text));
}

Row read_row(const CsvReader& reader, const CsvRow& fields, const Keys& keys) {
  Row row;
  row.goals = {.tpot_ms = number(reader, fields, keys.tpot, "tpot_ms"),
               .tokens_per_gpu_s = number(reader, fields, keys.tokens, "tokens_per_gpu_s"),
               .usd_per_mtok = number(reader, fields, keys.usd, "usd_per_mtok")};
  row.number = static_cast<std::uint64_t>(whole(reader, fields, keys.candidate, "candidate"));
  for (const CsvField& field : fields.fields) row.cells.push_back(field.text);
  return row;
}

Objective objective_at(const CsvReader& reader, const CsvRow& row, const Keys& keys) {
  const std::string& text = row.fields[keys.objective].text;
  for (const auto& [name, value] : objective_names) {
    if (name == text) return value;
  }
  throw InputError(reader.place(row, keys.objective),
                   fmt::format("objective: expected tokens, usd or both, got '{}'", text));
}

std::string group_of(const Row& row, const std::vector<std::string>& header, const Keys& keys) {
  std::string group = row.cells[keys.model] + "|" + row.cells[keys.context];
  for (size_t c = 0; c < header.size(); ++c) {
    if (header[c].starts_with("sweep_")) group += "|" + row.cells[c];
  }
  return group;
}

void check_same_search(Merged& out, const CsvReader& reader, const CsvRow& row, const Keys& keys) {
  const Objective objective = objective_at(reader, row, keys);
  const double limit = number(reader, row, keys.tpot_limit, "tpot_limit_ms");
  if (!out.objective)
    out.objective = objective, out.objective_from = reader.file(), out.tpot_limit_ms = limit;
  if (*out.objective == objective) return;
  throw InputError(reader.place(row, keys.objective),
                   fmt::format("objective {}, but {} has {}; only parts of one search merge",
                               name_of(objective), out.objective_from, name_of(*out.objective)));
}

void note_part(Merged& out, const CsvReader& reader, const CsvRow& row, const Keys& keys) {
  const std::string& shard = row.fields[keys.shard].text;
  const auto [known, added] = out.parts.emplace(shard, reader.file());
  if (!added && known->second != reader.file()) {
    throw InputError(reader.place(row, keys.shard),
                     fmt::format("part {} a second time; {} has it", shard, known->second));
  }
  if (row.fields[keys.complete].text == "partial") out.partial = true;
}

void add_file(Merged& out, const std::string& file) {
  constexpr size_t most = size_t{4} << 30;
  CsvReader reader(file, read_whole(file, most, "a CSV"));
  const auto head = reader.next();
  if (!head) throw InputError({file}, "empty; expected a CSV of afford pareto");
  std::vector<std::string> header;
  for (const CsvField& field : head->fields) header.push_back(field.text);
  const Keys keys = keys_of(header, file);
  if (out.header.empty()) out.header = header;
  if (out.header != header)
    throw InputError({file, 1, 1}, "columns differ from those of the first file");
  while (const auto fields = reader.next()) {
    if (fields->fields.size() != header.size()) {
      throw InputError({file, fields->line, 1}, fmt::format("expected {} fields, got {}",
                                                            header.size(), fields->fields.size()));
    }
    check_same_search(out, reader, *fields, keys);
    note_part(out, reader, *fields, keys);
    Row row = read_row(reader, *fields, keys);
    if (row.cells[keys.verdict] != "feasible") continue;
    const std::int64_t number = whole(reader, *fields, keys.number, "case");
    const auto [known, added] = out.cases.emplace(number, group_of(row, header, keys));
    if (!added && known->second != group_of(row, header, keys))
      throw InputError(
          reader.place(*fields, keys.number),
          "another model or context than in the files before; only parts of one search merge");
    Frontier<Row>& frontier =
        out.frontiers.emplace(number, Frontier<Row>(*out.objective)).first->second;
    row.cells[keys.winner].clear(), row.cells[keys.shard] = "1/1", row.cells[keys.complete] = "yes";
    frontier.add(row);
  }
}

/// Parts that no file has. A part without a feasible candidate is a file with a header alone.
void check_parts(const Merged& out, size_t files) {
  if (out.parts.empty()) return;
  const std::string& any = out.parts.begin()->first;
  const auto of = parse_integer(any.substr(any.find('/') + 1)).value_or(1);
  for (const auto& [part, file] : out.parts) {
    if (part.substr(part.find('/') + 1) != any.substr(any.find('/') + 1))
      throw UsageError(fmt::format("{} is part {}, {} part {}; only parts of one search merge",
                                   out.parts.begin()->second, any, file, part));
  }
  if (static_cast<std::int64_t>(files) >= of) return;
  std::vector<std::string> missing;
  for (std::int64_t i = 1; i <= of; ++i) {
    const std::string part = fmt::format("{}/{}", i, of);
    if (!out.parts.contains(part)) missing.push_back(part);
  }
  throw UsageError(fmt::format("{} files for {} parts; none has a row of {}", files, of,
                               fmt::join(missing, ", ")));
}

/// The cell as the search made it: a number where the column holds numbers.
Cell cell(const std::string& text, Show show, bool detail) {
  if (text.empty() || (show == Show::text && !detail)) return text;
  if (const auto whole = parse_integer(text)) return *whole;
  if (const auto real = parse_real(text)) return *real;
  return text;
}

Table table_of(const Merged& merged) {
  Table table{.title = "Merged frontier", .columns = frontier_columns({}), .rows = {}, .notes = {}};
  const Keys keys = keys_of(merged.header, "");
  // Swept columns stand where the files have them.
  std::vector<Column> columns;
  for (const std::string& key : merged.header) {
    const auto known = std::find_if(table.columns.begin(), table.columns.end(),
                                    [&](const Column& column) { return column.key == key; });
    columns.push_back(known != table.columns.end() ? *known : Column{key, key, Show::plain});
  }
  table.columns = std::move(columns);
  for (const auto& [number, frontier] : merged.frontiers) {
    const std::ptrdiff_t best = winner(frontier.points(), *merged.objective);
    for (const Row& row : frontier.points()) {
      std::vector<Cell>& cells = table.rows.emplace_back();
      for (size_t c = 0; c < row.cells.size(); ++c)
        cells.push_back(cell(row.cells[c], table.columns[c].show, table.columns[c].detail));
      if (&row - frontier.points().data() == best) cells[keys.winner] = std::string("yes");
      if (merged.partial) cells[keys.complete] = std::string("partial");
    }
  }
  return table;
}

int run(const MergeArgs& args) {
  const Format format = format_of(args.output);
  if (!args.plot.empty()) check_picture(args.plot);
  Merged merged;
  for (const std::string& file : args.files) add_file(merged, file);
  check_parts(merged, args.files.size());
  Table table = table_of(merged);
  table.notes.push_back(
      fmt::format("Merged from {} file{}.", args.files.size(), args.files.size() == 1 ? "" : "s"));
  if (merged.partial)
    table.notes.push_back("Partial: a part was interrupted before it had tried every candidate.");
  if (!args.plot.empty() && !table.rows.empty())
    draw(frontier_picture(table, *merged.objective, merged.tpot_limit_ms), args.plot);
  constexpr size_t shown_rows = 12;
  const bool for_people = format == Format::table || format == Format::md;
  emit(for_people ? thinned(table, shown_rows) : table, args.output);
  if (!for_people && merged.partial) fmt::print(stderr, "{}\n", table.notes.back());
  return table.rows.empty() || merged.partial ? exit_no : exit_done;
}

}  // namespace

Verb merge_command(CLI::App& app) {
  auto args = std::make_shared<MergeArgs>();
  Verb verb(app, "merge",
            "One frontier out of the CSV files of a search in parts (pareto --shard)");
  verb.required("files", args->files, "CSV files of afford pareto --shard I/N --format csv");
  verb.text("--plot", args->plot, "Also draw a picture: FILE.svg, .png or .gp", "FILE");
  add_output(verb, args->output);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
