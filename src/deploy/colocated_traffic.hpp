#pragma once
// What the accelerators of a co-located engine send each other in a layer.

#include <algorithm>

#include "deploy/colocated.hpp"
#include "kernels/collective.hpp"
#include "kernels/dense.hpp"

namespace afford {

/// One layer kind and micro-batch of a deployment.
struct ColocatedLayer {
  const Colocated& deployment;
  const Setting& setting;
  size_t kind;
  const LayerShape& shape;
  MicroBatch batch;
  const Machine& machine;

  ColocatedLayer(const Colocated& c, const Setting& s, const Machine& m, size_t of_kind,
                 const MicroBatch& b)
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

/// Everyone's partial results of an FFN added up.
[[nodiscard]] Op ffn_all_reduce(const ColocatedLayer& layer);

/// Each accelerator of a replica gets the tokens of its peers in the others.
[[nodiscard]] Op gather_tokens(const ColocatedLayer& layer);
/// Everyone's partial results add up; a replica of several accelerators then shares its own.
[[nodiscard]] Seconds scatter_time(const ColocatedLayer& layer);

/// Of `each` bytes of a token and an expert, but for how many tokens there are. `balance`: what the
/// busiest rank has over the mean.
[[nodiscard]] TokenExchange exchange_of(const ColocatedLayer& layer, Bytes each, double balance);
/// The accelerators of a replica share its tokens: what the all-reduce behind o leaves out before
/// the exchange, it does after.
[[nodiscard]] Seconds exchanged_time(const ColocatedLayer& layer, TokenExchange exchange);

}  // namespace afford
