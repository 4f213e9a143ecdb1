#include "cli/explain.hpp"

#include <fmt/format.h>

#include <iterator>

#include "count/ffn.hpp"
#include "ideal/ideal.hpp"
#include "kernels/formats.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"

namespace afford::cli {
namespace {

std::string number(double value) { return shown(Cell(value), Show::scientific); }
double mtok(UsdPerToken cost) { return cost / usd_per_mtok; }

template <class T>
void input(std::string& out, const HardwareSpec& chip, std::string_view what,
           const std::string& value, const Figure<T>& figure) {
  out += fmt::format("    {} {} = {}{}: {}\n", chip.name, what, value,
                     figure.estimate ? " (estimate)" : "", cite(chip.sources, figure.source));
}

/// The core of each kind of attention: its formulas, and which roof it meets first.
std::string cores(const CostCase& at, const Study& study, const Roofs& roof) {
  std::string out;
  const ModelSpec& model = *at.model;
  const UsdRate rate = at.chip->price.value;
  size_t group = 0;
  for (const AttentionTerms& terms : at.terms->attention) {
    const CoreCount core = core_at(terms, static_cast<double>(at.context));
    const double compute = mtok(rate * (core.flops / roof.attention)),
                 memory = mtok(rate * (core.bytes / roof.memory));
    const size_t index =
        terms.draft ? model.mtp.value_or(main_layer_kind(model)).attention : group++;
    const AttentionSpec& spec = model.attentions[index];
    const AttentionCount count = count_attention(spec.shape, model.hidden, study.convention);
    out += fmt::format("    {}{}, {} layer{}: {}\n", terms.draft ? "draft layer of " : "",
                       spec.name, terms.layers, terms.layers == 1 ? "" : "s", describe(spec.shape));
    out += fmt::format("      FLOPs  {} = {} a token -> {:.4f}\n", count.core_formula,
                       number(core.flops.base()), compute);
    out += fmt::format("      bytes  {} in {} = {} a token -> {:.4f}\n", count.cache_formula,
                       name_of(storage_format(*at.chip, spec.cache.value_or(model.precision.kv))),
                       number(core.bytes.base()), memory);
    out += fmt::format("      intensity {:.1f} against a ridge of {:.1f} FLOP/B: {} binds\n",
                       (core.flops / core.bytes).base(), (roof.attention / roof.memory).base(),
                       compute > memory ? "compute" : "memory");
  }
  return out;
}

std::string inputs(const CostCase& at) {
  const HardwareSpec& chip = *at.chip;
  const Precision run = precision_on(chip, at.model->precision);
  std::string out = "  inputs\n";
  std::vector<Dtype> formats{run.attention_compute};
  for (const Dtype more : {run.linear_compute, run.ffn_compute}) {
    if (std::find(formats.begin(), formats.end(), more) == formats.end()) formats.push_back(more);
  }
  for (const Dtype format : formats) {
    const Peak& peak = *find_peak(chip, format);
    input(out, chip, fmt::format("{} peak", name_of(format)), human(peak.rate.value), peak.rate);
  }
  input(out, chip, "memory bandwidth", human(chip.memory_bandwidth.value), chip.memory_bandwidth);
  input(out, chip, "price", human(chip.price.value), chip.price);
  out += fmt::format("    {} shapes: {}\n", at.model->name,
                     cite(at.model->sources, at.model->shape_source));
  out += fmt::format("    {} formats: {}\n", at.model->name,
                     cite(at.model->sources, at.model->precision.source));
  return out;
}

}  // namespace

std::string explain(const CostCase& at, const Study& study) {
  const Roofs roof = roofs(*at.chip, at.model->precision);
  const UsdRate rate = at.chip->price.value;
  const IdealCost ideal = ideal_cost(*at.terms, static_cast<double>(at.context), roof, rate);
  std::string out =
      fmt::format("{} on {} at S = {} tokens (USD per 1M tokens; ideal, {} counting)\n",
                  at.model->name, at.chip->name, at.context, name_of(study.convention));
  out += fmt::format("  total {:.4f} = attention {:.4f} + FFN {:.4f}\n", mtok(ideal.cost.total()),
                     mtok(ideal.cost.attention), mtok(ideal.cost.ffn));
  out += fmt::format("  attention {:.4f} = core {:.4f} + projections {:.4f}\n",
                     mtok(ideal.cost.attention), mtok(rate * ideal.time.core),
                     mtok(rate * ideal.time.linear));
  out +=
      fmt::format("    one FLOP = price / peak = {} USD, one byte = price / bandwidth = {} USD\n",
                  number(usd_per_flop(rate, roof.attention).base()),
                  number(usd_per_byte(rate, roof.memory).base()));
  if (study.speculation.drafts > 0) {
    out += fmt::format(
        "    a step runs {} tokens and yields {:.3g}; counts below are per token it yields\n",
        study.speculation.drafts + 1, tokens_per_step(study.speculation));
  }
  out += cores(at, study, roof);
  out += fmt::format("    projections: {} FLOPs a token -> {:.4f}\n",
                     number(at.terms->linear.base()), mtok(rate * ideal.time.linear));
  out += fmt::format("  FFN {:.4f}: {} FLOPs a token, compute-bound\n", mtok(ideal.cost.ffn),
                     number(at.terms->ffn.base()));
  for (const LayerKind& kind : at.model->layer_kinds) {
    const FfnSpec& ffn = at.model->ffns[kind.ffn];
    out += fmt::format("    {} layers of {}: 2 x 3 x {} hidden x intermediate, {}\n", kind.layers,
                       ffn.name, at.model->hidden, describe(ffn.shape));
  }
  return out + inputs(at);
}

}  // namespace afford::cli
