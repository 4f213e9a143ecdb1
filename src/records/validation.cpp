#include "records/validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace afford {
namespace {

using study::Judged;
using study::Validation;

/// A published figure or a point of a kernel table beside its prediction.
struct Compared {
  std::string name, quantity, source, system, assumptions, fidelity;
  double published = 0, predicted = 0, deviation_pct = 0;
  std::optional<double> tolerance_pct;  // none: judged with its whole table
  bool within = false;
};

const Record<Compared>& compared_record() {
  static const Record<Compared> record = {
      {{"case", "case"}, [](const Compared& c) { return c.name; }},
      {{"quantity", "quantity"}, [](const Compared& c) { return c.quantity; }},
      {{"published", "published", Show::plain}, [](const Compared& c) { return c.published; }},
      {{"predicted", "predicted", Show::plain}, [](const Compared& c) { return c.predicted; }},
      {{"deviation_pct", "deviation", Show::percent},
       [](const Compared& c) { return c.deviation_pct; }},
      {{"source", "source", Show::text, in_files_only}, [](const Compared& c) { return c.source; }},
      {{"tolerance_pct", "tolerance", Show::percent},
       [](const Compared& c) {
         return cell_if(c.tolerance_pct.has_value(), c.tolerance_pct.value_or(0));
       }},
      {{"within", "within"},
       [](const Compared& c) { return c.tolerance_pct ? yes_or_no(c.within) : Cell(); }},
      {{"system", "system"}, [](const Compared& c) { return c.system; }},
      {{"assumptions", "assumptions", Show::text, in_files_only},
       [](const Compared& c) { return c.assumptions; }},
      {{"fidelity", "fidelity", Show::text, in_files_only},
       [](const Compared& c) { return c.fidelity; }}};
  return record;
}

std::vector<Compared> compared(const Validation& v, KernelRows kernels) {
  std::vector<Compared> rows;
  for (const Judged& j : v.judged) {
    rows.push_back({.name = j.of.name,
                    .quantity = j.of.quantity,
                    .source = j.source,
                    .system = j.of.system,
                    .assumptions = j.assumptions,
                    .fidelity = j.fidelity,
                    .published = j.of.published,
                    .predicted = j.predicted,
                    .deviation_pct = j.deviation_pct,
                    .tolerance_pct = j.of.tolerance_pct,
                    .within = j.within});
  }
  for (size_t t = 0; kernels == KernelRows::appended && t < v.tables.size(); ++t) {
    const study::KernelTable& table = v.tables[t];
    for (size_t i = 0; i < table.points.size(); ++i) {
      const study::KernelPoint& point = table.points[i];
      const double predicted = v.checks[t].predicted_us[i];
      rows.push_back({.name = table.name + ", " + point.name,
                      .quantity = "kernel_us",
                      .source = table.source,
                      .system = table.name,
                      .assumptions = table.kernel,
                      .fidelity = v.checks[t].fidelity,
                      .published = point.measured_us,
                      .predicted = predicted,
                      .deviation_pct = 100 * (predicted / point.measured_us - 1),
                      .tolerance_pct = {}});
    }
  }
  return rows;
}

std::string summary(const Validation& v) {
  std::vector<double> sizes;
  for (const Judged& j : v.judged) sizes.push_back(std::fabs(j.deviation_pct));
  std::sort(sizes.begin(), sizes.end());
  const size_t n = sizes.size();
  return fmt::format(
      "{} cases: median |deviation| {:.1f} %, P90 {:.1f} %, worst {:.1f} %; {} outside its "
      "tolerance.",
      n, sizes[n / 2], sizes[n * 9 / 10], sizes.back(), v.outside());
}

/// How many measured deployments lie in the interval of their prediction.
std::string coverage(const Validation& v) {
  const auto count = [&](auto which) {
    return std::count_if(v.judged.begin(), v.judged.end(), which);
  };
  const auto known = count([](const Judged& j) { return j.covered.has_value(); });
  const auto inside = count([](const Judged& j) { return j.covered.value_or(false); });
  return fmt::format("Of {} measured deployments {} lie in the 90 % interval of their prediction.",
                     known, inside);
}

std::vector<std::string> notes_on(const Validation& v) {
  std::vector<std::string> notes = {summary(v), coverage(v)};
  if (v.skipped > 0) {
    notes.push_back(
        fmt::format("{} calibrated cases left out: no calibration for their chips.", v.skipped));
  }
  const auto calibrated = std::find_if(v.judged.begin(), v.judged.end(), [&](const Judged& j) {
    return j.fidelity != v.judged.front().fidelity;
  });
  notes.push_back(fmt::format(
      "Fidelity: roofline with default efficiencies, {}. Assumptions, one set for each system:",
      calibrated != v.judged.end()
          ? fmt::format("and where a system says so {}", calibrated->fidelity)
          : "no calibration"));
  for (const auto& [name, system] : v.cases.systems)
    notes.push_back(fmt::format("  {}: {}.", name, system.about));
  for (const Source& source : v.cases.sources)
    notes.push_back(fmt::format("  source {}: {} ({}).", source.id, source.what, source.date));
  return notes;
}

/// A kernel table with what came of it.
struct CheckedTable {
  const study::KernelTable& table;
  const study::KernelCheck& check;
  [[nodiscard]] const study::KernelPoint& worst() const { return table.points[check.worst]; }
};

const Record<CheckedTable>& checked_record() {
  static const Record<CheckedTable> record = {
      {{"table", "table"}, [](const CheckedTable& c) { return c.table.name; }},
      {{"hardware", "on"}, [](const CheckedTable& c) { return c.table.chip; }},
      {{"points", "points", Show::plain},
       [](const CheckedTable& c) { return static_cast<std::int64_t>(c.table.points.size()); }},
      {{"median_pct", "median", Show::percent},
       [](const CheckedTable& c) { return c.check.median_pct; }},
      {{"p90_pct", "P90", Show::percent}, [](const CheckedTable& c) { return c.check.p90_pct; }},
      {{"worst_pct", "worst", Show::percent},
       [](const CheckedTable& c) {
         return 100 * (c.check.predicted_us[c.check.worst] / c.worst().measured_us - 1);
       }},
      {{"bias_pct", "bias", Show::percent}, [](const CheckedTable& c) { return c.check.bias_pct; }},
      {{"tolerance_pct", "tolerance", Show::percent},
       [](const CheckedTable& c) { return c.table.tolerance_pct; }},
      {{"within", "within"}, [](const CheckedTable& c) { return yes_or_no(c.check.within); }},
      {{"worst_point", "worst point"}, [](const CheckedTable& c) { return c.worst().name; }},
      {{"fidelity", "fidelity"}, [](const CheckedTable& c) { return c.check.fidelity; }},
      {{"kernel", "kernel", Show::text, in_files_only},
       [](const CheckedTable& c) { return c.table.kernel; }},
      {{"source", "source", Show::text, in_files_only},
       [](const CheckedTable& c) { return c.table.source; }}};
  return record;
}

}  // namespace

Table validation_table(const Validation& validation, KernelRows kernels) {
  Table table = table_of(compared_record(), compared(validation, kernels));
  table.title = "Predicted against published";
  table.notes = notes_on(validation);
  return table;
}

Table kernel_table(const Validation& validation) {
  Table out{.title = "Kernels of others, predicted against measured",
            .columns = columns_of(checked_record()),
            .rows = {},
            .notes = {"Median, P90 and worst of |predicted / measured - 1|; bias: the median with "
                      "its sign, minus where afford is the faster. The tolerance is for the "
                      "median: these kernels are not ours."}};
  for (size_t i = 0; i < validation.tables.size(); ++i)
    out.rows.push_back(
        row_of(checked_record(), CheckedTable{validation.tables[i], validation.checks[i]}));
  return out;
}

}  // namespace afford
