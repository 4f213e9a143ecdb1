// One layer of a co-located engine on its busiest accelerator.
#include "deploy/colocated.hpp"
#include "deploy/colocated_traffic.hpp"
#include "deploy/direct.hpp"
#include "deploy/known_times.hpp"

namespace afford {
namespace {

using Layer = ColocatedLayer;

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

/// Made when it is asked for.
template <class Plan, class Work>
Plan& made(std::optional<Plan>& plan, const Layer& layer, const Work& work) {
  if (!plan) plan.emplace(*layer.setting.model, layer.shape, work(layer));
  return *plan;
}

Seconds shared_time(const Layer& layer, std::optional<MlpsPlan>& plan) {
  const MlpsWork work = shared_work(layer);
  const KnownTimes::Key key{.part = KnownTimes::Part::shared,
                            .tensor = static_cast<std::int64_t>(work.tensor),
                            .load = work.tokens};
  return known(layer, key,
               [&] { return made(plan, layer, shared_work).time(work.tokens, layer.machine); });
}

/// Routed experts or a dense layer.
Seconds experts_time(const Layer& layer, std::optional<FfnPlan>& plan) {
  const double tokens = layer.ffn_tokens();
  const Layout& layout = layer.layout();
  const KnownTimes::Key key{.part = KnownTimes::Part::experts,
                            .tensor = layer.routed() ? layout.expert_tp : layout.dense_tp(),
                            .other = layer.routed() ? layout.expert_ep : 1,
                            .beyond_fabric = beyond_fabric(layer),
                            .load = tokens};
  return known(layer, key, [&] { return made(plan, layer, ffn_of).time(tokens, layer.machine); });
}

/// Whether tokens go to their experts and come back; with engines that count launches they do so
/// too where experts are sharded among data-parallel replicas.
bool exchanges(const Layer& layer) {
  const FfnTraffic traffic = layer.traffic();
  return traffic == FfnTraffic::exchange ||
         (traffic == FfnTraffic::gather && layer.machine.launches() && layer.routed());
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

ColocatedLayers::ColocatedLayers(const Colocated& c, const Setting& setting)
    : deployment_(c),
      setting_(setting),
      machine_(machine_of(c, setting)),
      attention_(*setting.model),
      kinds_(setting.shapes->size()) {
  for (size_t kind = 0; kind < kinds_.size(); ++kind) {
    const Layer layer(c, setting, machine_, kind, MicroBatch{});
    Kind& own = kinds_[kind];
    attention_.add(layer.shape, attention_of(layer));
    own.direct = direct_layout(c, setting, layer.shape);
    own.traffic = layer.traffic();
    own.exchanges = exchanges(layer);
    own.shared_apart = shared_apart(layer);
    own.dispatch =
        exchange_of(layer, dispatch_bytes(*setting.model, layer.shape), balance_of(layer));
    own.combine = exchange_of(layer, combine_bytes(*setting.model), balance_of(layer));
  }
}

/// Of all kinds, each as worked out before where a search keeps it.
void ColocatedLayers::attend(const MicroBatch& batch, KindTimes& times) {
  if (setting_.known == nullptr) return attention_.times(batch.requests, machine_, times);
  for (size_t kind = 0; kind < kinds_.size(); ++kind) {
    const Layer layer(deployment_, setting_, machine_, kind, batch);
    const KnownTimes::Key key{.tensor = deployment_.layout.attention_tp,
                              .other = deployment_.layout.cp,
                              .load = batch.requests};
    times[kind] = known(layer, key, [&] {
      KindTimes made(kinds_.size());
      attention_.times(batch.requests, machine_, made);
      return made[kind];
    });
  }
}

LayerTimes ColocatedLayers::of(size_t kind, const MicroBatch& batch, Seconds attention) {
  const Layer layer(deployment_, setting_, machine_, kind, batch);
  Kind& own = kinds_[kind];
  if (own.direct) return direct_times(layer, *own.direct);
  LayerTimes t{.attention = attention, .experts = experts_time(layer, own.experts)};
  const Seconds shared = own.shared_apart ? shared_time(layer, own.shared) : Seconds(0);
  if (own.exchanges) {
    t.exchanges = true;
    t.shared = shared;
    t.dispatch = exchanged_time(layer, own.dispatch);
    t.combine = exchanged_time(layer, own.combine);
  } else if (own.traffic == FfnTraffic::all_reduce) {
    t.experts += shared;
    t.experts += ffn_all_reduce(layer).time;
  } else if (own.traffic == FfnTraffic::gather) {
    t.exchanges = true;
    t.dispatch = gather_tokens(layer).time;
    t.experts += shared;
    t.combine = scatter_time(layer);
  }
  return t;
}

void ColocatedLayers::times(const MicroBatch& batch, PerKind<LayerTimes>& times) {
  KindTimes attention(kinds_.size());
  attend(batch, attention);
  for (size_t kind = 0; kind < kinds_.size(); ++kind)
    times[kind] = of(kind, batch, attention[kind]);
}

LayerTimes layer_times(const Colocated& c, const Setting& setting, size_t kind,
                       const MicroBatch& batch) {
  PerKind<LayerTimes> times(setting.shapes->size());
  ColocatedLayers(c, setting).times(batch, times);
  return times[kind];
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
