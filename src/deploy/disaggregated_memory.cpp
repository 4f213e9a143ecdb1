// What the accelerators of both pools of an AFD deployment must hold.
#include <cmath>

#include "deploy/memory.hpp"
#include "deploy/shares.hpp"
#include "kernels/dense.hpp"

namespace afford {
namespace {

WeightWays attention_weight_ways(const Disaggregated& d) {
  const std::int64_t n = d.attention.accelerators;
  return {.tensor = d.attention_split == AttentionSplit::tensor ? n : 1,
          .output = d.attention_split == AttentionSplit::shared_output ? n : 1,
          .vocabulary = n};
}

/// Queries and results of a token's core.
Bytes core_token(const Setting& setting) {
  double widest = 0;
  for (const LayerShape& shape : *setting.shapes)
    widest = std::max(widest, double{shape.attention.core_outputs});
  return size_of(between_kernels, 2 * widest);
}

/// What one token of a micro-batch at work needs on an attention accelerator: queries and results
/// of the core, and its logits.
Bytes attention_token(const Setting& setting, const WeightWays& ways) {
  return (core_token(setting) + size_of(Dtype::fp32, real(setting.model->vocab))) /
         real(ways.tensor);
}

/// Gate, up and activation of the MLPs that stand there.
Bytes mlp_token(const Disaggregated& d, const Setting& setting) {
  double widest = 0;
  for (const LayerShape& shape : *setting.shapes) {
    for (const Mlp& mlp : shape.ffn.mlps) {
      if (!d.has_at_attention(mlp.role)) continue;
      widest = std::max(widest, real(mlp.active * mlp.intermediate) * (mlp.matrices_up() + 1));
    }
  }
  return size_of(between_kernels, widest) / d.attention_ways();
}

/// And on an FFN accelerator: its rows for the experts of a group, FP8 in and BF16 out, and gate,
/// up and activation between.
Bytes ffn_token(const Disaggregated& d, const Setting& setting, const FfnSplit& split) {
  double widest = 0;
  for (const LayerShape& shape : *setting.shapes) {
    double work = 0;
    for (const Mlp& mlp : shape.ffn.mlps) {
      if (d.has_at_attention(mlp.role)) continue;
      const double rows = real(mlp.active) / real(split.expert);
      work += rows * (3 * real(setting.model->hidden) +
                      (mlp.matrices_up() + 1) * 2 * real(mlp.intermediate) / real(split.tensor));
    }
    widest = std::max(widest, work);
  }
  return Bytes(widest);
}

/// Cut at the core, the attention pool holds caches and what its cores read and give; the FFN pool
/// holds everything else.
HeldPart held_around_core(const Disaggregated& d, const Setting& setting, const FfnSplit& split) {
  const double tensor = real(attention_weight_ways(d).tensor);
  const WeightWays around{.tensor = split.tensor, .output = 1, .vocabulary = d.ffn.accelerators};
  const Bytes logits = size_of(Dtype::fp32, real(setting.model->vocab));
  // A token of a replica has its projections and logits on one group of its accelerators.
  const Bytes at_home = (logits + core_token(setting)) / real(split.tensor * split.expert);
  return {.attention_weights = Bytes(0),
          .ffn_weights =
              ffn_weights(setting, split.tensor, split.expert) + attention_weights(setting, around),
          .request = cache_per_request(setting, setting.engine_of_pools(),
                                       {attention_weight_ways(d).tensor}),
          .attention_token = core_token(setting) / tensor,
          .ffn_token = ffn_token(d, setting, split) + at_home};
}

/// Moves to the attention pool, or from it, what is not where it is by default.
void place_weights(HeldPart& held, const Disaggregated& d, const Setting& setting,
                   const FfnSplit& split) {
  for (const MlpRole role : {MlpRole::shared, MlpRole::dense}) {
    if (!d.has_at_attention(role)) continue;
    held.attention_weights += mlp_weights(setting, role, d.attention_ways());
    held.ffn_weights -= mlp_weights(setting, role, real(split.tensor));
  }
  if (d.places.router == AfdPool::attention) return;
  held.attention_weights -= router_weights(setting);
  held.ffn_weights += router_weights(setting);
}

/// Hidden states of a token in each micro-batch in flight: BF16 residual, FP8 out and BF16 partial
/// results back; cut at the core, what travels.
Bytes token_in_flight(const Disaggregated& d, const Setting& setting, const Shares& s) {
  if (d.boundary == Boundary::core)
    return core_token(setting) / real(attention_weight_ways(d).tensor);
  return Bytes(real(setting.model->hidden) * (2 + 1 + 2 * s.instances_in_replica));
}

}  // namespace

std::int64_t PoolMemory::largest_batch(int micro_batches) const {
  const double fit = real(most_requests(capacity, weights, cache_each + buffers_each));
  return static_cast<std::int64_t>(fit * shares) * micro_batches;
}

PoolMemory attention_memory(const Disaggregated& d, const Setting& setting, const Shares& s,
                            const HeldPart& held) {
  const double in_flight = d.micro_batches;
  const Bytes a_token = in_flight * token_in_flight(d, setting, s) + held.attention_token;
  const UsableMemory usable =
      usable_memory_of(setting.engine_of_pools(), *d.attention.chip, held.attention_weights);
  return {.weights = held.attention_weights,
          .cache_each = in_flight * held.request,
          .buffers_each = query_tokens(setting) * a_token,
          .capacity = usable.capacity,
          .whole = usable.whole,
          .count = s.mean_requests(),
          .shares = real(d.attention_units())};
}

PoolMemory ffn_memory(const Disaggregated& d, const Setting& setting, const Shares& s,
                      const HeldPart& held) {
  const double hidden = real(setting.model->hidden);
  // Gathered FP8 inputs and BF16 outputs of every micro-batch in flight.
  const Bytes a_token = Bytes(d.micro_batches * 3 * hidden) + held.ffn_token;
  const UsableMemory usable =
      usable_memory_of(setting.engine_of_pools(), *d.ffn.chip, held.ffn_weights);
  return {.weights = held.ffn_weights,
          .cache_each = {},
          .buffers_each = query_tokens(setting) * a_token,
          .capacity = usable.capacity,
          .whole = usable.whole,
          .count = s.tokens_per_replica / query_tokens(setting),
          .shares = s.replicas};
}

HeldPart held_part(const Disaggregated& d, const Setting& setting) {
  const FfnSplit split = split_of(d);
  if (d.boundary == Boundary::core) return held_around_core(d, setting, split);
  const WeightWays ways = attention_weight_ways(d);
  HeldPart held{.attention_weights = attention_weights(setting, ways),
                .ffn_weights = ffn_weights(setting, split.tensor, split.expert),
                .request = cache_per_request(setting, setting.engine_of_pools(), {ways.tensor}),
                .attention_token = attention_token(setting, ways) + mlp_token(d, setting),
                .ffn_token = ffn_token(d, setting, split)};
  place_weights(held, d, setting, split);
  return held;
}

}  // namespace afford
