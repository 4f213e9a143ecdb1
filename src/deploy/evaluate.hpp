#pragma once
// One deployment in, its step time, throughput, money and memory out. Closed form, no heap beyond
// the model's own lists: a search calls this millions of times. simulate.hpp adds events on the
// same stages.

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "count/decode.hpp"
#include "deploy/layout.hpp"
#include "deploy/pipeline.hpp"
#include "deploy/places.hpp"
#include "layer/ffn_side.hpp"
#include "layer/per_kind.hpp"

namespace afford {

class KnownTimes;

/// Ways one expert is sharded (tensor) and groups the experts are split into (expert). What is left
/// of the pool are replicas that share the tokens. 0: the default, sharded inside an instance,
/// split over instances.
struct FfnSplit {
  std::int64_t tensor = 0, expert = 0;
};

/// What the request mix and the what-if flags say; the same for every deployment of a run.
struct Setting {
  const ModelSpec* model = nullptr;
  const std::vector<LayerShape>* shapes = nullptr;  // of the model
  double context = 4096;
  Speculation speculation;
  Engine engine;
  double residual = 0;  // of calibrated curves: see Machine
  Routing routing;
  /// That of the routing over the expert groups of every layout evaluated; null: made anew.
  const Placement* placement = nullptr;
  /// What a search has worked out of co-located layers; null: nothing is kept.
  KnownTimes* known = nullptr;
  /// Where the routing is what an engine meets rather than what is asked for: beyond a server
  /// engines copy and move experts until they are even, but for a ratio over the network.
  bool rebalanced = false;
  /// What AFD deployments run on, where it is not what co-located ones do.
  struct Pools {
    Engine engine;
    Routing routing;
  };
  std::optional<Pools> pools;
  std::int64_t redundant_experts = 0;
  Overlap overlap = Overlap::all_gather;
  Seconds tpot_limit{0.050};

