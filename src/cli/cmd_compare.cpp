#include <algorithm>
#include <memory>

#include "cli/args.hpp"
#include "cli/choose.hpp"
#include "cli/commands.hpp"
#include "cli/explain.hpp"
#include "count/params.hpp"
#include "ideal/ideal.hpp"
#include "report/charts.hpp"

namespace afford::cli {
namespace {

enum class ChartKind { active, context, split };
constexpr std::pair<std::string_view, ChartKind> chart_names[] = {
    {"active", ChartKind::active}, {"context", ChartKind::context}, {"split", ChartKind::split}};

struct CompareArgs : StudyArgs {
  std::string chart = "active";
};

std::vector<Column> columns() {
  return {{"model", "model"},
          {"context_tokens", "context", Show::tokens},
          {"attention_hardware", "attention on"},
          {"ffn_hardware", "FFN on"},
          {"afd_usd_per_mtok", "AFD USD/Mtok", Show::money},
          {"single_hardware", "single chip"},
          {"single_usd_per_mtok", "single USD/Mtok", Show::money},
          {"active_params", "active", Show::params},
          {"total_params", "total", Show::params},
          {"afd_saving_pct", "AFD saves", Show::percent},
          {"attention_usd_per_mtok", "attn USD/Mtok", Show::money, true},
          {"ffn_usd_per_mtok", "FFN USD/Mtok", Show::money, true},
          {"convention", "counting", Show::text, true},
          {"fidelity", "fidelity", Show::text, true}};
}

/// One model at one context with its best chips.
struct Verdict {
  size_t model = 0;
  std::int64_t context = 0;
  CheapestChips chips;
  UsdPerToken attention, ffn, single;
  [[nodiscard]] UsdPerToken afd() const { return attention + ffn; }
};

Verdict judge(const Study& study, size_t model, std::int64_t context) {
  std::vector<TokenCost> costs;
  for (const HardwareSpec& chip : study.chips) {
    const Roofs roof = roofs(chip, study.models[model].precision);
    costs.push_back(
        ideal_cost(study.terms[model], static_cast<double>(context), roof, chip.price.value).cost);
  }
  const CheapestChips best = cheapest(costs);
  return {.model = model,
          .context = context,
          .chips = best,
          .attention = costs[best.attention].attention,
          .ffn = costs[best.ffn].ffn,
          .single = costs[best.single].total()};
}

/// Contexts in the order asked for, the cheapest model first within each.
std::vector<Verdict> judge_all(const Study& study) {
  std::vector<Verdict> verdicts;
  for (const std::int64_t context : study.contexts) {
    const auto first = static_cast<std::ptrdiff_t>(verdicts.size());
    for (size_t m = 0; m < study.models.size(); ++m) verdicts.push_back(judge(study, m, context));
    std::stable_sort(verdicts.begin() + first, verdicts.end(),
                     [](const Verdict& a, const Verdict& b) { return a.afd() < b.afd(); });
  }
  return verdicts;
}

Table table_of(const Study& study, const std::vector<Verdict>& verdicts) {
  Table table{
      .title = "Cheapest pair of chips for attention and FFN (AFD), and cheapest single chip",
      .columns = columns(),
      .rows = {},
      .notes = study.notes};
  for (const Verdict& v : verdicts) {
    const ModelSpec& model = study.models[v.model];
    table.rows.push_back(
        {model.name, v.context, study.chips[v.chips.attention].name, study.chips[v.chips.ffn].name,
         v.afd() / usd_per_mtok, study.chips[v.chips.single].name, v.single / usd_per_mtok,
         active_params_as_published(model), total_params(model), 100 * (1 - v.afd() / v.single),
         v.attention / usd_per_mtok, v.ffn / usd_per_mtok, std::string(name_of(study.convention)),
         std::string("ideal")});
  }
  return table;
}

Chart chart_of(const Study& study, const std::vector<Verdict>& verdicts, ChartKind kind) {
  // Charts keep the models in the order asked for, so that colours do not depend on the ranking.
  std::vector<CostPoint> points;
  for (const std::int64_t context : study.contexts) {
    for (size_t m = 0; m < study.models.size(); ++m) {
      const auto verdict = std::find_if(verdicts.begin(), verdicts.end(), [&](const Verdict& v) {
        return v.model == m && v.context == context;
      });
      points.push_back({.model = study.models[m].name,
                        .context = context,
                        .active_params = active_params_as_published(study.models[m]),
                        .afd_usd_per_mtok = verdict->afd() / usd_per_mtok,
                        .single_usd_per_mtok = verdict->single / usd_per_mtok});
    }
  }
  switch (kind) {
    case ChartKind::context:
      return cost_by_context(points);
    case ChartKind::split:
      return afd_against_single(points);
    case ChartKind::active:
      break;
  }
  return cost_by_active_params(points);
}

int run(const CompareArgs& args) {
  const ChartKind kind = choose(chart_names, args.chart, "--chart");
  const Study study = load_study(args);
  const std::vector<Verdict> verdicts = judge_all(study);
  std::string explanations;
  if (args.explain) {
    for (const Verdict& v : verdicts) {
      for (const size_t chip : {v.chips.attention, v.chips.ffn}) {
        explanations += "\n" + explain({&study.models[v.model], &study.terms[v.model],
                                        &study.chips[chip], v.context},
                                       study);
        if (v.chips.attention == v.chips.ffn) break;
      }
    }
  }
  if (!args.plot.empty()) draw(chart_of(study, verdicts, kind), args.plot);
  emit(table_of(study, verdicts), args.output, explanations);
  return 0;
}

}  // namespace

Verb compare_command(CLI::App& app) {
  auto args = std::make_shared<CompareArgs>();
  Verb verb(app, "compare",
            "For each model the cheapest pair of chips and the cheapest single one");
  add_study(verb, *args);
  verb.text("--chart", args->chart,
            "What --plot draws: active (cost against activated parameters), "
            "context (against context), split (AFD beside a single chip)",
            "NAME");
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
