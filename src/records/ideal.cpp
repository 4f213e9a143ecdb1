#include "records/ideal.hpp"

#include <algorithm>

#include "count/params.hpp"
#include "report/charts.hpp"

namespace afford {
namespace {

using study::Comparison;
using study::Cost;
using study::IdealCase;
using study::Match;

constexpr SecondsPerToken microsecond_per_token = microsecond / token;

Cell mtok_cell(UsdPerToken cost) { return cost / usd_per_mtok; }

/// What every ideal result says last.
const Record<IdealCase> ideal_details = {
    {{"convention", "counting", Show::text, in_files_only},
     [](const IdealCase& c) { return named(name_of(c.convention)); }},
    {{"fidelity", "fidelity", Show::text, in_files_only},
     [](const IdealCase&) { return named("ideal"); }}};

}  // namespace

const Record<Cost>& cost_record() {
  static const Record<Cost> record = joined<Cost>(
      {{{{"model", "model"}, [](const Cost& c) { return c.of.model->name; }},
        {{"hardware", "on"}, [](const Cost& c) { return c.of.chip->name; }},
        {{"context_tokens", "context", Show::tokens}, [](const Cost& c) { return c.of.context; }},
        {{"kv_bytes_per_token", "KV bytes", Show::scientific},
         [](const Cost& c) { return c.count.kv.base(); }},
        {{"attention_flops_per_token", "attn FLOP", Show::scientific},
         [](const Cost& c) { return c.count.attention.base(); }},
        {{"linear_flops_per_token", "proj FLOP", Show::scientific},
         [](const Cost& c) { return c.count.linear.base(); }},
        {{"ffn_flops_per_token", "FFN FLOP", Show::scientific},
         [](const Cost& c) { return c.count.ffn.base(); }},
        {{"attention_usd_per_mtok", "attn USD/Mtok", Show::money},
         [](const Cost& c) { return mtok_cell(c.ideal.cost.attention); }},
        {{"ffn_usd_per_mtok", "FFN USD/Mtok", Show::money},
         [](const Cost& c) { return mtok_cell(c.ideal.cost.ffn); }},
        {{"total_usd_per_mtok", "total USD/Mtok", Show::money},
         [](const Cost& c) { return mtok_cell(c.ideal.cost.total()); }},
        {{"attention_bound", "attn bound"},
         [](const Cost& c) { return named(name_of(c.ideal.time.core_bound)); }},
        {{"kv_dtype", "KV", Show::text, in_files_only},
         [](const Cost& c) { return named(name_of(c.run.kv)); }},
        {{"attention_compute_dtype", "attn in", Show::text, in_files_only},
         [](const Cost& c) { return named(name_of(c.run.attention_compute)); }},
        {{"ffn_compute_dtype", "FFN in", Show::text, in_files_only},
         [](const Cost& c) { return named(name_of(c.run.ffn_compute)); }},
        {{"price_usd_per_hour", "USD/h", Show::price, in_files_only},
         [](const Cost& c) { return c.of.chip->price.value / usd_per_hour; }},
        {{"price_origin", "price", Show::text, in_files_only},
         [](const Cost& c) { return named(name_of(price_origin(*c.of.chip))); }},
        {{"tokens_per_step", "tok/step", Show::plain, in_files_only},
         [](const Cost& c) { return tokens_per_step(c.of.speculation); }},
        {{"joules_per_token", "J/token", Show::plain, in_files_only, "total_usd_per_mtok"},
         [](const Cost& c) { return energy_of(c).total().base(); }}},
       fields_of<Cost>(ideal_details, [](const Cost& c) { return c.of; })});
  return record;
}

const Record<Comparison>& comparison_record() {
  const auto model = [](const Comparison& c) -> const ModelSpec& {
    return c.inputs->models[c.model];
  };
  const auto chip = [](const Comparison& c, size_t index) { return c.inputs->chips[index].name; };
  static const Record<Comparison> record = joined<Comparison>(
      {{{{"model", "model"}, [=](const Comparison& c) { return model(c).name; }},
        {{"context_tokens", "context", Show::tokens},
         [](const Comparison& c) { return c.context; }},
        {{"attention_hardware", "attention on"},
         [=](const Comparison& c) { return chip(c, c.chips.attention); }},
        {{"ffn_hardware", "FFN on"}, [=](const Comparison& c) { return chip(c, c.chips.ffn); }},
        {{"afd_usd_per_mtok", "AFD USD/Mtok", Show::money},
         [](const Comparison& c) { return mtok_cell(c.afd()); }},
        {{"single_hardware", "single chip"},
         [=](const Comparison& c) { return chip(c, c.chips.single); }},
        {{"single_usd_per_mtok", "single USD/Mtok", Show::money},
         [](const Comparison& c) { return mtok_cell(c.single); }},
        {{"active_params", "active", Show::params},
         [=](const Comparison& c) { return active_params_as_published(model(c)); }},
        {{"total_params", "total", Show::params},
         [=](const Comparison& c) { return total_params(model(c)); }},
        {{"afd_saving_pct", "AFD saves", Show::percent},
         [](const Comparison& c) { return 100 * (1 - c.afd() / c.single); }},
        {{"attention_usd_per_mtok", "attn USD/Mtok", Show::money, in_files_only},
         [](const Comparison& c) { return mtok_cell(c.attention); }},
        {{"ffn_usd_per_mtok", "FFN USD/Mtok", Show::money, in_files_only},
         [](const Comparison& c) { return mtok_cell(c.ffn); }},
        {{"afd_joules_per_token", "AFD J/token", Show::plain, in_files_only, "afd_usd_per_mtok"},
         [](const Comparison& c) { return c.afd_energy().base(); }},
        {{"single_joules_per_token", "single J/token", Show::plain, in_files_only,
          "single_usd_per_mtok"},
         [](const Comparison& c) { return c.single_energy().base(); }}},
       fields_of<Comparison>(ideal_details,
                             [](const Comparison& c) { return c.on(c.chips.single); })});
  return record;
}

const Record<Match>& match_record() {
  static const Record<Match> record = joined<Match>(
      {{{{"model", "model"}, [](const Match& m) { return m.of.model->name; }},
        {{"hardware", "on"}, [](const Match& m) { return m.of.chip->name; }},
        {{"attention_intensity_flop_per_byte", "intensity", Show::plain},
         [](const Match& m) { return m.intensity.base(); }},
        {{"ridge_flop_per_byte", "ridge", Show::plain},
         [](const Match& m) { return m.ridge.base(); }},
        {{"bound", "bound"}, [](const Match& m) { return named(name_of(m.bound)); }},
        {{"model_sparsity", "sparsity", Show::plain}, [](const Match& m) { return m.sparsity; }},
        {{"min_sparsity", "min sparsity", Show::plain},
         [](const Match& m) { return m.min_sparsity; }},
        {{"min_ffn_batch_tokens", "min FFN batch", Show::plain},
         [](const Match& m) { return m.min_ffn_batch; }},
        {{"context_tokens", "context", Show::tokens}, [](const Match& m) { return m.of.context; }},
        {{"sparsity_ok", "network keeps up", Show::text},
         [](const Match& m) { return yes_or_no(m.network_keeps_up()); }},
        {{"attention_compute_dtype", "attn in", Show::text, in_files_only},
         [](const Match& m) { return named(name_of(m.run.attention_compute)); }},
        {{"tpot_ms", "TPOT ms", Show::plain, in_files_only},
         [](const Match& m) { return m.budget.tpot / millisecond; }},
        {{"stages", "stages", Show::plain, in_files_only},
         [](const Match& m) { return std::int64_t{m.budget.stages}; }},
        {{"server_network_gb_per_s", "network GB/s", Show::plain, in_files_only},
         [](const Match& m) { return m.network / GB_per_s; }}},
       fields_of<Match>(ideal_details, [](const Match& m) { return m.of; }),
       {{{"core_us_per_token", "core us", Show::plain, in_files_only},
         [](const Match& m) { return m.time.core / microsecond_per_token; }},
        {{"linear_us_per_token", "linear us", Show::plain, in_files_only},
         [](const Match& m) { return m.time.linear / microsecond_per_token; }},
        {{"ffn_us_per_token", "FFN us", Show::plain, in_files_only},
         [](const Match& m) { return m.time.ffn / microsecond_per_token; }}}});
  return record;
}

Chart cost_picture(std::span<const Cost> costs) {
  std::vector<CostBar> bars;
  for (const Cost& cost : costs) {
    bars.push_back({.model = cost.of.model->name,
                    .chip = cost.of.chip->name,
                    .context = cost.of.context,
                    .attention_usd_per_mtok = cost.ideal.cost.attention / usd_per_mtok,
                    .ffn_usd_per_mtok = cost.ideal.cost.ffn / usd_per_mtok});
  }
  return cost_bars(bars);
}

Chart comparison_picture(std::span<const Comparison> comparisons, ComparisonPicture kind) {
  // Charts keep contexts and models in the order asked for, so that colours do not depend on the
  // ranking.
  std::vector<const Comparison*> asked;
  for (const Comparison& comparison : comparisons) asked.push_back(&comparison);
  for (auto first = asked.begin(); first != asked.end();) {
    const auto end = first + std::ssize((*first)->inputs->models);
    std::sort(first, end,
              [](const Comparison* a, const Comparison* b) { return a->model < b->model; });
    first = end;
  }
  std::vector<CostPoint> points;
  for (const Comparison* c : asked) {
    const ModelSpec& model = c->inputs->models[c->model];
    points.push_back({.model = model.name,
                      .context = c->context,
                      .active_params = active_params_as_published(model),
                      .afd_usd_per_mtok = c->afd() / usd_per_mtok,
                      .single_usd_per_mtok = c->single / usd_per_mtok});
  }
  switch (kind) {
    case ComparisonPicture::context:
      return cost_by_context(points);
    case ComparisonPicture::split:
      return afd_against_single(points);
    case ComparisonPicture::active:
      break;
  }
  return cost_by_active_params(points);
}

Chart match_picture(const study::IdealInputs& inputs) {
  std::vector<IntensityPoint> points;
  for (size_t m = 0; m < inputs.models.size(); ++m) {
    for (const std::int64_t context : inputs.contexts) {
      const DecodeCount count = count_at(inputs.terms[m], static_cast<double>(context));
      points.push_back({inputs.models[m].name, context, count.kv.base(), count.attention.base()});
    }
  }
  std::vector<RidgeLine> ridges;
  for (const HardwareSpec& chip : inputs.chips) {
    const Roofs roof = roofs(chip, inputs.models.front().precision);
    ridges.push_back({chip.name, (roof.attention / roof.memory).base()});
  }
  return intensity_map(points, ridges);
}

}  // namespace afford