  [[nodiscard]] const Engine& engine_of_pools() const { return pools ? pools->engine : engine; }
  [[nodiscard]] const Routing& routing_of_pools() const { return pools ? pools->routing : routing; }
};

/// "3A2F", "3A2F,core", "3A2F,shared=attention".
[[nodiscard]] std::string label_of(std::int64_t attention_instances, std::int64_t ffn_instances,
                                   Boundary boundary, const Places& places);

/// Attention on one pool, FFN on another.
struct Disaggregated {
  Pool attention, ffn;
  std::int64_t batch = 0;  // requests, over all micro-batches
  int micro_batches = 3;
  AttentionSplit attention_split = AttentionSplit::shared_output;
  FfnSplit ffn_split;
  Boundary boundary = Boundary::attention;
  Places places;  // of Boundary::attention
  /// What shares the requests of a micro-batch: accelerators or, under tensor parallelism,
  /// instances.
  [[nodiscard]] std::int64_t attention_units() const {
    return attention_split == AttentionSplit::tensor ? attention.instances : attention.size();
  }
  /// Accelerators that share an attention head's instance.
  [[nodiscard]] double attention_ways() const {
    return attention_split == AttentionSplit::tensor ? real(attention.accelerators) : 1;
  }
  /// Whether the attention pool has the MLPs of a role.
  [[nodiscard]] bool has_at_attention(MlpRole role) const {
    return boundary == Boundary::attention && places.at_attention(role);
  }
};

/// Everything on every accelerator: engines of one layout that share the requests evenly. The
/// busiest attention replica sets the pace. A replica's requests run as `micro_batches`, as even as
/// can be; as many as there are requests where there are fewer.
struct Colocated {
  Pool pool;
  std::int64_t batch = 0;  // requests, over the pool
  int micro_batches = 1;
  Layout layout;
  [[nodiscard]] std::int64_t engines() const { return pool.size() / layout.engine(); }
  /// Of attention, that share the requests.
  [[nodiscard]] std::int64_t replicas() const { return engines() * layout.replicas(); }
};

/// One for each pipeline stage; two where dispatch and combine over the network hide behind another
/// micro-batch; elsewhere one, as two would read the weights twice for nothing.
[[nodiscard]] int default_micro_batches(const Colocated& deployment, const ModelSpec& model);

/// Bytes on the fullest accelerator of a pool.
struct MemoryUse {
  Bytes weights, cache, buffers, capacity;
  Bytes whole;  // of which the engine fills `capacity`
  [[nodiscard]] Bytes total() const { return weights + cache + buffers; }
};

enum class Verdict { feasible, attention_memory, ffn_memory, slow };

/// What deployments are compared by.
struct StepOutcome {
  Verdict verdict = Verdict::feasible;
  Seconds tpot;  // per generated token
  Seconds step;  // of the pipeline; tpot = step / tokens_per_step
  TokenRate tokens_per_gpu;
  UsdPerToken cost;
};

/// An outcome and where it comes from.
struct Evaluation : StepOutcome {
  Seconds between;  // of the step: host time from one to the next, co-located
  std::int64_t gpus = 0;
  double batch = 0;        // requests
  PerKind<LayerRun> runs;  // stage times by layer kind
  size_t main_kind = 0;    // the most frequent
  Seconds head;
  std::string_view bound;  // the stage, or "latency" where the round trip binds
  MemoryUse attention_memory, ffn_memory;
  std::int64_t largest_batch = 0;  // that fits every pool
};

[[nodiscard]] Evaluation evaluate(const Disaggregated& deployment, const Setting& setting);
[[nodiscard]] Evaluation evaluate(const Colocated& deployment, const Setting& setting);

/// The parts of an evaluation that many deployments share; a search keeps them. Times are those of
/// one micro-batch in one layer of each kind.
struct AttentionPart {  // depends on chip, accelerators of an instance, split, requests an
                        // accelerator, fan-out
  KindTimes stage;
  Seconds head;
};
struct FfnPart {  // depends on the FFN pool, its split, the boundary and the tokens of a
                  // micro-batch
  KindTimes stage;
  Seconds head;  // where the LM head is on this side
};
struct HeldPart {  // depends on the shape of an instance and the splits
  Bytes attention_weights, ffn_weights, request;  // request: its cache on one accelerator
  Bytes attention_token, ffn_token;               // of the micro-batch at work
};
[[nodiscard]] AttentionPart attention_part(const Disaggregated& deployment, const Setting& setting);
/// `placement` is that of the routing over the groups of the split, or null.
[[nodiscard]] FfnPart ffn_part(const Disaggregated& deployment, const Setting& setting,
                               const Placement* placement = nullptr);
[[nodiscard]] HeldPart held_part(const Disaggregated& deployment, const Setting& setting);

/// FFN instances each token is sent to; may be fractional where replicas do not divide the
/// instances.
[[nodiscard]] double fan_out(const FfnSplit& split, const Pool& ffn);

/// The defaults of FfnSplit filled in. Throws UsageError when the split does not divide the pool,
/// the experts or a server.
[[nodiscard]] FfnSplit resolved(const FfnSplit& split, const Pool& pool, const ModelSpec& model);

/// The operations of one layer kind and micro-batch, by stage, for output.
struct StageOps {
  OpList attention, ffn;
  OpList
      shared;  // experts of a co-located engine that run apart, while tokens travel to the others
};
[[nodiscard]] StageOps stage_ops(const Disaggregated& deployment, const Setting& setting,
                                 size_t kind);
[[nodiscard]] StageOps stage_ops(const Colocated& deployment, const Setting& setting, size_t kind);

/// A step of a co-located engine by what the busiest accelerator does, over all micro-batches; of
/// one and its way through the stages where there is a pipeline.
struct StepParts {
  Seconds attention, ffn, network, head, host, hops;
  [[nodiscard]] Seconds sum() const { return attention + ffn + network + head + host + hops; }
};
[[nodiscard]] StepParts step_parts(const Colocated& deployment, const Setting& setting);

}  // namespace afford
