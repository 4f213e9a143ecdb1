#include "cli/frontier_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace afford::cli {
namespace {

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::feasible:
      return "feasible";
    case Verdict::slow:
      return "slow";
    case Verdict::attention_memory:
      return "attention-memory";
    case Verdict::ffn_memory:
      break;
  }
  return "ffn-memory";
}

std::string pool_text(const Candidate::Side& side, const Space& space) {
  return fmt::format("{}:{}x{}", (*space.chips)[side.chip].name, side.instances, side.accelerators);
}

/// The command that shows the deployment in detail, what-if flags of the run left out.
std::string simulate_command_of(const Candidate& c, const FrontierCase& of) {
  const std::string start = fmt::format("afford simulate -m {} -c {}", of.model->name,
                                        static_cast<std::int64_t>(of.setting->context));
  if (c.way != Way::disaggregated) {
    return fmt::format("{} --colocated {} --batch-per-gpu {} --micro-batches {}{}", start,
                       pool_text(c.attention, *of.space), c.batch, c.micro_batches,
                       c.way == Way::tensor_parallel ? fmt::format(" --tp {}", c.tensor) : "");
  }
  return fmt::format(
      "{} --attention {} --ffn {} --batch {} --micro-batches {} --ffn-parallelism {}{}", start,
      pool_text(c.attention, *of.space), pool_text(c.ffn, *of.space), c.batch, c.micro_batches,
      parallelism(c),
      c.attention_split == AttentionSplit::tensor ? " --attention-parallelism tp" : "");
}

std::int64_t accelerators(const Candidate::Side& side) {
  return std::int64_t{side.instances} * side.accelerators;
}

const std::string& text_at(const Table& table, const std::vector<Cell>& row, std::string_view key) {
  return std::get<std::string>(row[column_of(table, key)]);
}
double number_at(const Table& table, const std::vector<Cell>& row, std::string_view key) {
  const Cell& cell = row[column_of(table, key)];
  if (const double* real = std::get_if<double>(&cell)) return *real;
  return static_cast<double>(std::get<std::int64_t>(cell));
}

/// What rows of one frontier have in common.
std::string group_of(const Table& table, const std::vector<Cell>& row) {
  std::string group = text_at(table, row, "model");
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const std::string& key = table.columns[c].key;
    if (key == "context_tokens" || key.starts_with("sweep_"))
      group += fmt::format("|{}", number_at(table, row, key));
  }
  return group;
}

}  // namespace

std::vector<Column> frontier_columns(const SweepPoint& swept) {
  std::vector<Column> columns = {{"model", "model"},
                                 {"context_tokens", "context", Show::tokens},
                                 {"tpot_ms", "TPOT ms", Show::plain},
                                 {"tokens_per_gpu_s", "tok/s/GPU", Show::plain},
                                 {"usd_per_mtok", "USD/Mtok", Show::money},
                                 {"deployment", "deployment"},
                                 {"attention_hardware", "attention on"},
                                 {"attention_gpus", "GPUs", Show::plain},
                                 {"ffn_hardware", "FFN on"},
                                 {"ffn_gpus", "GPUs", Show::plain},
                                 {"ffn_parallelism", "FFN split"},
                                 {"batch", "batch", Show::plain},
                                 {"micro_batches", "mb", Show::plain},
                                 {"bound", "bound"},
                                 {"winner", "take"}};
  for (Column& column : sweep_columns(swept)) columns.push_back(std::move(column));
  for (const char* key : {"way", "gpus", "attention_instances", "ffn_instances",
                          "attention_parallelism", "verdict", "case", "candidate", "objective",
                          "tpot_limit_ms", "shard", "complete", "fidelity", "simulate"}) {
    columns.push_back({key, key, Show::text, true});
  }
  return columns;
}

