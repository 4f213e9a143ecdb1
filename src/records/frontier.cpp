#include "records/frontier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "records/served.hpp"
#include "records/sweep.hpp"
#include "text/number.hpp"

namespace afford {
namespace {

using Point = study::FrontierPoint;

std::string_view name_of(Verdict verdict) {
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

std::string pool_flag(const HardwareSpec& chip, const Candidate::Side& side) {
  return name_of(Pool{&chip, side.instances, side.accelerators});
}

/// An engine as a command names it: by its path where it is no shipped one.
std::string called(const Engine& engine, const study::FrontierCase& of) {
  return engine.file.empty() || engine.file.starts_with(of.shipped_engines) ? engine.name
                                                                            : engine.file;
}

/// What the command says of the engine where it is not the one it would assume: one that was named,
/// or that of a search over chips of several architectures. Formats follow the engine, so these
/// too.
std::string engine_flags(const Point& p) {
  const Setting& setting = p.of->setting;
  const bool afd = p.candidate.way == Way::disaggregated;
  const Engine& engine = afd ? setting.engine_of_pools() : setting.engine;
  const study::EngineNames assumed =
      study::default_engines({&p.attention_chip(), afd ? &p.ffn_chip() : &p.attention_chip()});
  const bool published = setting.model->precision.attention_compute == Dtype::bf16;
  // One that is assumed runs published checkpoints, whatever it does when it is named.
  if (published && engine.name == (afd ? assumed.pools : assumed.colocated)) return "";
  return fmt::format(" --engine {}{}", called(engine, *p.of),
                     published && !engine.published_attention ? " --attention-dtype bf16" : "");
}

std::string place_flag(const Places& places) {
  const std::string text = text_of(places);
  return text.empty() ? "" : " --place " + text;
}

/// What a command calls the batch: requests, on each accelerator where they are on one pool.
std::int64_t batch_of_command(const Point& p) {
  return p.candidate.way == Way::mixed ? static_cast<std::int64_t>(p.evaluation.batch)
                                       : p.candidate.batch;
}

/// The command that shows the deployment in detail, what-if flags of the run left out.
std::string simulate_command(const Point& p, const std::string& batch) {
  const Candidate& c = p.candidate;
  const std::string start = fmt::format("afford simulate -m {} -c {}", p.of->prepared->model.name,
                                        static_cast<std::int64_t>(p.of->setting.context));
  if (c.way == Way::mixed) {
    return fmt::format("{} --colocated {} --batch {} --micro-batches {} --parallelism {}{}", start,
                       pool_flag(p.attention_chip(), c.attention), batch,
                       study::micro_batches_in_use(c), parallelism(c), engine_flags(p));
  }
  if (c.way != Way::disaggregated) {
    return fmt::format("{} --colocated {} --batch-per-gpu {} --micro-batches {}{}{}", start,
                       pool_flag(p.attention_chip(), c.attention), batch, c.micro_batches,
                       c.way == Way::tensor_parallel ? fmt::format(" --tp {}", c.tensor) : "",
                       engine_flags(p));
  }
  return fmt::format(
      "{} --attention {} --ffn {} --batch {} --micro-batches {} --ffn-parallelism {}{}{}{}{}",
      start, pool_flag(p.attention_chip(), c.attention), pool_flag(p.ffn_chip(), c.ffn), batch,
      c.micro_batches, parallelism(c),
      c.attention_split == AttentionSplit::tensor ? " --attention-parallelism tp" : "",
      c.boundary == Boundary::core ? " --split core" : "", place_flag(c.places), engine_flags(p));
}

Field<Point> simulate_column() {
  return {{"simulate", "simulate", Show::text, in_files_only},
          [](const Point& p) { return simulate_command(p, std::to_string(batch_of_command(p))); },
          Varies::in_a_number,
          std::function<std::int64_t(const Point&)>(batch_of_command),
          [](const Point& p) { return simulate_command(p, std::string(1, number_mark)); }};
}

bool tensor_parallel_attention(const Candidate& c) {
  if (c.way == Way::mixed) return c.attention_tensor > 1;
  return c.way == Way::disaggregated ? c.attention_split == AttentionSplit::tensor
                                     : c.way == Way::tensor_parallel;
}

/// The contract's first columns, and which point to take.
Record<Point> frontier_columns() {
  return {of_group<Point>(
              {{"model", "model"}, [](const Point& p) { return p.of->prepared->model.name; }}),
          of_group<Point>(
              {{"context_tokens", "context", Show::tokens},
               [](const Point& p) { return static_cast<std::int64_t>(p.of->setting.context); }}),
          typed_field<Point>({"tpot_ms", "TPOT ms", Show::plain},
                             [](const Point& p) { return p.candidate.goals.tpot_ms; }),
          typed_field<Point>({"tokens_per_gpu_s", "tok/s/GPU", Show::plain},
                             [](const Point& p) { return p.candidate.goals.tokens_per_gpu_s; }),
          typed_field<Point>({"usd_per_mtok", "USD/Mtok", Show::money},
                             [](const Point& p) { return p.candidate.goals.usd_per_mtok; }),
          of_group<Point>(
              {{"deployment", "deployment"}, [](const Point& p) { return label(p.candidate); }}),
          of_group<Point>({{"attention_hardware", "attention on"},
                           [](const Point& p) { return p.attention_chip().name; }}),
          of_group<Point>({{"attention_gpus", "GPUs", Show::plain},
                           [](const Point& p) { return p.candidate.attention.size(); }}),
          of_group<Point>(
              {{"ffn_hardware", "FFN on"}, [](const Point& p) { return p.ffn_chip().name; }}),
          of_group<Point>({{"ffn_gpus", "GPUs", Show::plain},
                           [](const Point& p) { return p.candidate.ffn.size(); }}),
          of_group<Point>({{"ffn_parallelism", "FFN split"},
                           [](const Point& p) { return parallelism(p.candidate); }}),
          typed_field<Point>(
              {"batch", "batch", Show::plain},
              [](const Point& p) { return static_cast<std::int64_t>(p.evaluation.batch); }),
          of_group<Point>({{"micro_batches", "mb", Show::plain},
                           [](const Point& p) { return std::int64_t{p.candidate.micro_batches}; }}),
          typed_field<Point>({"bound", "bound"},
                             [](const Point& p) { return std::string_view(p.evaluation.bound); }),
          typed_field<Point>({"winner", "take"}, [](const Point& p) {
            return std::string_view(p.winner ? "yes" : "");
          })};
}

/// A column of the files alone, which points of the same pools share.
Field<Point> group_detail(const char* key, std::function<Cell(const Point&)> value) {
  return of_group<Point>({{key, key, Show::text, in_files_only}, std::move(value)});
}

/// How the point is built, and which search it comes from.
Record<Point> frontier_details() {
  return {
      group_detail("way", [](const Point& p) { return named(afford::name_of(p.candidate.way)); }),
      group_detail("gpus", [](const Point& p) { return p.evaluation.gpus; }),
      group_detail("attention_instances",
                   [](const Point& p) { return std::int64_t{p.candidate.attention.instances}; }),
      group_detail("ffn_instances",
                   [](const Point& p) { return std::int64_t{p.candidate.ffn.instances}; }),
      group_detail("attention_parallelism",
                   [](const Point& p) {
                     return named(tensor_parallel_attention(p.candidate) ? "tp" : "dp");
                   }),
      typed_field<Point>({"verdict", "verdict", Show::text, in_files_only},
                         [](const Point& p) { return name_of(p.evaluation.verdict); }),
      group_detail("case", [](const Point& p) { return static_cast<std::int64_t>(p.of->number); }),
      typed_field<Point>(
          {"candidate", "candidate", Show::text, in_files_only},
          [](const Point& p) { return static_cast<std::int64_t>(p.candidate.number); }),
      group_detail("objective",
                   [](const Point& p) { return named(afford::name_of(p.of->objective)); }),
      group_detail("tpot_limit_ms",
                   [](const Point& p) { return p.of->setting.tpot_limit / millisecond; }),
      group_detail("shard",
                   [](const Point& p) {
                     return fmt::format("{}/{}", p.of->shard.index + 1, p.of->shard.of);
                   }),
      group_detail("complete",
                   [](const Point& p) { return named(p.complete ? "yes" : "partial"); }),
      group_detail("search", [](const Point& p) { return p.of->search; }),
      group_detail("rows", [](const Point& p) { return static_cast<std::int64_t>(p.rows); })};
}

/// The cell as the search made it: a number where the column holds numbers.
Cell cell_of(const std::string& text, const Column& column) {
  if (text.empty() || (column.show == Show::text && !column.detail)) return text;
  if (const auto whole = parse_integer(text)) return *whole;
  if (const auto real = parse_real(text)) return *real;
  return text;
}

}  // namespace

Record<Point> frontier_record(const study::SweepPoint& point) {
  return joined<Point>(
      {frontier_columns(),
       sweep_record<Point>(point, [](const Point& p) { return p.of->swept; }),
       frontier_details(),
       fields_of<Point>(served_record(),
                        [](const Point& p) -> const study::Served& { return p.served; }),
       {simulate_column()}});
}

Record<Point> frontier_record(const study::FrontierRequest& request) {
  const Record<Point> record = frontier_record(request.sweep.front());
  return request.requests ? joined<Point>({record, prompt_columns()}) : record;
}

std::vector<Cell> mark_row(const std::vector<Column>& columns, const study::FrontierCase& of,
                           const FrontierRowMark& mark) {
  const std::map<std::string, Cell> cells = {
      {"verdict", named(mark.verdict)},
      {"objective", named(afford::name_of(of.objective))},
      {"tpot_limit_ms", of.setting.tpot_limit / millisecond},
      {"shard", fmt::format("{}/{}", of.shard.index + 1, of.shard.of)},
      {"complete", named(mark.complete ? "yes" : "partial")},
      {"search", of.search},
      {"rows", static_cast<std::int64_t>(mark.rows)}};
  std::vector<Cell> row;
  for (const Column& column : columns) {
    const auto at = cells.find(column.key);
    row.push_back(at == cells.end() ? Cell(std::string()) : at->second);
  }
  return row;
}

Table table_of(const study::Merged& merged) {
  const std::vector<Column> known =
      columns_of(joined<Point>({frontier_record(study::SweepPoint()), prompt_columns()}));
  Table table{.title = "Merged frontier", .columns = {}, .rows = {}, .notes = {}};
  // Swept columns stand where the files have them.
  for (const std::string& key : merged.header) {
    const auto at = std::find_if(known.begin(), known.end(),
                                 [&](const Column& column) { return column.key == key; });
    table.columns.push_back(at != known.end() ? *at : Column{key, key, Show::plain});
  }
  for (const study::MergedPoint& point : merged.points) {
    std::vector<Cell>& row = table.rows.emplace_back();
    for (size_t c = 0; c < point.cells.size(); ++c)
      row.push_back(cell_of(point.cells[c], table.columns[c]));
  }
  return table;
}

}  // namespace afford
