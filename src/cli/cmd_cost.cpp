#include <memory>

#include "cli/args.hpp"
#include "cli/commands.hpp"
#include "cli/explain.hpp"
#include "ideal/ideal.hpp"
#include "kernels/formats.hpp"
#include "report/charts.hpp"

namespace afford::cli {
namespace {

std::vector<Column> columns() {
  return {{"model", "model"},
          {"hardware", "on"},
          {"context_tokens", "context", Show::tokens},
          {"kv_bytes_per_token", "KV bytes", Show::scientific},
          {"attention_flops_per_token", "attn FLOP", Show::scientific},
          {"linear_flops_per_token", "proj FLOP", Show::scientific},
          {"ffn_flops_per_token", "FFN FLOP", Show::scientific},
          {"attention_usd_per_mtok", "attn USD/Mtok", Show::money},
          {"ffn_usd_per_mtok", "FFN USD/Mtok", Show::money},
          {"total_usd_per_mtok", "total USD/Mtok", Show::money},
          {"attention_bound", "attn bound"},
          {"kv_dtype", "KV", Show::text, true},
          {"attention_compute_dtype", "attn in", Show::text, true},
          {"ffn_compute_dtype", "FFN in", Show::text, true},
          {"price_usd_per_hour", "USD/h", Show::price, true},
          {"price_origin", "price", Show::text, true},
          {"tokens_per_step", "tok/step", Show::plain, true},
          {"convention", "counting", Show::text, true},
          {"fidelity", "fidelity", Show::text, true}};
}

struct Result {
  Table table;
  std::vector<CostBar> bars;
  std::string explanations;
};

void add_row(const Study& study, const StudyArgs& args, const CostCase& at, Result& result) {
  const DecodeTerms& terms = *at.terms;
  const double context = static_cast<double>(at.context);
  const DecodeCount count = count_at(terms, context);
  const IdealCost ideal =
      ideal_cost(terms, context, roofs(*at.chip, at.model->precision), at.chip->price.value);
  const Precision run = precision_on(*at.chip, at.model->precision);
  const double attention = ideal.cost.attention / usd_per_mtok, ffn = ideal.cost.ffn / usd_per_mtok;
  result.table.rows.push_back(
      {at.model->name, at.chip->name, at.context, count.kv.base(), count.attention.base(),
       count.linear.base(), count.ffn.base(), attention, ffn, ideal.cost.total() / usd_per_mtok,
       std::string(name_of(ideal.time.core_bound)), std::string(name_of(run.kv)),
       std::string(name_of(run.attention_compute)), std::string(name_of(run.ffn_compute)),
       at.chip->price.value / usd_per_hour, price_origin(*at.chip),
       tokens_per_step(study.speculation), std::string(name_of(study.convention)),
       std::string("ideal")});
  result.bars.push_back({.model = at.model->name,
                         .chip = at.chip->name,
                         .context = at.context,
                         .attention_usd_per_mtok = attention,
                         .ffn_usd_per_mtok = ffn});
  if (args.explain) result.explanations += "\n" + explain(at, study);
}

int run(const StudyArgs& args) {
  const Study study = load_study(args);
  Result result;
  result.table.title = "Ideal cost of one generated token";
  result.table.columns = columns();
  result.table.notes = study.notes;
  for (const std::int64_t context : study.contexts) {
    for (size_t m = 0; m < study.models.size(); ++m) {
      for (const HardwareSpec& chip : study.chips) {
        add_row(study, args, {&study.models[m], &study.terms[m], &chip, context}, result);
      }
    }
  }
  if (!args.plot.empty()) draw(cost_bars(result.bars), args.plot);
  emit(result.table, args.output, result.explanations);
  return 0;
}

}  // namespace

Verb cost_command(CLI::App& app) {
  auto args = std::make_shared<StudyArgs>();
  Verb verb(app, "cost", "Counts and ideal USD per module, for each model on each chip");
  add_study(verb, *args);
  verb.run = [args] { return run(*args); };
  return verb;
}

}  // namespace afford::cli
