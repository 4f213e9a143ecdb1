#include <fmt/format.h>

#include "count/ffn.hpp"
#include "records/ideal.hpp"

namespace afford {
namespace {

std::string number(double value) { return shown(Cell(value), Show::scientific); }
double mtok(UsdPerToken cost) { return cost / usd_per_mtok; }

/// The formulas of one kind of attention, and which roof it meets first.
std::string text_of(const study::CoreShare& core, const Roofs& roof) {
  std::string out = fmt::format("    {}{}, {} layer{}: {}\n", core.draft ? "draft layer of " : "",
                                core.attention->name, core.layers, core.layers == 1 ? "" : "s",
                                describe(core.attention->shape));
  out += fmt::format("      FLOPs  {} = {} a token -> {:.4f}\n", core.formulas.core_formula,
                     number(core.count.flops.base()), mtok(core.compute));
  out += fmt::format("      bytes  {} in {} = {} a token -> {:.4f}\n", core.formulas.cache_formula,
                     name_of(core.stored), number(core.count.bytes.base()), mtok(core.memory));
  out += fmt::format("      intensity {:.1f} against a ridge of {:.1f} FLOP/B: {} binds\n",
                     (core.count.flops / core.count.bytes).base(),
                     (roof.attention / roof.memory).base(),
                     name_of(core.compute > core.memory ? Bound::compute : Bound::memory));
  return out;
}

std::string totals(const study::CostExplanation& e) {
  const study::IdealCase& at = e.cost.of;
  const UsdRate rate = at.chip->price.value;
  const TokenCost& cost = e.cost.ideal.cost;
  std::string out =
      fmt::format("{} on {} at S = {} tokens (USD per 1M tokens; ideal, {} counting)\n",
                  at.model->name, at.chip->name, at.context, name_of(at.convention));
  out += fmt::format("  total {:.4f} = attention {:.4f} + FFN {:.4f}\n", mtok(cost.total()),
                     mtok(cost.attention), mtok(cost.ffn));
  out += fmt::format("  attention {:.4f} = core {:.4f} + projections {:.4f}\n",
                     mtok(cost.attention), mtok(e.core), mtok(e.projections));
  out +=
      fmt::format("    one FLOP = price / peak = {} USD, one byte = price / bandwidth = {} USD\n",
                  number(usd_per_flop(rate, e.cost.roofs.attention).base()),
                  number(usd_per_byte(rate, e.cost.roofs.memory).base()));
  if (at.speculation.drafts > 0) {
    out += fmt::format(
        "    a step runs {} tokens and yields {:.3g}; counts below are per token it yields\n",
        at.speculation.drafts + 1, tokens_per_step(at.speculation));
  }
  return out;
}

std::string ffn_text(const study::CostExplanation& e) {
  const study::IdealCase& at = e.cost.of;
  std::string out = fmt::format("  FFN {:.4f}: {} FLOPs a token, compute-bound\n",
                                mtok(e.cost.ideal.cost.ffn), number(at.terms->ffn.base()));
  for (const LayerKind& kind : at.model->layer_kinds) {
    const FfnSpec& ffn = at.model->ffns[kind.ffn];
    out += fmt::format("    {} layers of {}: 2 x 3 x {} hidden x intermediate, {}\n", kind.layers,
                       ffn.name, at.model->hidden, describe(ffn.shape));
  }
  return out;
}

std::string inputs_text(const study::CostExplanation& e) {
  const study::IdealCase& at = e.cost.of;
  std::string out = "  inputs\n";
  for (const study::ChipFigure& figure : e.figures) {
    out += fmt::format("    {} {} = {}{}: {}\n", at.chip->name, figure.what, figure.value,
                       figure.estimate ? " (estimate)" : "", figure.source);
  }
  out += fmt::format("    {} shapes: {}\n", at.model->name,
                     cite(at.model->sources, at.model->shape_source));
  out += fmt::format("    {} formats: {}\n", at.model->name,
                     cite(at.model->sources, at.model->precision.source));
  return out;
}

}  // namespace

std::string text_of(const study::CostExplanation& e) {
  std::string out = totals(e);
  for (const study::CoreShare& core : e.cores) out += text_of(core, e.cost.roofs);
  out += fmt::format("    projections: {} FLOPs a token -> {:.4f}\n",
                     number(e.cost.of.terms->linear.base()), mtok(e.projections));
  return out + ffn_text(e) + inputs_text(e);
}

}  // namespace afford
