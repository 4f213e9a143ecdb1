#include "deploy/prompts.hpp"

#include <algorithm>
#include <cmath>

#include "count/core.hpp"
#include "count/ffn.hpp"
#include "deploy/memory.hpp"
#include "kernels/machine.hpp"
#include "kernels/prefill_core.hpp"

namespace afford {
namespace {

/// Shares of the peaks and rates besides the engine's own, of large prompts on Hopper and
/// Blackwell; from the same fit as the engines' shares. Those of peaks are carried to other chips
/// by share_on(). Attention: FA3 reaches up to 0.75 of the
/// BF16 peak on long prompts, less with a chunk of one.
constexpr double attention_share = 0.5, all_reduce_share = 0.75;
/// FP4 products of a prompt run so much faster than FP8 ones, not twice as fast.
constexpr double fp4_over_fp8 = 1.5;

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
/// kernel was measured.
struct PromptWork {
  Flops products, core;
  Bytes activations, all_reduced;
};

PromptWork work_of(const ModelSpec& model, const HardwareSpec& chip, const PromptLoad& load) {
  PromptWork work;
  const double hidden = real(model.hidden);
  for (const LayerKind& kind : model.layer_kinds) {
    const AttentionShape& shape = model.attentions[kind.attention].shape;
    const AttentionCount attention = count_attention(shape, model.hidden, Convention::exact);
    const FfnCount ffn = count_ffn(model.ffns[kind.ffn].shape);
    const double layers = real(kind.layers);
    const double weights = weights_of(attention.projections) + active_weights(ffn, model.hidden);
    work.products += Flops(layers * 2 * weights * load.prompt);
    if (prefill_curve(shape, chip) == nullptr)
      work.core += layers * core_of(shape, attention.core, load);
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
void add_measured_cores(PromptTime& time, const ModelSpec& model, const HardwareSpec& chip,
                        const PromptLoad& load, bool launched) {
  const PrefillWork work{.tokens = load.prompt,
                         .cached = load.cached,
                         .ways = real(load.tensor),
                         .launched = launched};
  const double replicas = real(load.gpus) / real(load.tensor);
  for (const LayerKind& kind : model.layer_kinds) {
    const AttentionShape& shape = model.attentions[kind.attention].shape;
    if (prefill_curve(shape, chip) == nullptr) continue;
    const AttentionCount count = count_attention(shape, model.hidden, Convention::exact);
    const PrefillTime one = measured_prefill(shape, count, work, chip);
    const Seconds all = real(kind.layers) / replicas * one.time;
    time.core += all;
    time.core_margin += one.half_width * all;
    time.core_measured = true;
    time.core_beyond = time.core_beyond || one.beyond;
  }
}

/// The peak of a prompt's GEMMs.
FlopRate product_peak(const ModelSpec& model, const HardwareSpec& chip) {
  const Dtype format = compute_format(chip, model.precision.ffn_compute);
  if (format != Dtype::fp4) return find_peak(chip, format)->rate.value;
  const Dtype wider = compute_format(chip, Dtype::fp8);
  return std::min(find_peak(chip, format)->rate.value,
                  fp4_over_fp8 * find_peak(chip, wider)->rate.value);
}

}  // namespace

PromptLoad prompt_load(const Layout& layout) {
  return {
      .gpus = layout.engine(), .tensor = layout.attention_tp, .expert_groups = layout.expert_ep};
}

PromptTime prompt_parts(const ModelSpec& model, const HardwareSpec& chip, const PromptLoad& load,
                        const PromptRates& rates) {
  const PromptWork work = work_of(model, chip, load);
  const double share = share_on(chip, has_experts(model) ? rates.experts : rates.dense);
  const double gpus = real(load.gpus);
  const FlopRate bf16 = find_peak(chip, compute_format(chip, Dtype::bf16))->rate.value;
  PromptTime time{
      .products = work.products / (gpus * share * product_peak(model, chip)),
      .core = work.core / (gpus * share_on(chip, attention_share) * bf16),
      .all_reduce = work.all_reduced / (all_reduce_share * chip.scale_up_bandwidth.value),
      .passes = work.activations / chip.memory_bandwidth.value};
  add_measured_cores(time, model, chip, load, rates.outside_graphs > Seconds(0));
  return time;
}

Seconds prompt_time(const ModelSpec& model, const HardwareSpec& chip, const PromptLoad& load,
                    const PromptRates& rates) {
  return prompt_parts(model, chip, load, rates).total();
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
