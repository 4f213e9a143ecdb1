#include "study/explanation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/formats.hpp"
#include "text/quantity.hpp"

namespace afford::study {
namespace {

std::vector<CoreShare> cores_of(const IdealCase& at, const Roofs& roof) {
  const ModelSpec& model = *at.model;
  const UsdRate rate = at.chip->price.value;
  std::vector<CoreShare> cores;
  size_t group = 0;
  for (const AttentionTerms& terms : at.terms->attention) {
    const CoreCount core = core_at(terms, static_cast<double>(at.context));
    const size_t index =
        terms.draft ? model.mtp.value_or(main_layer_kind(model)).attention : group++;
    const AttentionSpec& spec = model.attentions[index];
    cores.push_back({.attention = &spec,
                     .layers = terms.layers,
                     .draft = terms.draft,
                     .formulas = count_attention(spec.shape, model.hidden, at.convention),
                     .stored = storage_format(*at.chip, spec.cache.value_or(model.precision.kv)),
                     .count = core,
                     .compute = rate * (core.flops / roof.attention),
                     .memory = rate * (core.bytes / roof.memory)});
  }
  return cores;
}

template <class T>
ChipFigure figure(const HardwareSpec& chip, std::string what, const Figure<T>& of) {
  return {std::move(what), human(of.value), cite(chip.sources, of.source), of.estimate};
}

/// The peaks the model meets, each once, memory and price.
std::vector<ChipFigure> figures_of(const Cost& cost) {
  const HardwareSpec& chip = *cost.of.chip;
  std::vector<Dtype> formats{cost.run.attention_compute};
  for (const Dtype more : {cost.run.linear_compute, cost.run.ffn_compute}) {
    if (std::find(formats.begin(), formats.end(), more) == formats.end()) formats.push_back(more);
  }
  std::vector<ChipFigure> figures;
  for (const Dtype format : formats) {
    figures.push_back(
        figure(chip, fmt::format("{} peak", name_of(format)), find_peak(chip, format)->rate));
  }
  figures.push_back(figure(chip, "memory bandwidth", chip.memory_bandwidth));
  figures.push_back(figure(chip, "price", chip.price));
  return figures;
}

}  // namespace

CostExplanation explain(const IdealCase& at) {
  const Cost cost = cost_of(at);
  const UsdRate rate = at.chip->price.value;
  return {.cost = cost,
          .core = rate * cost.ideal.time.core,
          .projections = rate * cost.ideal.time.linear,
          .cores = cores_of(at, cost.roofs),
          .figures = figures_of(cost)};
}

}  // namespace afford::study
