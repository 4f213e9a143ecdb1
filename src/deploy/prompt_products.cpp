#include "deploy/prompt_products.hpp"

#include <algorithm>
#include <variant>

#include "kernels/dense.hpp"
#include "kernels/machine.hpp"

namespace afford {
namespace {

/// FP4 products of a prompt run so much faster than FP8 ones, not twice as fast.
constexpr double fp4_over_fp8 = 1.5;

/// The peak of a prompt's GEMMs.
FlopRate product_peak(const ModelSpec& model, const HardwareSpec& chip) {
  const Dtype format = compute_format(chip, model.precision.ffn_compute);
  if (format != Dtype::fp4) return find_peak(chip, format)->rate.value;
  const Dtype wider = compute_format(chip, Dtype::fp8);
  return std::min(find_peak(chip, format)->rate.value,
                  fp4_over_fp8 * find_peak(chip, wider)->rate.value);
}

/// One layer kind on the accelerators of a stage, each replica of the attention with a prompt.
struct PromptLayer {
  const ModelSpec& model;
  const LayerShape& shape;
  const PromptLoad& load;
  Layout layout;
  bool expands = false;  // latent attention, its keys and values made for each head

  [[nodiscard]] bool routed() const { return shape.ffn.router_outputs > 0; }
  [[nodiscard]] double dense_tokens() const {
    return load.prompt * real(layout.dense_tp()) / real(layout.attention_tp);
  }
};

/// As it decodes, but for the products around an absorbed core, which are one of the projections.
LayerShape expanded(LayerShape shape) {
  for (Matrix& matrix : shape.attention.projections) {
    if (matrix.role == Role::absorbed) matrix.role = Role::from_rank;
  }
  return shape;
}

OpList around_core(const PromptLayer& layer, const Machine& machine) {
  const std::int64_t ways = layer.layout.attention_tp;
  const AttentionWork work{.requests = 1,
                           .query_tokens = layer.load.prompt,
                           .instance = ways,
                           .split = ways > 1 ? AttentionSplit::tensor : AttentionSplit::replicated,
                           .overlap = Overlap::none,
                           .router = layer.routed(),
                           .scope = AttentionScope::around};
  return attention_ops(layer.model, layer.expands ? expanded(layer.shape) : layer.shape, work,
                       machine);
}

OpList ffn_of(const PromptLayer& layer, const Machine& machine) {
  static const Routing even;
  const Layout& layout = layer.layout;
  const double tokens =
      layer.routed() ? layer.load.prompt * real(layout.replicas()) : layer.dense_tokens();
  return ffn_ops(layer.model, layer.shape,
                 {.tokens = tokens,
                  .instance = 1,
                  .tensor = layer.routed() ? layout.expert_tp : layout.dense_tp(),
                  .groups = layer.routed() ? layout.expert_ep : 1,
                  .routing = &even,
                  .collectives = false,
                  .shared = SharedExperts::apart},
                 machine);
}

/// As a decode step spreads them.
OpList shared_of(const PromptLayer& layer, const Machine& machine) {
  if (!layer.routed()) return {};
  const Layout& layout = layer.layout;
  const bool whole = ffn_traffic(layout, true) == FfnTraffic::exchange;
  return mlp_ops(layer.model, layer.shape,
                 whole
                     ? MlpsWork{.tokens = layer.load.prompt / real(layout.attention_tp)}
                     : MlpsWork{.tokens = layer.dense_tokens(), .tensor = real(layout.dense_tp())},
                 machine);
}

/// A chip as its own curves have it, and as those it may borrow have it.
struct Timings {
  Machine own, own_slow, lent, lent_slow;
  FlopRate unmeasured;

  Timings(const Setting& setting, const HardwareSpec& chip)
      : own(chip, setting.engine),
        own_slow(chip, setting.engine, 1),
        lent(own),
        lent_slow(own_slow),
        unmeasured(reached_by_products(setting, chip)) {
    if (chip.measured->lender == nullptr) return;
    lent.measured = lent_slow.measured = chip.measured->lender.get();
  }

  /// The products among operations, which `make` lists on a machine.
  template <class Make>
  [[nodiscard]] PromptProducts products(const Make& make) const {
    PromptProducts sum;
    const OpList here = make(own), slow = make(own_slow);
    const OpList there = make(lent), slow_there = make(lent_slow);
    const auto count = here.end() - here.begin();
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const Op &mine = here.begin()[i], &other = there.begin()[i];
      const bool borrowed = mine.beyond && !other.beyond && !other.uncovered;
      add(sum, borrowed ? other : mine, (borrowed ? slow_there : slow).begin()[i]);
    }
    return sum;
  }

 private:
  void add(PromptProducts& sum, const Op& op, const Op& slow) const {
    if (!(op.flops > Flops(0))) return;  // norms and the like: among the passes
    if (op.uncovered) {
      sum.time += op.flops / unmeasured;
      return;
    }
    sum.add(1, {op.time, {op.time, slow.time - op.time, op.beyond}});
  }
};

}  // namespace

FlopRate reached_by_products(const Setting& setting, const HardwareSpec& chip) {
  const PromptRates& rates = setting.engine.time.prompts;
  const double share = share_on(chip, has_experts(*setting.model) ? rates.experts : rates.dense);
  return share * product_peak(*setting.model, chip);
}

bool products_on_curves(const Setting& setting, const HardwareSpec& chip) {
  return chip.measured != nullptr && !Machine(chip, setting.engine).launches();
}

void PromptProducts::add(double times, const PromptProducts& other) {
  time += times * other.time;
  measured.time += times * other.measured.time;
  measured.margin += times * other.measured.margin;
  measured.beyond = measured.beyond || other.measured.beyond;
}

PromptProducts measured_products(const Setting& setting, const HardwareSpec& chip,
                                 const PromptLoad& load) {
  const Timings timings(setting, chip);
  const ModelSpec& model = *setting.model;
  const double replicas = real(load.gpus) / real(load.tensor);
  PromptProducts sum;
  for (size_t kind = 0; kind < model.layer_kinds.size(); ++kind) {
    const LayerShape& shape = (*setting.shapes)[kind];
    const bool latent =
        std::holds_alternative<Mla>(model.attentions[model.layer_kinds[kind].attention].shape);
    const PromptLayer layer{
        model, shape, load, {load.tensor, load.expert_tensor, load.expert_groups}, latent};
    const double layers = real(shape.layers) / replicas;
    const auto add = [&](OpList (*part)(const PromptLayer&, const Machine&)) {
      sum.add(layers, timings.products([&](const Machine& m) { return part(layer, m); }));
    };
    add(around_core);
    add(ffn_of);
    add(shared_of);
  }
  return sum;
}

PromptProducts measured_product(const DenseProduct& product, const Setting& setting,
                                const HardwareSpec& chip) {
  return Timings(setting, chip).products([&](const Machine& machine) {
    OpList ops;
    ops.add(dense(product, machine));
    return ops;
  });
}

}  // namespace afford