std::vector<Cell> frontier_row(const Candidate& c, const Evaluation& e, const FrontierCase& of) {
  const auto chip = [&](const Candidate::Side& side) { return (*of.space->chips)[side.chip].name; };
  const bool afd = c.way == Way::disaggregated;
  std::vector<Cell> row = {of.model->name,
                           static_cast<std::int64_t>(of.setting->context),
                           c.goals.tpot_ms,
                           c.goals.tokens_per_gpu_s,
                           c.goals.usd_per_mtok,
                           label(c),
                           chip(c.attention),
                           accelerators(c.attention),
                           chip(c.ffn),
                           accelerators(c.ffn),
                           parallelism(c),
                           static_cast<std::int64_t>(e.batch),
                           std::int64_t{c.micro_batches},
                           std::string(e.bound),
                           std::string()};
  append(row, *of.swept);
  const std::vector<Cell> details = {
      std::string(name_of(c.way)),
      e.gpus,
      std::int64_t{c.attention.instances},
      std::int64_t{c.ffn.instances},
      std::string(
          (afd ? c.attention_split == AttentionSplit::tensor : c.way == Way::tensor_parallel)
              ? "tp"
              : "dp"),
      std::string(verdict_name(e.verdict)),
      static_cast<std::int64_t>(of.number),
      static_cast<std::int64_t>(c.number),
      std::string(name_of(of.objective)),
      of.setting->tpot_limit / millisecond,
      fmt::format("{}/{}", of.shard.index + 1, of.shard.of),
      std::string(of.complete ? "yes" : "partial"),
      fidelity_of((*of.space->chips)[c.attention.chip], (*of.space->chips)[c.ffn.chip]),
      simulate_command_of(c, of)};
  row.insert(row.end(), details.begin(), details.end());
  return row;
}

std::string pools_text(const Candidate& c, const Space& space) {
  if (c.way != Way::disaggregated) return pool_text(c.attention, space);
  return pool_text(c.attention, space) + " + " + pool_text(c.ffn, space);
}

size_t column_of(const Table& table, std::string_view key) {
  const auto at = std::find_if(table.columns.begin(), table.columns.end(),
                               [&](const Column& column) { return column.key == key; });
  return static_cast<size_t>(at - table.columns.begin());
}

Table thinned(const Table& table, size_t most) {
  Table out{.title = table.title, .columns = table.columns, .rows = {}, .notes = table.notes};
  const size_t winner = column_of(table, "winner");
  for (size_t first = 0; first < table.rows.size();) {
    size_t end = first;
    while (end < table.rows.size() &&
           group_of(table, table.rows[end]) == group_of(table, table.rows[first]))
      ++end;
    const size_t count = end - first, shown = std::min(count, most);
    for (size_t i = first; i < end; ++i) {
      // Row i is shown when an evenly spaced step ends on it.
      const size_t at = i - first;
      const bool step = at * (shown - 1) / std::max<size_t>(1, count - 1) !=
                        (at == 0 ? shown : (at - 1) * (shown - 1) / std::max<size_t>(1, count - 1));
      if (step || std::get<std::string>(table.rows[i][winner]) == "yes")
        out.rows.push_back(table.rows[i]);
    }
    first = end;
  }
  if (out.rows.size() < table.rows.size()) {
    out.notes.push_back(
        fmt::format("{} of {} points of the frontiers shown; --format csv and json have all.",
                    out.rows.size(), table.rows.size()));
  }
  return out;
}

Chart frontier_picture(const Table& table, Objective objective, double tpot_limit_ms) {
  const bool usd = objective == Objective::cost;
  std::vector<FrontierPoint> points;
  for (const auto& row : table.rows) {
    FrontierPoint point{
        .line = text_at(table, row, "model"),
        .context = static_cast<std::int64_t>(number_at(table, row, "context_tokens")),
        .tpot_ms = number_at(table, row, "tpot_ms"),
        .value = number_at(table, row, usd ? "usd_per_mtok" : "tokens_per_gpu_s"),
        .winner = {}};
    if (text_at(table, row, "winner") == "yes") {
      const std::string &a = text_at(table, row, "attention_hardware"),
                        &f = text_at(table, row, "ffn_hardware");
      point.winner = fmt::format("{} {}", text_at(table, row, "deployment"),
                                 a == f ? a : fmt::format("{} + {}", a, f));
    }
    points.push_back(std::move(point));
  }
  return frontier_chart(points, usd ? "USD per 1M tokens" : "tokens/s a GPU", tpot_limit_ms, usd);
}

}  // namespace afford::cli
