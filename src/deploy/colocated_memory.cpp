// What an accelerator of a co-located engine must hold.
#include <algorithm>
#include <cmath>

#include "deploy/colocated.hpp"
#include "deploy/memory.hpp"

namespace afford {
namespace {

bool exchanges(const Colocated& c, const Setting& setting) {
  return ffn_traffic(c.layout, true) == FfnTraffic::exchange &&
         std::any_of(setting.shapes->begin(), setting.shapes->end(),
                     [](const LayerShape& shape) { return shape.ffn.router_outputs > 0; });
}

/// Ways one MLP is sharded, and the requests of an accelerator's FFN for one of its replica, by
/// what it is: a dense layer, a shared expert, or routed experts of which it has a group.
struct MlpSpread {
  double tensor = 1, requests = 1;
};
MlpSpread spread_of(MlpRole role, const Layout& layout) {
  const FfnWays ways = ffn_ways(layout);
  if (role == MlpRole::routed) {
    return {real(layout.expert_tp), real(layout.replicas()) / real(layout.expert_ep)};
  }
  const std::int64_t tensor = role == MlpRole::shared ? ways.shared : ways.dense;
  return {real(tensor), real(tensor) / real(layout.attention_tp)};
}

/// Rows of the FFN of one micro-batch, of each request of a replica: FP8 in, BF16 out, gate, up and
/// activation between.
Bytes ffn_rows(const Colocated& c, const Setting& setting) {
  double widest = 0;
  for (const LayerShape& shape : *setting.shapes) {
    double work = 0;
    for (const Mlp& mlp : shape.ffn.mlps) {
      const MlpSpread spread = spread_of(mlp.role, c.layout);
      work += spread.requests * real(mlp.active) *
              (3 * real(setting.model->hidden) +
               (mlp.matrices_up() + 1) * 2 * real(mlp.intermediate) / spread.tensor);
    }
    widest = std::max(widest, work);
  }
  return Bytes(widest);
}

/// DeepEP's low-latency buffers hold a BF16 slot for every expert and token, to send and to
/// receive, in two sets (LowLatencyLayout in its csrc/config.hpp).
Bytes exchange_slots(const Colocated& c, const Setting& setting) {
  constexpr double sides = 2, sets = 2;
  if (!exchanges(c, setting)) return Bytes(0);
  double experts = 0;
  for (const LayerShape& shape : *setting.shapes)
    experts = std::max(experts, real(shape.ffn.router_outputs));
  return sides * sets * (experts + real(setting.redundant_experts)) *
         size_of(Dtype::bf16, real(setting.model->hidden));
}

/// Of each request of a replica: while it is in flight, and more of those of the micro-batch at
/// work.
struct Buffers {
  Bytes in_flight, at_work;
};
Buffers buffers_of(const Colocated& c, const Setting& setting) {
  const ModelSpec& model = *setting.model;
  const double tokens = setting.speculation.drafts + 1;
  // BF16 residual and result. Logits and slots are for an accelerator's share of the tokens.
  const Bytes share = size_of(Dtype::fp32, real(model.vocab)) + exchange_slots(c, setting);
  return {.in_flight = tokens * Bytes(4 * real(model.hidden)),
          .at_work = tokens * (share / real(c.layout.attention_tp) + ffn_rows(c, setting))};
}

/// Of the fullest accelerator. A pipeline has the embedding on its first stage and the LM head on
/// its last, of which the larger counts; what is only held stands whole on one of them.
Bytes weights_of_stage(const Colocated& c, const Setting& setting) {
  const double stage = fullest_stage(c, *setting.model);
  const WeightWays ways{.tensor = c.layout.attention_tp,
                        .output = 1,
                        .vocabulary = vocabulary_ways(c),
                        .stage = stage};
  FfnWays ffn = ffn_ways(c.layout);
  ffn.stage = stage;
  const Bytes all = attention_weights(setting, ways) + ffn_weights(setting, ffn);
  if (c.layout.pp == 1 || setting.model->tied_embeddings) return all;
  const ModelSpec& model = *setting.model;
  const double matrix = real(model.vocab) * real(model.hidden) / real(ways.vocabulary);
  return all -
         std::min(size_of(model.precision.vocabulary, matrix), size_of(head_format(model), matrix));
}

/// What a request of a replica takes: always, and more while its micro-batch is at work.
struct PerRequest {
  Bytes held, at_work;
};

/// The most requests of a replica in as even micro-batches as can be: whole ones, and as many more
/// as one request more in the largest leaves room for.
std::int64_t most_of_replica(Bytes room, const PerRequest& each, int micro_batches) {
  const Bytes whole = micro_batches * each.held + each.at_work;
  const std::int64_t even = most_requests(room, Bytes(0), whole);
  const Bytes larger = real(even + 1) * each.at_work;
  const std::int64_t uneven = most_requests(room, larger, each.held);
  return std::max(even * micro_batches, std::min(uneven, (even + 1) * micro_batches - 1));
}

}  // namespace

double fullest_stage(const Colocated& c, const ModelSpec& model) {
  const double layers = real(layer_count(model));
  return std::ceil(layers / real(c.layout.pp)) / layers;
}

ColocatedHeld colocated_held(const Colocated& c, const Setting& setting) {
  const Buffers buffers = buffers_of(c, setting);
  ColocatedHeld held{
      .weights = weights_of_stage(c, setting),
      .cache = fullest_stage(c, *setting.model) *
               cache_per_request(setting, setting.engine, {c.layout.attention_tp, c.layout.cp}),
      .in_flight = buffers.in_flight,
      .at_work = buffers.at_work};
  held.usable = usable_memory_of(setting.engine, *c.pool.chip, held.weights);
  return held;
}

ColocatedMemory colocated_memory(const ColocatedHeld& held, const Colocated& c,
                                 const MicroBatches& batches) {
  const MemoryUse use{
      .weights = held.weights,
      .cache = real(batches.requests) * held.cache,
      .buffers = real(batches.requests) * held.in_flight + batches.large.requests * held.at_work,
      .capacity = held.usable.capacity,
      .whole = held.usable.whole};
  const PerRequest each{.held = held.cache + held.in_flight, .at_work = held.at_work};
  return {.use = use,
          .largest_batch =
              most_of_replica(use.capacity - use.weights, each, c.micro_batches) * c.replicas()};
}

ColocatedMemory colocated_memory(const Colocated& c, const Setting& setting) {
  return colocated_memory(colocated_held(c, setting), c, micro_batches_of(c));
}

}  // namespace afford
