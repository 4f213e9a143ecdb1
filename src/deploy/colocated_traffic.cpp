#include "deploy/colocated_traffic.hpp"

namespace afford {
namespace {

/// Accelerators over which an FFN of a replica's (or the gathered replicas') tokens is spread.
std::int64_t ffn_accelerators(const ColocatedLayer& layer) {
  return layer.routed() ? layer.layout().size() : layer.layout().dense_tp();
}

}  // namespace

Op ffn_all_reduce(const ColocatedLayer& layer) {
  return all_reduce({.name = "all-reduce",
                     .vector = layer.vectors(layer.ffn_tokens()),
                     .group = group_of(ffn_accelerators(layer), *layer.machine.chip)},
                    layer.machine);
}

Op gather_tokens(const ColocatedLayer& layer) {
  const std::int64_t tp = layer.layout().attention_tp;
  return all_gather(
      {.name = "all-gather",
       .vector = layer.ffn_tokens() * dispatch_bytes(*layer.setting.model, layer.shape),
       .group = group_of(ffn_accelerators(layer) / tp, *layer.machine.chip, tp)},
      layer.machine);
}

Seconds scatter_time(const ColocatedLayer& layer) {
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

TokenExchange exchange_of(const ColocatedLayer& layer, Bytes each, double balance) {
  return {.copies = visited_experts(layer.shape.ffn),
          .bytes = each,
          .accelerators = layer.layout().size(),
          .balance = balance};
}

Seconds exchanged_time(const ColocatedLayer& layer, TokenExchange exchange) {
  exchange.tokens = layer.replica_tokens() / real(layer.layout().attention_tp);
  return exchange_time(exchange, layer.machine);
}

Seconds hop_time(const Colocated& c, const Setting& setting, const MicroBatch& batch) {
  const double tokens = batch.requests * (setting.speculation.drafts + 1);
  return exchange_time({.tokens = tokens / real(c.layout.attention_tp),
                        .copies = 1,
                        .bytes = combine_bytes(*setting.model),
                        .accelerators = c.layout.engine()},
                       Machine(*c.pool.chip, setting.engine, setting.residual));
}

}  // namespace afford
