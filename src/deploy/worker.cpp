#include "deploy/worker.hpp"

#include <algorithm>
#include <cmath>

#include "layer/attention_side.hpp"
#include "layer/ffn_side.hpp"
#include "layer/head.hpp"

namespace afford {
namespace {

template <class T>
const T& on(const HardwareSpec& chip, const ByArchitecture<T>& value) {
  return value.on(chip.architecture.value);
}

bool is_routed(const LayerShape& shape) { return shape.ffn.router_outputs > 0; }

/// Time at the roofs alone: every start is in the engine's time a kernel.
Seconds at_roof(const Op& op, const Engine& engine) { return op.time - op.kernels * engine.kernel; }

/// Products read weights, cores a cache; what does neither is in the engine's time a kernel.
Seconds products_of(const OpList& ops, const Engine& engine) {
  Seconds sum;
  for (const Op& op : ops) sum += op.weights > Bytes(0) ? at_roof(op, engine) : Seconds(0);
  return sum;
}
Seconds core_of(const OpList& ops, const Engine& engine) {
  Seconds sum;
  for (const Op& op : ops) sum += op.cache > Bytes(0) ? at_roof(op, engine) : Seconds(0);
  return sum;
}

AttentionWork attention_work(const Worker& worker, const WorkerSetting& setting,
                             const LayerShape& shape) {
  return {.requests = worker.requests,
          .query_tokens = setting.query_tokens,
          .context = setting.context,
          .instance = worker.tensor,
          .split = worker.tensor > 1 ? AttentionSplit::tensor : AttentionSplit::replicated,
          .overlap = Overlap::none,
          .router = is_routed(shape),
          .experts = shape.ffn.router_outputs};
}

FfnWork ffn_work(const Worker& worker, const WorkerSetting& setting, const LayerShape& shape) {
  const double own = worker.requests * setting.query_tokens;
  const bool routed = is_routed(shape);
  const double tokens = routed ? own * real(worker.replicas()) : own;
  return {.tokens = tokens,
          .instance = 1,
          .tensor = routed ? worker.expert_tensor : worker.tensor,
          .groups = routed ? worker.expert_groups : 1,
          .total_tokens = tokens,
          .routing = setting.routing,
          .placement = setting.placement,
          .collectives = false,
          .shared = SharedExperts::apart};
}

/// Weights of fewer than 8 bits whose products the chip computes in BF16: they are widened on the
/// way. Blackwell's tensor cores take block-scaled FP4 as it is.
bool widened(const HardwareSpec& chip, const LayerShape& shape, const Precision& precision) {
  const bool few = bits_of(shape.ffn_weights) < 8;
  const bool blocks = shape.ffn_weights == Dtype::mxfp4 || shape.ffn_weights == Dtype::nvfp4;
  const bool taken = blocks && find_peak(chip, Dtype::fp4) != nullptr;
  return few && !taken && compute_format(chip, precision.ffn_compute) == Dtype::bf16;
}

/// Latency and rate of an all-reduce inside a server, as measured with NCCL and vLLM's own kernels
/// on Hopper: 6, 8 and 10 us over 2, 4 and 8 GPUs, and 0.65 of NVLink's rate.
Seconds all_reduce(const Worker& worker, const HardwareSpec& chip, Bytes vectors,
                   const EngineTime& time) {
  constexpr double first_us = 4, doubling_us = 2, share = 0.65;
  const double n = real(worker.tensor);
  const Seconds latency = (first_us + doubling_us * std::log2(n)) * microsecond;
  const Seconds transfer = 2 * (n - 1) / n * vectors / (share * chip.scale_up_bandwidth.value);
  return time.all_reduce_latency * latency + time.all_reduce_rate * transfer;
}

/// Tokens to their experts in FP8 and back in BF16, inside one scale-up domain.
Seconds exchange(const Worker& worker, const HardwareSpec& chip, const LayerShape& shape,
                 Bytes vectors, const EngineTime& time) {
  constexpr double bytes_over_bf16 = 3.0 / 2;
  const double n = real(worker.gpus);
  const Bytes moved = bytes_over_bf16 * visited_experts(shape.ffn) * (1 - 1 / n) * vectors;
  return std::log2(n) * time.exchange_latency +
         moved / (on(chip, time.exchange_share) * chip.scale_up_bandwidth.value);
}

/// Of one layer: two all-reduces under tensor parallelism; an exchange before and after experts
/// under data parallelism.
Seconds collectives(const Worker& worker, const WorkerSetting& setting, const LayerShape& shape,
                    const EngineTime& time) {
  const double tokens = worker.requests * setting.query_tokens;
  const Bytes vectors = size_of(Dtype::bf16, tokens * real(setting.model->hidden));
  if (worker.tensor > 1) return 2 * all_reduce(worker, *setting.chip, vectors, time);
  if (worker.gpus == 1 || !is_routed(shape)) return Seconds(0);
  return exchange(worker, *setting.chip, shape, vectors, time);
}

bool has_indexer(const AttentionCount& attention) {
  const auto walks = attention.core.walks();
  return std::any_of(walks.begin(), walks.end(),
                     [](const Walk& walk) { return walk.by == Walk::By::indexer; });
}

double attention_kernels(const AttentionCount& attention, bool quantised,
                         const LaunchedKernels& kernels) {
  if (attention.core.state.elements > 0)
    return kernels.recurrent + (quantised ? kernels.quantise_gqa : 0);
  if (attention.curve != OperationClass::mla_decode)
    return kernels.gqa + (quantised ? kernels.quantise_gqa : 0);
  return kernels.mla + (has_indexer(attention) ? kernels.indexer : 0) +
         (quantised ? kernels.quantise_mla + kernels.mla_blocks : 0);
}

}  // namespace

double launched_kernels(const LayerShape& shape, const Precision& precision,
                        const EngineTime& time) {
  const LaunchedKernels& kernels = time.kernels;
  double count =
      attention_kernels(shape.attention, precision.linear_compute != Dtype::bf16, kernels);
  count += is_routed(shape) ? kernels.moe : kernels.dense;
  count += precision.ffn_compute != Dtype::bf16 ? kernels.quantise_ffn : 0;
  for (const Mlp& mlp : shape.ffn.mlps) count += mlp.role == MlpRole::shared ? kernels.shared : 0;
  return count;
}

WorkerStep worker_step(const Worker& worker, const WorkerSetting& setting, const Engine& engine) {
  const ModelSpec& model = *setting.model;
  const HardwareSpec& chip = *setting.chip;
  const EngineTime& time = engine.time;
  Machine machine(chip, engine);
  machine.measured = nullptr;  // the factors are on the roofs, not on curves of other kernels
  const double rows = worker.requests * setting.query_tokens;
  const Seconds kernel = on(chip, time.kernel);
  WorkerStep step;
  step.between = time.step + worker.requests * time.request;
  for (const LayerShape& shape : *setting.shapes) {
    const OpList attention =
        attention_ops(model, shape, attention_work(worker, setting, shape), machine);
    const OpList ffn = ffn_ops(model, shape, ffn_work(worker, setting, shape), machine);
    const double layers = real(shape.layers);
    const double narrow = widened(chip, shape, model.precision) ? on(chip, time.narrow) : 1;
    const bool routed = is_routed(shape);
    Seconds dense = products_of(attention, engine);
    if (routed) {
      dense += products_of(
          shared_ops(model, shape, {.tokens = rows, .tensor = real(worker.tensor)}, machine),
          engine);
      step.experts += layers * on(chip, time.grouped) * narrow * products_of(ffn, engine);
    } else {
      dense += products_of(ffn, engine);
    }
    step.products += layers * on(chip, time.dense) * dense;
    step.core += layers * on(chip, time.core) * core_of(attention, engine);
    step.launches += layers * launched_kernels(shape, model.precision, time) * kernel;
    step.collectives += layers * collectives(worker, setting, shape, time);
  }
  for (const Op& op : head_ops(model, rows / real(worker.tensor), worker.tensor, machine))
    step.head += at_roof(op, engine);
  return step;
}

}  // namespace afford
