#include "deploy/core_boundary.hpp"

#include <cmath>

#include "kernels/collective.hpp"
#include "kernels/dense.hpp"
#include "layer/head.hpp"

namespace afford {
namespace {

/// One layer kind and micro-batch on the busiest accelerator of the FFN pool.
struct AroundCore {
  const Disaggregated& deployment;
  const Setting& setting;
  const LayerShape& shape;
  Shares shares;
  Machine machine;

  AroundCore(const Disaggregated& d, const Setting& s, size_t kind)
      : deployment(d),
        setting(s),
        shape((*s.shapes)[kind]),
        shares(shares_of(d, s)),
        machine(*d.ffn.chip, s.engine_of_pools(), s.residual) {}

  [[nodiscard]] const FfnSplit& split() const { return shares.split; }
  [[nodiscard]] bool routed() const { return shape.ffn.router_outputs > 0; }
  /// Requests of accelerators that share their experts.
  [[nodiscard]] double requests() const {
    const double groups = real(deployment.ffn.size()) / real(split().tensor);
    return std::ceil(real(deployment.batch) / deployment.micro_batches / groups);
  }
  [[nodiscard]] double tokens() const { return requests() * query_tokens(setting); }
  [[nodiscard]] bool exchanges() const { return routed() && split().expert > 1; }
};

AttentionWork attention_work_around(const AroundCore& layer) {
  const std::int64_t tensor = layer.split().tensor;
  return {.requests = layer.requests(),
          .query_tokens = query_tokens(layer.setting),
          .context = layer.setting.context,
          .instance = tensor,
          .split = tensor > 1 ? AttentionSplit::tensor : AttentionSplit::replicated,
          .overlap = Overlap::none,
          .partial_results = 0,
          .router = layer.routed(),
          .scope = AttentionScope::around};
}

FfnWork ffn_work_around(const AroundCore& layer, const Placement* placement) {
  const std::int64_t groups = layer.exchanges() ? layer.split().expert : 1;
  const double tokens = layer.routed() ? layer.shares.tokens_per_replica : layer.tokens();
  return {.tokens = tokens,
          .instance = 1,
          .tensor = layer.split().tensor,
          .groups = groups,
          .redundant = groups > 1 ? layer.setting.redundant_experts : 0,
          .routing = &layer.setting.routing_of_pools(),
          .placement = groups > 1 ? placement : nullptr,
          .overlap = layer.setting.overlap,
          .collectives = false};
}

Op exchange(const AroundCore& layer, std::string_view name, Bytes each) {
  const TokenExchange work{.tokens = layer.tokens() / real(layer.split().tensor),
                           .copies = visited_experts(layer.shape.ffn),
                           .bytes = each,
                           .accelerators = layer.split().tensor * layer.split().expert};
  Op op{.name = name, .kernels = 0};
  op.moved = work.tokens * work.copies * work.bytes;
  op.time = exchange_time(work, layer.machine);
  const bool inside = work.accelerators <= layer.machine.chip->scale_up_accelerators.value;
  op.bound = inside ? Limit::scale_up : Limit::network;
  return op;
}

/// Partial results of accelerators that share all their experts.
Op all_reduce_of_experts(const AroundCore& layer) {
  return all_reduce(
      {.name = "all-reduce",
       .vector = size_of(between_kernels, layer.tokens() * real(layer.setting.model->hidden)),
       .group = group_of(layer.split().tensor, *layer.machine.chip)},
      layer.machine);
}

}  // namespace

OpList around_core_ops(const Disaggregated& d, const Setting& setting, size_t kind) {
  const AroundCore layer(d, setting, kind);
  const ModelSpec& model = *setting.model;
  OpList ops = attention_ops(model, layer.shape, attention_work_around(layer), layer.machine);
  if (layer.exchanges()) ops.add(exchange(layer, "dispatch", dispatch_bytes(model, layer.shape)));
  for (const Op& op : ffn_ops(model, layer.shape, ffn_work_around(layer, nullptr), layer.machine)) {
    ops.add(op);
  }
  if (layer.exchanges()) {
    ops.add(exchange(layer, "combine", combine_bytes(model)));
  } else if (layer.split().tensor > 1) {
    ops.add(all_reduce_of_experts(layer));
  }
  return ops;
}

namespace {

Seconds around_core_time(const Disaggregated& d, const Setting& setting, size_t kind,
                         const Placement* placement) {
  const AroundCore layer(d, setting, kind);
  const ModelSpec& model = *setting.model;
  AttentionPlan attention(model);
  attention.add(layer.shape, attention_work_around(layer));
  KindTimes times(1);
  attention.times(layer.requests(), layer.machine, times);
  const Seconds time =
      times[0] + ffn_time(model, layer.shape, ffn_work_around(layer, placement), layer.machine);
  if (layer.exchanges()) {
    return time + exchange(layer, "dispatch", dispatch_bytes(model, layer.shape)).time +
           exchange(layer, "combine", combine_bytes(model)).time;
  }
  return layer.split().tensor > 1 ? time + all_reduce_of_experts(layer).time : time;
}

Seconds around_core_head(const Disaggregated& d, const Setting& setting) {
  const AroundCore layer(d, setting, 0);
  return head_time(*setting.model, layer.tokens() / real(layer.split().tensor), d.ffn.accelerators,
                   layer.machine);
}

}  // namespace

FfnPart around_core_part(const Disaggregated& d, const Setting& setting,
                         const Placement* placement) {
  FfnPart part{.stage = KindTimes(setting.shapes->size()), .head = around_core_head(d, setting)};
  for (size_t kind = 0; kind < part.stage.size(); ++kind)
    part.stage[kind] = around_core_time(d, setting, kind, placement);
  return part;
}

}  // namespace afford
