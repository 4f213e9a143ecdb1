#include "records/served_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/chart_style.hpp"

namespace afford {
namespace {

using study::ErrorSummary;
using study::ServedGroup;
using study::ServedRow;
using study::ServedValidation;

Cell milliseconds(const ServedRow& row, Seconds (*of)(const ServedRow::Prediction&)) {
  return row.predicted ? Cell(of(*row.predicted) / millisecond) : Cell();
}

template <class T>
Cell of_server(const ServedRow& row, T ServedRow::Prediction::*what) {
  return row.predicted ? Cell((*row.predicted).*what) : Cell();
}

Cell end_of_first_token(const ServedRow& r, Seconds TimeInterval::*end) {
  const bool known = r.predicted && r.predicted->first_token_interval;
  return known ? Cell((*r.predicted->first_token_interval).*end / millisecond) : Cell();
}

const Record<ServedRow>& point_record() {
  using Prediction = ServedRow::Prediction;
  static const Record<ServedRow> record = {
      {{"id", "id"}, [](const ServedRow& r) { return r.point.id; }},
      {{"engine", "engine"}, [](const ServedRow& r) { return r.point.engine; }},
      {{"chip", "chip"}, [](const ServedRow& r) { return r.point.chip; }},
      {{"model", "model"}, [](const ServedRow& r) { return r.point.model; }},
      {{"mode", "mode"}, [](const ServedRow& r) { return r.point.mode; }},
      {{"measured_tpot_ms", "measured ms", Show::plain},
       [](const ServedRow& r) { return r.point.tpot_ms; }},
      {{"predicted_tpot_ms", "predicted ms", Show::plain},
       [](const ServedRow& r) {
         return milliseconds(r, [](const Prediction& p) { return p.tpot; });
       }},
      {{"low_ms", "low", Show::plain},
       [](const ServedRow& r) {
         return milliseconds(r, [](const Prediction& p) { return p.interval.low; });
       }},
      {{"high_ms", "high", Show::plain},
       [](const ServedRow& r) {
         return milliseconds(r, [](const Prediction& p) { return p.interval.high; });
       }},
      {{"aiconfigurator_tpot_ms", "aiconfigurator ms", Show::plain},
       [](const ServedRow& r) {
         return cell_if(r.point.aiconfigurator_tpot_ms.has_value(),
                        r.point.aiconfigurator_tpot_ms.value_or(0));
       }},
      {{"why_not", "why not"}, [](const ServedRow& r) { return r.why_not; }},
      {{"prompts_ms", "of it prompts", Show::plain, in_files_only},
       [](const ServedRow& r) {
         return milliseconds(r, [](const Prediction& p) { return p.prompts; });
       }},
      {{"assumed_engine", "assumed engine", Show::text, in_files_only},
       [](const ServedRow& r) { return r.engine; }},
      {{"engine_version", "version", Show::text, in_files_only},
       [](const ServedRow& r) { return r.point.engine_version; }},
      {{"source", "source", Show::text, in_files_only},
       [](const ServedRow& r) { return r.point.source; }},
      {{"date", "date", Show::text, in_files_only},
       [](const ServedRow& r) { return r.point.date; }},
      {{"measured_ttft_ms", "TTFT ms", Show::plain, in_files_only},
       [](const ServedRow& r) {
         return cell_if(r.point.ttft_ms.has_value(), r.point.ttft_ms.value_or(0));
       }},
      {{"predicted_ttft_ms", "predicted", Show::plain, in_files_only},
       [](const ServedRow& r) {
         return r.predicted && r.predicted->first_token
                    ? Cell(*r.predicted->first_token / millisecond)
                    : Cell();
       }},
      {{"ttft_low_ms", "from", Show::plain, in_files_only},
       [](const ServedRow& r) { return end_of_first_token(r, &TimeInterval::low); }},
      {{"ttft_high_ms", "to", Show::plain, in_files_only},
       [](const ServedRow& r) { return end_of_first_token(r, &TimeInterval::high); }},
      {{"library_model", "model of", Show::text, in_files_only},
       [](const ServedRow& r) { return of_server(r, &Prediction::model); }},
      {{"context_tokens", "context", Show::tokens, in_files_only},
       [](const ServedRow& r) { return of_server(r, &Prediction::context); }},
      {{"gpus", "GPUs", Show::plain, in_files_only},
       [](const ServedRow& r) { return of_server(r, &Prediction::gpus); }},
      {{"requests", "requests", Show::plain, in_files_only},
       [](const ServedRow& r) { return of_server(r, &Prediction::requests); }},
      {{"tokens_per_gpu_s", "tok/s/GPU", Show::plain, in_files_only},
       [](const ServedRow& r) { return r.predicted ? Cell(r.tokens_per_gpu()) : Cell(); }}};
  return record;
}

Cell percent_if(const ErrorSummary& summary, double share) {
  return cell_if(summary.points > 0, 100 * share);
}
Cell count_cell(size_t n) { return static_cast<std::int64_t>(n); }

const Record<ServedGroup>& group_record() {
  static const Record<ServedGroup> record = {
      {{"engine", "engine"},
       [](const ServedGroup& g) { return g.engine.empty() ? "all" : g.engine; }},
      {{"chip", "chip"}, [](const ServedGroup& g) { return g.chip.empty() ? "all" : g.chip; }},
      {{"mode", "mode"}, [](const ServedGroup& g) { return g.mode.empty() ? "all" : g.mode; }},
      {{"points", "points", Show::plain},
       [](const ServedGroup& g) { return count_cell(g.error.points); }},
      {{"left_out", "left out", Show::plain},
       [](const ServedGroup& g) { return count_cell(g.left_out); }},
      {{"median_pct", "median", Show::percent},
       [](const ServedGroup& g) { return percent_if(g.error, g.error.median); }},
      {{"p90_pct", "P90", Show::percent},
       [](const ServedGroup& g) { return percent_if(g.error, g.error.p90); }},
      {{"bias_pct", "bias", Show::percent},
       [](const ServedGroup& g) { return percent_if(g.error, g.error.bias); }},
      {{"coverage_pct", "in interval", Show::percent},
       [](const ServedGroup& g) { return percent_if(g.error, g.coverage); }},
      {{"beside_points", "beside", Show::plain},
       [](const ServedGroup& g) { return count_cell(g.beside_it.points); }},
      {{"beside_median_pct", "median there", Show::percent},
       [](const ServedGroup& g) { return percent_if(g.beside_it, g.beside_it.median); }},
      {{"aiconfigurator_median_pct", "aiconfigurator's", Show::percent},
       [](const ServedGroup& g) { return percent_if(g.aiconfigurator, g.aiconfigurator.median); }},
      {{"ttft_points", "TTFT", Show::plain},
       [](const ServedGroup& g) { return count_cell(g.first_token.points); }},
      {{"ttft_median_pct", "its median", Show::percent},
       [](const ServedGroup& g) { return percent_if(g.first_token, g.first_token.median); }},
      {{"ttft_coverage_pct", "in interval", Show::percent}, [](const ServedGroup& g) {
         return cell_if(g.first_token_coverage.has_value(),
                        100 * g.first_token_coverage.value_or(0));
       }}};
  return record;
}

std::vector<std::string> notes_on(const ServedValidation& v) {
  std::vector<std::string> notes = {
      "Median and P90 of |predicted / measured - 1| of the time per output token; bias: the median "
      "with its sign, minus where afford is the faster; in interval: the share of points inside "
      "their 90 % interval. Beside: the points that carry aiconfigurator's prediction, and both "
      "medians there. TTFT: the points whose prompts all fit one step, so that none waits for "
      "another."};
  for (const auto& [reason, points] : v.reasons)
    notes.push_back(
        fmt::format("Left out: {} point{}: {}.", points, points == 1 ? "" : "s", reason));
  return notes;
}

struct Mark {
  std::string chip;
  double measured = 0, predicted = 0, low = 0, high = 0;  // ms
};

}  // namespace

Table served_point_table(const ServedValidation& validation) {
  Table table = table_of(point_record(), validation.rows);
  table.title = "Served points, predicted against measured";
  return table;
}

Table served_summary_table(const ServedValidation& validation) {
  std::vector<ServedGroup> groups = validation.groups;
  groups.insert(groups.end(), validation.chips.begin(), validation.chips.end());
  groups.push_back(validation.all);
  Table table = table_of(group_record(), groups);
  table.title = "Served points, predicted against measured";
  table.notes = notes_on(validation);
  return table;
}

Chart served_picture(const ServedValidation& validation) {
  std::map<std::string, std::vector<Mark>> by_chip;
  double least = INFINITY, most = 0;
  for (const ServedRow& row : validation.rows) {
    if (!row.predicted) continue;
    const double predicted = row.predicted->tpot / millisecond, measured = row.point.tpot_ms;
    const TimeInterval& interval = row.predicted->interval;
    by_chip[row.point.chip].push_back({row.point.chip, measured, predicted,
                                       interval.low / millisecond, interval.high / millisecond});
    least = std::min({least, predicted, measured});
    most = std::max({most, predicted, measured});
  }
  std::string data;
  std::string plots;
  size_t index = 0;
  for (const auto& [chip, marks] : by_chip) {
    data += fmt::format("$c{} << EOD\n", index);
    for (const Mark& mark : marks)
      data += fmt::format("{:.6g} {:.6g} {:.6g} {:.6g}\n", mark.measured, mark.predicted, mark.low,
                          mark.high);
    data += "EOD\n";
    plots +=
        fmt::format(", $c{} using 1:2:3:4 with yerrorbars pt 7 ps 0.6 lw 0.6 lc rgb '{}' title {}",
                    index, colour(index), gnuplot_text(chip));
    ++index;
  }
  const double low = least / 1.2, high = most * 1.2;
  // The band of 10 % reaches to the ends of the axes, which hold all of it.
  const std::string band =
      fmt::format("$band << EOD\n{0:.6g} {1:.6g} {2:.6g}\n{3:.6g} {4:.6g} {5:.6g}\nEOD\n", low,
                  low / 1.1, low * 1.1, high, high / 1.1, high * 1.1);
  std::string script =
      data + band + std::string(look) +
      fmt::format(
          "set title 'Served points; bars are the 90 % interval'\nset bars 0\n"
          "set xlabel 'measured time per output token, ms'\n"
          "set ylabel 'predicted, ms'\nset logscale xy\nset format '%g'\nset grid xtics\n"
          "set size square\nset xrange [{0:.6g}:{1:.6g}]\nset yrange [{2:.6g}:{3:.6g}]\n"
          "set key outside right\n"
          "plot $band using 1:2:3 with filledcurves fs solid 0.25 noborder lc rgb '#888888' "
          "title 'within 10 %', x with lines lw 1.5 lc rgb '#444444' notitle{4}\n",
          low, high, low / 1.15, high * 1.15, plots);
  return {.script = std::move(script), .width = 900, .height = 720};
}

}  // namespace afford
