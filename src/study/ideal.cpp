#include "study/ideal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "count/params.hpp"
#include "error.hpp"
#include "kernels/formats.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"

namespace afford::study {
namespace {

struct Indices {
  size_t model = 0, chip = 0;
  std::int64_t context = 0;
};

IdealCase case_at(const IdealInputs& inputs, const Indices& at) {
  return {.model = &inputs.models[at.model],
          .terms = &inputs.terms[at.model],
          .chip = &inputs.chips[at.chip],
          .context = at.context,
          .convention = inputs.convention,
          .speculation = inputs.speculation,
          .pue = inputs.pue};
}

Comparison compare(const IdealInputs& inputs, size_t model, std::int64_t context) {
  std::vector<TokenCost> costs;
  for (size_t chip = 0; chip < inputs.chips.size(); ++chip)
    costs.push_back(cost_of(case_at(inputs, {model, chip, context})).ideal.cost);
  const CheapestChips best = cheapest(costs);
  return {.inputs = &inputs,
          .model = model,
          .context = context,
          .chips = best,
          .attention = costs[best.attention].attention,
          .ffn = costs[best.ffn].ffn,
          .single = costs[best.single].total()};
}

/// Not a number where the chip states no NIC.
ByteRate network_of(const HardwareSpec& chip, const MatchRequest& request) {
  if (!has_network(chip)) return ByteRate(std::numeric_limits<double>::quiet_NaN());
  const ByteRate nic = request.nic_bandwidth.value_or(chip.nic_bandwidth.value);
  return static_cast<double>(chip.server_nics.value) * nic;
}

Match match(const IdealCase& at, const MatchRequest& request) {
  const Precision& precision = at.model->precision;
  const Roofs roof = roofs(*at.chip, precision);
  const double context = static_cast<double>(at.context);
  const FlopsPerByte ffn_ridge = roof.ffn / roof.memory;
  const DecodeTime time = ideal_time(*at.terms, context, roof);
  Match out{.of = at,
            .run = precision_on(*at.chip, precision),
            .budget = request.budget,
            .network = network_of(*at.chip, request),
            .intensity = attention_intensity(*at.terms, context),
            .ridge = roof.attention / roof.memory,
            .bound = time.core_bound,
            .time = time,
            .sparsity = sparsity(*at.model)};
  out.min_sparsity = min_sparsity(*at.model, ffn_ridge, out.network, request.budget);
  constexpr double rounding = 1e-9;  // of a quotient that is whole but for its last digit
  out.min_ffn_batch =
      std::ceil(min_ffn_batch(ffn_ridge, precision.ffn_weights, out.sparsity) - rounding);
  return out;
}

/// Ideal costs know no engine.
void require_edits_used(const IdealRequest& request, const std::vector<HardwareSpec>& chips) {
  std::vector<std::string> names;
  for (const HardwareSpec& chip : chips) names.push_back(chip.name);
  study::require_edits_used(request.what_if.edits, names);
  for (const Edit& edit : edits_of(request.what_if.edits, "engine"))
    throw ValueError("set", fmt::format(": {} has no effect on ideal costs", edit.name()));
}

}  // namespace

IdealInputs load(const IdealRequest& request) {
  check_contexts(request.contexts);
  LeftOut left_out;
  IdealInputs inputs{.models = load_models_as(request.models, request.what_if, &left_out),
                     .terms = {},
                     .chips = load_hardware(request.chips, request.what_if.edits, &left_out),
                     .contexts = request.contexts,
                     .convention = request.convention,
                     .speculation = request.what_if.speculation,
                     .pue = request.what_if.pue,
                     .left_out = std::move(left_out)};
  require_distinct(inputs.chips, "chips");
  require_edits_used(request, inputs.chips);
  apply_prices(pointers_to(inputs.chips), request.what_if);
  for (const ModelSpec& model : inputs.models)
    inputs.terms.push_back(decode_terms(model, inputs.convention, inputs.speculation));
  return inputs;
}

std::vector<std::string> leave_out_unpriced(IdealInputs& inputs) {
  const auto first =
      std::stable_partition(inputs.chips.begin(), inputs.chips.end(),
                            [](const HardwareSpec& chip) { return chip.price.stated(); });
  if (first == inputs.chips.begin()) require_prices(inputs.chips, "a comparison");
  std::vector<std::string> names;
  for (auto chip = first; chip != inputs.chips.end(); ++chip) names.push_back(chip->name);
  inputs.chips.erase(first, inputs.chips.end());
  return names;
}

Cost cost_of(const IdealCase& at) {
  const Roofs roof = roofs(*at.chip, at.model->precision);
  const double context = static_cast<double>(at.context);
  return {.of = at,
          .run = precision_on(*at.chip, at.model->precision),
          .roofs = roof,
          .count = count_at(*at.terms, context),
          .ideal = ideal_cost(*at.terms, context, roof, at.chip->price.value)};
}

IdealEnergy energy_of(const Cost& cost) {
  const HardwareSpec& chip = *cost.of.chip;
  const Watts power =
      chip.power.stated() ? chip.power.value : Watts(std::numeric_limits<double>::quiet_NaN());
  const DecodeTime& time = cost.ideal.time;
  return {.attention = cost.of.pue * power * (time.core + time.linear),
          .ffn = cost.of.pue * power * time.ffn};
}

std::vector<Cost> costs(const IdealInputs& inputs) {
  std::vector<Cost> out;
  for (const std::int64_t context : inputs.contexts) {
    for (size_t model = 0; model < inputs.models.size(); ++model) {
      for (size_t chip = 0; chip < inputs.chips.size(); ++chip)
        out.push_back(cost_of(case_at(inputs, {model, chip, context})));
    }
  }
  return out;
}

IdealCase Comparison::on(size_t chip) const { return case_at(*inputs, {model, chip, context}); }

JoulesPerToken Comparison::afd_energy() const {
  return energy_of(cost_of(on(chips.attention))).attention + energy_of(cost_of(on(chips.ffn))).ffn;
}

JoulesPerToken Comparison::single_energy() const {
  return energy_of(cost_of(on(chips.single))).total();
}

std::vector<Comparison> comparisons(const IdealInputs& inputs) {
  std::vector<Comparison> out;
  for (const std::int64_t context : inputs.contexts) {
    const auto first = static_cast<std::ptrdiff_t>(out.size());
    for (size_t model = 0; model < inputs.models.size(); ++model)
      out.push_back(compare(inputs, model, context));
    std::stable_sort(out.begin() + first, out.end(),
                     [](const Comparison& a, const Comparison& b) { return a.afd() < b.afd(); });
  }
  return out;
}

std::vector<Match> matches(const IdealInputs& inputs, const MatchRequest& request) {
  if (request.budget.stages != 3 && request.budget.stages != 4)
    throw ValueError("stages", fmt::format(": expected 3 or 4, got {}", request.budget.stages));
  std::vector<Match> out;
  for (size_t model = 0; model < inputs.models.size(); ++model) {
    for (size_t chip = 0; chip < inputs.chips.size(); ++chip) {
      for (const std::int64_t context : inputs.contexts)
        out.push_back(match(case_at(inputs, {model, chip, context}), request));
    }
  }
  return out;
}

}  // namespace afford::study
