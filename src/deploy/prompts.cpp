#include "deploy/prompts.hpp"

#include <algorithm>
#include <cmath>

#include "count/core.hpp"
#include "count/ffn.hpp"
#include "deploy/memory.hpp"
#include "deploy/prompt_products.hpp"
#include "kernels/dense.hpp"
#include "kernels/machine.hpp"
#include "kernels/prefill_core.hpp"

namespace afford {
namespace {

/// Share of the fabric's rate, of large prompts on Hopper and Blackwell; from the same fit as the
/// engines' shares of the peaks.
constexpr double all_reduce_share = 0.75;

/// Pairs of a token of the prompt and an entry it sees: half of the square, or a band of it.
double pairs(const Walk& walk, double prompt) {
  const double width = entries_read(walk, prompt);
  return width * (prompt - width * walk.stride / 2);
}

/// Walks over what came before, and the state as its recurrence counts it, which a chunked form
/// computes as products of matrices.
Flops core_of(const AttentionShape& shape, const Core& core, const PromptLoad& load) {
  Flops flops(core.state.flops * load.prompt);
  const double end = load.cached + load.prompt;
  for (const Walk& walk : core.walks())
    flops += Flops(flops_a_pair(shape, walk) * (pairs(walk, end) - pairs(walk, load.cached)));
  return flops;
}

/// All layers of a prompt: FLOPs of the whole server, bytes of each accelerator. core: where no
/// kernel was measured. expanding: latents of the cached tokens, for each head.
struct PromptWork {
  Flops products, core, expanding;
  Bytes activations, all_reduced;
};

/// The matrix that makes keys and values of latents; null where they are not expanded.
const Matrix* expanding(const AttentionShape& shape, const AttentionCount& count) {
  if (!std::holds_alternative<Mla>(shape)) return nullptr;
  const auto at = std::find_if(count.projections.begin(), count.projections.end(),
                               [](const Matrix& m) { return m.role == Role::absorbed; });
  return at == count.projections.end() ? nullptr : &*at;
}

PromptWork work_of(const Setting& setting, const HardwareSpec& chip, const PromptLoad& load) {
  const ModelSpec& model = *setting.model;
  PromptWork work;
  const double hidden = real(model.hidden);
  for (size_t i = 0; i < model.layer_kinds.size(); ++i) {
    const LayerKind& kind = model.layer_kinds[i];
    const AttentionShape& shape = model.attentions[kind.attention].shape;
    const LayerShape& counts = (*setting.shapes)[i];
    const double layers = real(kind.layers);
    const double weights =
        weights_of(counts.attention.projections) + active_weights(counts.ffn, model.hidden);
    work.products += Flops(layers * 2 * weights * load.prompt);
    if (const Matrix* latent = expanding(shape, counts.attention); latent != nullptr)
      work.expanding += Flops(layers * 2 * weights_of(*latent) * load.cached);
    if (prefill_curve(shape, chip) == nullptr)
      work.core += layers * core_of(shape, counts.attention.core, load);
    // BF16 hidden states in and out of some ten norms, residuals and quantisations a layer, and of
    // three passes over the copies for each routed expert.
    constexpr double passes = 20, copies = 3;
    const Moe* moe = std::get_if<Moe>(&model.ffns[kind.ffn].shape);
    const double routed = moe != nullptr ? real(moe->active) / real(load.expert_groups) : 0;
    const Bytes vector = size_of(Dtype::bf16, hidden);
    // Each replica of the attention has prompts of its own.
    const double mine = load.prompt * real(load.tensor) / real(load.gpus);
    work.activations += layers * (passes * mine + copies * routed * load.prompt) * vector;
    const double others = real(load.tensor - 1) / real(load.tensor);
    work.all_reduced += 2 * layers * 2 * others * mine * vector;
  }
  return work;
}

/// The cores whose kernels were measured, one layer after another. Replicas work on prompts of
/// their own, side by side.
void add_measured_cores(PromptTime& time, const Setting& setting, const HardwareSpec& chip,
                        const PromptLoad& load) {
  const PrefillWork work{.tokens = load.prompt,
                         .cached = load.cached,
                         .ways = real(load.tensor),
                         .launched = setting.engine.time.prompts.outside_graphs > Seconds(0)};
  const double replicas = real(load.gpus) / real(load.tensor);
  const ModelSpec& model = *setting.model;
  for (size_t i = 0; i < model.layer_kinds.size(); ++i) {
    const AttentionShape& shape = model.attentions[model.layer_kinds[i].attention].shape;
    if (prefill_curve(shape, chip) == nullptr) continue;
    const LayerShape& counts = (*setting.shapes)[i];
    const PrefillTime one = measured_prefill(shape, counts.attention, work, chip);
    const Seconds all = real(counts.layers) / replicas * one.time;
    time.core += all;
    CurveShare& measured = time.core_measured;
    measured.time += all;
    measured.margin += one.half_width * all;
    measured.beyond = measured.beyond || one.beyond;
  }
}

/// Keys and values of the cached tokens, made of their latents for each head, on curves.
PromptProducts measured_expanding(const Setting& setting, const HardwareSpec& chip,
                                  const PromptLoad& load) {
  PromptProducts sum;
  if (!(load.cached > 0)) return sum;
  const ModelSpec& model = *setting.model;
  const double replicas = real(load.gpus) / real(load.tensor);
  for (size_t i = 0; i < model.layer_kinds.size(); ++i) {
    const LayerShape& counts = (*setting.shapes)[i];
    const Matrix* latent =
        expanding(model.attentions[model.layer_kinds[i].attention].shape, counts.attention);
    if (latent == nullptr) continue;
    const double outputs =
        real(latent->outputs) / tensor_ways(*latent, counts.attention, load.tensor);
    const DenseProduct product{
        .name = "kv_up of cached",
        .rows = load.cached,
        .inputs = real(latent->inputs),
        .outputs = outputs,
        .weights = counts.attention_weights,
        .compute = counts.linear_compute,
        .activations = size_of(counts.linear_compute, load.cached * real(latent->inputs)) +
                       size_of(between_kernels, load.cached * outputs)};
    sum.add(real(counts.layers) / replicas, measured_product(product, setting, chip));
  }
  return sum;
}

/// Products and the expanding of latents, at shares of the peak or on curves.
void add_products(PromptTime& time, const Setting& setting, const HardwareSpec& chip,
                  const PromptLoad& load, const PromptWork& work) {
  if (!products_on_curves(setting, chip)) {
    const FlopRate reached = real(load.gpus) * reached_by_products(setting, chip);
    time.products = work.products / reached;
    time.core += work.expanding / reached;
    return;
  }
  const PromptProducts products = measured_products(setting, chip, load);
  time.products = products.time;
  time.products_measured = products.measured;
  const PromptProducts expanded = measured_expanding(setting, chip, load);
  time.core += expanded.time;
  time.core_measured.time += expanded.measured.time;
  time.core_measured.margin += expanded.measured.margin;
  time.core_measured.beyond = time.core_measured.beyond || expanded.measured.beyond;
}

}  // namespace

PromptLoad prompt_load(const Layout& layout) {
  return {.gpus = layout.engine(),
          .tensor = layout.attention_tp,
          .expert_groups = layout.expert_ep,
          .expert_tensor = layout.expert_tp};
}

PromptTime prompt_parts(const Setting& setting, const HardwareSpec& chip, const PromptLoad& load) {
  if (!(load.prompt > 0)) return {};
  const PromptWork work = work_of(setting, chip, load);
  const FlopRate bf16 = find_peak(chip, compute_format(chip, Dtype::bf16))->rate.value;
  PromptTime time{
      .core = work.core / (real(load.gpus) * share_on(chip, unmeasured_core_share) * bf16),
      .all_reduce = work.all_reduced / (all_reduce_share * chip.scale_up_bandwidth.value),
      .passes = work.activations / chip.memory_bandwidth.value};
  add_products(time, setting, chip, load, work);
  add_measured_cores(time, setting, chip, load);
  return time;
}

Seconds prompt_time(const Setting& setting, const HardwareSpec& chip, const PromptLoad& load) {
  return prompt_parts(setting, chip, load).total();
}

TimeInterval prompt_interval(const PromptTime& parts, Seconds launches, const PromptRates& rates) {
  // 23 of 24 published times of FlashAttention-3 and cuDNN on an H100 (validation/kernels.yaml) are
  // within it of the share assumed without a curve, and so are the shares of products that engines
  // were fitted with, 0.34 to 0.69 of the peak.
  constexpr double unmeasured = 1.7;
  const CurveShare &products = parts.products_measured, &core = parts.core_measured;
  const Seconds measured = products.time + core.time, margin = products.margin + core.margin;
  const Seconds rest = parts.total() + launches - measured;
  const std::optional<TimeInterval> spread = first_token_interval(rest, rates);
  const TimeInterval other = spread ? *spread : TimeInterval{rest / unmeasured, unmeasured * rest};
  return {measured - margin + other.low, measured + margin + other.high};
}

double joining(const PromptLoad& load) { return std::max(0.0, load.requests - 1) / load.output; }

Seconds interruption(double joining, Seconds prompt, Seconds launches) {
  return joining * prompt + (1 - std::exp(-joining)) * launches;
}

Seconds cache_sending(const HardwareSpec& chip, std::int64_t accelerators, const Setting& setting) {
  const double servers = real(accelerators) / real(chip.server_accelerators.value);
  return cache_of_request(setting) / (servers * setting.engine.nic * server_network(chip));
}

Seconds prompt_launches(const Setting& setting) {
  return real(layer_count(*setting.model)) * setting.engine.time.prompts.outside_graphs;
}

Seconds around_prompt(Seconds launches, double first_token, Seconds step) {
  return launches + (1.5 + first_token) * step;
}

Seconds around_prompt(const Setting& setting, Seconds step) {
  return around_prompt(prompt_launches(setting), setting.engine.time.prompts.first_token, step);
}

}  // namespace afford
