#include "records/pipelines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "report/chart_style.hpp"

namespace afford {
namespace {

using study::ErrorSummary;
using study::PipelineGroup;
using study::PipelinePrediction;
using study::PipelineRow;
using study::PipelineValidation;

Cell stage_us(const PipelineRow& row, Seconds PipelinePrediction::*stage) {
  return row.predicted ? Cell((*row.predicted).*stage / microsecond) : Cell();
}
Cell deviation_pct(const PipelineRow& row, double (PipelineRow::*deviation)() const) {
  return row.predicted ? Cell(100 * (row.*deviation)()) : Cell();
}
Cell measured_us(const PipelineRow& row, double us) {
  return cell_if(row.predicted.has_value(), us);
}

/// The layer as measured or as predicted, on every layer of the model; nothing where the point does
/// not say how many those are, or ran a shard of a larger deployment.
std::optional<study::PipelineRate> rate_of(const PipelineRow& row, bool predicted) {
  if (!row.predicted || row.point.layers == 0 || row.point.shard != 1) return std::nullopt;
  const Seconds layer = predicted ? row.predicted->layer : row.point.layer_us * microsecond;
  return study::pipeline_rate(row.point, layer);
}
Cell tpot_ms(const PipelineRow& row, bool predicted) {
  const auto rate = rate_of(row, predicted);
  return rate ? Cell(rate->tpot / millisecond) : Cell();
}
Cell tokens_per_gpu(const PipelineRow& row, bool predicted) {
  const auto rate = rate_of(row, predicted);
  return rate ? Cell(rate->tokens_per_second) : Cell();
}

const Record<PipelineRow>& pipeline_record() {
  static const Record<PipelineRow> record = {
      {{"chip", "chip"}, [](const PipelineRow& r) { return r.point.chip; }},
      {{"model", "model"}, [](const PipelineRow& r) { return r.point.model; }},
      {{"layout", "layout"}, [](const PipelineRow& r) { return r.point.layout; }},
      {{"cache", "cache"}, [](const PipelineRow& r) { return r.point.cache; }},
      {{"shard", "shard", Show::plain}, [](const PipelineRow& r) { return r.point.shard; }},
      {{"requests", "requests", Show::plain},
       [](const PipelineRow& r) { return r.point.requests; }},
      {{"context", "context", Show::tokens}, [](const PipelineRow& r) { return r.point.context; }},
      {{"lengths", "lengths", Show::text, in_files_only},
       [](const PipelineRow& r) { return r.point.lengths; }},
      {{"micro_batches", "M", Show::plain},
       [](const PipelineRow& r) { return r.point.micro_batches; }},
      {{"layer_us", "layer us", Show::plain},
       [](const PipelineRow& r) { return measured_us(r, r.point.layer_us); }},
      {{"predicted_layer_us", "predicted", Show::plain},
       [](const PipelineRow& r) { return stage_us(r, &PipelinePrediction::layer); }},
      {{"deviation_pct", "deviation", Show::percent},
       [](const PipelineRow& r) { return deviation_pct(r, &PipelineRow::deviation); }},
      {{"attention_us", "attention us", Show::plain},
       [](const PipelineRow& r) { return measured_us(r, r.point.attention_us); }},
      {{"predicted_attention_us", "predicted attention", Show::plain},
       [](const PipelineRow& r) { return stage_us(r, &PipelinePrediction::attention); }},
      {{"ffn_us", "FFN us", Show::plain},
       [](const PipelineRow& r) { return measured_us(r, r.point.ffn_us); }},
      {{"predicted_ffn_us", "predicted FFN", Show::plain},
       [](const PipelineRow& r) { return stage_us(r, &PipelinePrediction::ffn); }},
      {{"rejected", "left out"}, [](const PipelineRow& r) { return r.point.rejected; }},
      {{"known", "known", Show::text, in_files_only}, [](const PipelineRow& r) { return r.known; }},
      {{"date", "date", Show::text, in_files_only},
       [](const PipelineRow& r) { return r.point.date; }},
      {{"fidelity", "fidelity", Show::text, in_files_only},
       [](const PipelineRow& r) { return r.fidelity; }},
      {{"gpus", "GPUs", Show::plain, in_files_only},
       [](const PipelineRow& r) { return study::gpus_of(r.point); }},
      {{"tpot_ms", "TPOT ms", Show::plain, in_files_only},
       [](const PipelineRow& r) { return tpot_ms(r, false); }},
      {{"predicted_tpot_ms", "predicted TPOT", Show::plain, in_files_only},
       [](const PipelineRow& r) { return tpot_ms(r, true); }},
      {{"tokens_per_gpu_s", "tok/s/GPU", Show::plain, in_files_only},
       [](const PipelineRow& r) { return tokens_per_gpu(r, false); }},
      {{"predicted_tokens_per_gpu_s", "predicted tok/s/GPU", Show::plain, in_files_only},
       [](const PipelineRow& r) { return tokens_per_gpu(r, true); }}};
  return record;
}

Cell share_of(const ErrorSummary& summary, double share) {
  return cell_if(summary.points > 0, 100 * share);
}

const Record<PipelineGroup>& group_record_of_pipelines() {
  static const Record<PipelineGroup> record = {
      {{"chip", "chip"}, [](const PipelineGroup& g) { return g.chip.empty() ? "all" : g.chip; }},
      {{"known", "known"}, [](const PipelineGroup& g) { return g.known; }},
      {{"gpus", "GPUs"},
       [](const PipelineGroup& g) { return g.gpus == 0 ? "all" : fmt::format("{}", g.gpus); }},
      {{"model", "model"},
       [](const PipelineGroup& g) { return g.model.empty() ? "all" : g.model; }},
      {{"pipelines", "pipelines", Show::plain},
       [](const PipelineGroup& g) { return static_cast<std::int64_t>(g.layer.points); }},
      {{"left_out", "left out", Show::plain},
       [](const PipelineGroup& g) { return static_cast<std::int64_t>(g.left_out); }},
      {{"median_pct", "median", Show::percent},
       [](const PipelineGroup& g) { return share_of(g.layer, g.layer.median); }},
      {{"p90_pct", "P90", Show::percent},
       [](const PipelineGroup& g) { return share_of(g.layer, g.layer.p90); }},
      {{"worst_pct", "worst", Show::percent},
       [](const PipelineGroup& g) { return share_of(g.layer, g.worst); }},
      {{"bias_pct", "bias", Show::percent},
       [](const PipelineGroup& g) { return share_of(g.layer, g.layer.bias); }},
      {{"attention_median_pct", "attention", Show::percent},
       [](const PipelineGroup& g) { return share_of(g.attention, g.attention.median); }},
      {{"ffn_median_pct", "FFN", Show::percent},
       [](const PipelineGroup& g) { return share_of(g.ffn, g.ffn.median); }}};
  return record;
}

}  // namespace

Table pipeline_table(const study::PipelineValidation& validation) {
  Table table = table_of(pipeline_record(), validation.rows);
  table.title = "Measured pipelines, predicted against measured";
  return table;
}

Table pipeline_summary_table(const study::PipelineValidation& validation) {
  Table table = table_of(group_record_of_pipelines(), validation.groups);
  table.title = "Measured pipelines, predicted against measured";
  table.notes = {
      "Median, P90 and worst of |predicted / measured - 1| of a layer; bias: the median with its "
      "sign; attention, FFN: the median of the stages, each run without the other.",
      "Known: seen when the form of the model was chosen; after: measured when it was settled; "
      "newer: after, with the kernels of the calibration where those before ran older ones; cards: "
      "so too, on cards that it was measured on; clean: on cards that no calibration knows, in "
      "shapes that had not run; settled: so too, and nothing has changed since; unequal: after, "
      "requests of unequal length. What the model was when each was measured: "
      "calibrate/README.md."};
  std::set<std::string> fidelities;
  for (const PipelineRow& row : validation.rows)
    fidelities.insert(row.point.chip + " " + row.fidelity);
  for (const std::string& fidelity : fidelities)
    table.notes.push_back("Fidelity: " + fidelity + ".");
  return table;
}

namespace {

struct DrawnRate {
  study::PipelineRate measured, predicted;
};
constexpr std::array<std::string_view, 3> ways{"AFD", "EP", "TP"};
using RatesByWay = std::array<std::vector<DrawnRate>, ways.size()>;

size_t way_of(const PipelineRow& row) {
  const std::string& layout = row.point.layout;
  return layout.starts_with("ep") ? 1 : layout.starts_with("tp") ? 2 : 0;
}

/// By model, those that ran as AFD and as EP more than once.
std::map<std::string, RatesByWay> drawn_rates(const PipelineValidation& validation) {
  std::int64_t most = 0;
  for (const PipelineRow& row : validation.rows) most = std::max(most, study::gpus_of(row.point));
  std::map<std::string, RatesByWay> models;
  for (const PipelineRow& row : validation.rows) {
    if (!row.predicted || row.point.shard != 1 || study::gpus_of(row.point) != most) continue;
    models[row.point.model][way_of(row)].push_back(
        {study::pipeline_rate(row.point, row.point.layer_us * microsecond),
         study::pipeline_rate(row.point, row.predicted->layer)});
  }
  std::erase_if(
      models, [](const auto& one) { return one.second[0].size() < 2 || one.second[1].size() < 2; });
  return models;
}

std::string data_block(size_t index, const std::vector<DrawnRate>& rates) {
  std::string data = fmt::format("$s{} << EOD\n", index);
  for (const DrawnRate& rate : rates)
    data += fmt::format("{:.6g} {:.6g} {:.6g} {:.6g}\n", rate.measured.tpot / millisecond,
                        rate.measured.tokens_per_second, rate.predicted.tpot / millisecond,
                        rate.predicted.tokens_per_second);
  return data + "EOD\n";
}

}  // namespace

Chart pipeline_picture(const PipelineValidation& validation) {
  std::string data, panels;
  size_t index = 0, count = 0;
  for (const auto& [model, rates] : drawn_rates(validation)) {
    std::string plots;
    for (size_t way = 0; way < ways.size(); ++way) {
      if (rates[way].empty()) continue;
      data += data_block(index, rates[way]);
      plots += fmt::format(
          "{0}$s{1} using 1:2 with points pt 7 ps 0.8 lc rgb '{2}' title '{3}', "
          "$s{1} using 3:4 with points pt 6 ps 1.4 lc rgb '{2}' notitle",
          plots.empty() ? "" : ", ", index, colour(way), ways[way]);
      ++index;
    }
    panels += fmt::format("set title {}\nplot {}\n", gnuplot_text(model), plots);
    ++count;
  }
  constexpr size_t columns = 2;
  const size_t lines = std::max<size_t>(1, (count + columns - 1) / columns);
  return {.script = data + std::string(look) +
                    fmt::format(
                        "set xlabel 'time per output token, ms'\n"
                        "set ylabel 'tokens a second and GPU'\n"
                        "set logscale xy\nset format '%g'\nset grid xtics ytics\n"
                        "set key top left\nset multiplot layout {},{} title "
                        "'Without LM head: dots measured, circles predicted'\n{}unset multiplot\n",
                        lines, columns, panels),
          .width = 900,
          .height = static_cast<int>(60 + 360 * lines)};
}

}  // namespace afford
