// One layer of a co-located engine on its busiest accelerator.
#include <algorithm>

#include "deploy/colocated.hpp"
#include "deploy/direct.hpp"
#include "deploy/known_times.hpp"
#include "kernels/collective.hpp"
#include "kernels/dense.hpp"

namespace afford {
namespace {

/// One layer kind and micro-batch of a deployment.
struct Layer {
  const Colocated& deployment;
  const Setting& setting;
  size_t kind;
  const LayerShape& shape;
  const MicroBatch& batch;
  const Machine& machine;

  Layer(const Colocated& c, const Setting& s, const Machine& m, size_t of_kind, const MicroBatch& b)
      : deployment(c), setting(s), kind(of_kind), shape((*s.shapes)[kind]), batch(b), machine(m) {}

  [[nodiscard]] const Layout& layout() const { return deployment.layout; }
  [[nodiscard]] bool routed() const { return shape.ffn.router_outputs > 0; }
  [[nodiscard]] FfnTraffic traffic() const { return ffn_traffic(layout(), routed()); }
  [[nodiscard]] double query_tokens() const { return setting.speculation.drafts + 1; }
  /// Tokens of an attention replica.
  [[nodiscard]] double replica_tokens() const { return batch.requests * query_tokens(); }
  /// Tokens of the replicas that share a dense layer.
  [[nodiscard]] double dense_tokens() const {
    const double replicas = real(layout().dense_tp()) / real(layout().attention_tp);
    return std::min(batch.requests * replicas, batch.engine_requests) * query_tokens();
  }
  [[nodiscard]] double ffn_tokens() const {
    return routed() ? batch.engine_requests * query_tokens() : dense_tokens();
  }
  [[nodiscard]] Bytes vectors(double tokens) const {
    return size_of(between_kernels, tokens * real(setting.model->hidden));
  }
};

/// As worked out before, where a search keeps it.
template <class Make>
Seconds known(const Layer& layer, KnownTimes::Key key, const Make& make) {
  if (layer.setting.known == nullptr) return make();
  key.chip = layer.machine.chip;
  key.kind = layer.kind;
  return layer.setting.known->of(key, make);
}

AttentionWork attention_of(const Layer& layer) {
  const std::int64_t tp = layer.layout().attention_tp;
  return {.requests = layer.batch.requests,
          .query_tokens = layer.query_tokens(),
          .context = layer.setting.context,
          .instance = tp,
          .context_ways = layer.layout().cp,
          .split = tp > 1 ? AttentionSplit::tensor : AttentionSplit::replicated,
          .overlap = Overlap::none,
          .partial_results = 0,
          .router = layer.routed()};
}

/// Shared experts run in the experts' kernels where those are sharded over the whole engine, unless
/// it counts their launches apart.
bool shared_apart(const Layer& layer) {
  return layer.routed() && (layer.layout().expert_ep > 1 || layer.machine.launches());
}

/// Whether tokens cross a network on their way to the experts.
bool beyond_fabric(const Layer& layer) {
  return layer.layout().size() > layer.machine.chip->scale_up_accelerators.value;
}

/// Whether the engine has spread the experts over many servers until they are even.
bool rebalanced(const Layer& layer) {
  return layer.setting.rebalanced &&
         layer.layout().expert_ep > layer.machine.chip->server_accelerators.value;
}

/// What the busiest rank has over the mean after that.
double balance_of(const Layer& layer) {
  return rebalanced(layer) && beyond_fabric(layer) ? layer.machine.engine->time.over_network.balance
                                                   : 1;
}

FfnWork ffn_of(const Layer& layer) {
  static const Routing even;
  const Layout& layout = layer.layout();
  const std::int64_t groups = layer.routed() ? layout.expert_ep : 1;
  const bool rebalances = rebalanced(layer);
  return {.tokens = layer.ffn_tokens(),
          .instance = 1,
          .tensor = layer.routed() ? layout.expert_tp : layout.dense_tp(),
          .groups = groups,
          .total_tokens = layer.ffn_tokens(),
          .redundant = groups > 1 ? layer.setting.redundant_experts : 0,
          .routing = rebalances ? &even : &layer.setting.routing,
          .placement = rebalances || !layer.routed() ? nullptr : layer.setting.placement,
          .balance = balance_of(layer),
          .overlap = layer.setting.overlap,
          .collectives = false,
          .shared = shared_apart(layer) ? SharedExperts::apart : SharedExperts::fused};
}

/// Shared experts beside an exchange are whole on every accelerator, for its share of a replica's
/// tokens; elsewhere they are sharded like dense layers.
MlpsWork shared_work(const Layer& layer) {
  const Layout& layout = layer.layout();
  if (layer.traffic() == FfnTraffic::exchange)
    return {.tokens = layer.replica_tokens() / real(layout.attention_tp)};
  return {.tokens = layer.dense_tokens(), .tensor = real(layout.dense_tp())};
}

OpList shared_ops(const Layer& layer) {
  if (!shared_apart(layer)) return {};
  return mlp_ops(*layer.setting.model, layer.shape, shared_work(layer), layer.machine);
}

Seconds shared_time(const Layer& layer) {
  if (!shared_apart(layer)) return Seconds(0);
  const MlpsWork work = shared_work(layer);
  const KnownTimes::Key key{.part = KnownTimes::Part::shared,
                            .tensor = static_cast<std::int64_t>(work.tensor),
                            .load = work.tokens};
  return known(layer, key,
               [&] { return mlp_time(*layer.setting.model, layer.shape, work, layer.machine); });
}

Seconds attention_side_time(const Layer& layer, AttentionTimes& times) {
  const KnownTimes::Key key{.tensor = layer.layout().attention_tp,
                            .other = layer.layout().cp,
                            .load = layer.batch.requests};
  return known(layer, key,
               [&] { return times.of(layer.shape, attention_of(layer), layer.machine); });
}

/// Routed experts or a dense layer.
Seconds experts_time(const Layer& layer) {
  const FfnWork work = ffn_of(layer);
  const KnownTimes::Key key{.part = KnownTimes::Part::experts,
                            .tensor = work.tensor,
                            .other = work.groups,
                            .beyond_fabric = beyond_fabric(layer),
                            .load = work.tokens};
  return known(layer, key,
               [&] { return ffn_time(*layer.setting.model, layer.shape, work, layer.machine); });
}

/// Accelerators over which an FFN of a replica's (or the gathered replicas') tokens is spread.
std::int64_t ffn_accelerators(const Layer& layer) {
  return layer.routed() ? layer.layout().size() : layer.layout().dense_tp();
}

Op ffn_all_reduce(const Layer& layer) {
  return all_reduce({.name = "all-reduce",
                     .vector = layer.vectors(layer.ffn_tokens()),
                     .group = group_of(ffn_accelerators(layer), *layer.machine.chip)},
                    layer.machine);
}

/// Each accelerator of a replica gets the tokens of its peers in the others.
Op gather_tokens(const Layer& layer) {
  const std::int64_t tp = layer.layout().attention_tp;
  return all_gather(
      {.name = "all-gather",
       .vector = layer.ffn_tokens() * dispatch_bytes(*layer.setting.model, layer.shape),
       .group = group_of(ffn_accelerators(layer) / tp, *layer.machine.chip, tp)},
      layer.machine);
}

/// Everyone's partial results add up; a replica of several accelerators then shares its own.
Seconds scatter_time(const Layer& layer) {
  const std::int64_t tp = layer.layout().attention_tp;
  const Op scattered =
      reduce_scatter({.name = "reduce-scatter",
                      .vector = layer.vectors(layer.ffn_tokens()),
                      .group = group_of(ffn_accelerators(layer), *layer.machine.chip)},
                     layer.machine);
  if (tp == 1) return scattered.time;
  const Op shared = all_gather({.name = "all-gather",
                                .vector = layer.vectors(layer.replica_tokens()),
                                .group = group_of(tp, *layer.machine.chip)},
                               layer.machine);
  return scattered.time + shared.time;
}

/// The accelerators of a replica share its tokens: what the all-reduce behind o leaves out before
/// the exchange, it does after.
Seconds exchanged(const Layer& layer, Bytes each) {
  return exchange_time({.tokens = layer.replica_tokens() / real(layer.layout().attention_tp),
                        .copies = visited_experts(layer.shape.ffn),
                        .bytes = each,
                        .accelerators = layer.layout().size(),
                        .balance = balance_of(layer)},
                       layer.machine);
}

/// Tokens go to their experts and come back; engines that count launches do so too where experts
/// are sharded among data-parallel replicas.
LayerTimes exchanging(const Layer& layer, LayerTimes t) {
  t.exchanges = true;
  t.shared = shared_time(layer);
  t.dispatch = exchanged(layer, dispatch_bytes(*layer.setting.model, layer.shape));
  t.combine = exchanged(layer, combine_bytes(*layer.setting.model));
  return t;
}

StageOps direct_ops(const Layer& layer, const DirectLayout& layout) {
  const ModelSpec& model = *layer.setting.model;
  const DirectAttention work{layer.batch.requests, layer.query_tokens(), layer.setting.context};
  return {direct_attention_ops(model, layer.shape, work, layout, layer.machine),
          direct_ffn_ops(model, layer.shape, layer.ffn_tokens(), layout, layer.machine).slowest,
          {}};
}

/// Kernels that store into the other GPUs' memory: tokens have travelled when a stage ends.
LayerTimes direct_times(const Layer& layer, const DirectLayout& layout) {
  const StageOps ops = direct_ops(layer, layout);
  const Seconds edge = direct_edge(layer.machine);
  return {.attention = ops.attention.time(),
          .shared = Seconds(0),
          .dispatch = edge,
          .experts = ops.ffn.time(),
          .combine = edge,
          .exchanges = true};
}

}  // namespace

LayerTimes BatchLayers::of(size_t kind) {
  const Layer layer(deployment_, setting_, machine_, kind, batch_);
  if (const auto direct = direct_layout(deployment_, setting_, layer.shape))
    return direct_times(layer, *direct);
  LayerTimes t{.attention = attention_side_time(layer, attention_), .experts = experts_time(layer)};
  switch (layer.traffic()) {
    case FfnTraffic::none:
      break;
    case FfnTraffic::all_reduce:
      t.experts += shared_time(layer);
      t.experts += ffn_all_reduce(layer).time;
      break;
    case FfnTraffic::gather:
      if (layer.machine.launches() && layer.routed()) return exchanging(layer, t);
      t.exchanges = true;
      t.dispatch = gather_tokens(layer).time;
      t.experts += shared_time(layer);
      t.combine = scatter_time(layer);
      break;
    case FfnTraffic::exchange:
      return exchanging(layer, t);
  }
  return t;
}

Seconds hop_time(const Colocated& c, const Setting& setting, const MicroBatch& batch) {
  const double tokens = batch.requests * (setting.speculation.drafts + 1);
  return exchange_time({.tokens = tokens / real(c.layout.attention_tp),
                        .copies = 1,
                        .bytes = combine_bytes(*setting.model),
                        .accelerators = c.layout.engine()},
                       Machine(*c.pool.chip, setting.engine, setting.residual));
}

StageOps stage_ops(const Colocated& c, const Setting& setting, size_t kind) {
  const MicroBatches batches = micro_batches_of(c);
  const Machine machine = machine_of(c, setting);
  const Layer layer(c, setting, machine, kind, batches.large);
  const ModelSpec& model = *setting.model;
  if (const auto direct = direct_layout(c, setting, layer.shape)) return direct_ops(layer, *direct);
  StageOps ops{attention_ops(model, layer.shape, attention_of(layer), layer.machine),
               ffn_ops(model, layer.shape, ffn_of(layer), layer.machine), shared_ops(layer)};
  if (layer.traffic() == FfnTraffic::all_reduce) ops.ffn.add(ffn_all_reduce(layer));
  return ops;
}

}  // namespace afford
