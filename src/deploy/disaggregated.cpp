#include <fmt/format.h>

#include <cmath>

#include "deploy/evaluate.hpp"
#include "deploy/memory.hpp"
#include "error.hpp"
#include "kernels/dense.hpp"
#include "layer/head.hpp"

namespace afford {
namespace {

double query_tokens(const Setting& setting) { return setting.speculation.drafts + 1; }

/// What one micro-batch looks like from either pool.
struct Shares {
  double requests = 0;          // on the busiest attention accelerator (under `tensor`, instance)
  double requests_per_gpu = 0;  // rows of the LM head
  double tokens = 0;            // of the micro-batch: requests x query tokens
  double replicas = 1;          // of the whole set of experts
  double instances_in_replica = 1;  // FFN instances a token is sent to
  double replicas_in_instance = 1;
  double tokens_per_replica = 0;
  FfnSplit split;
};

Shares shares_of(const Disaggregated& d, const Setting& setting) {
  Shares s;
  s.split = d.ffn_split.tensor > 0 ? d.ffn_split : FfnSplit{d.ffn.accelerators, d.ffn.instances};
  const double micro_batch = real(d.batch) / d.micro_batches;
  const bool tensor = d.attention_split == AttentionSplit::tensor;
  s.requests = std::ceil(micro_batch / real(tensor ? d.attention.instances : d.attention.size()));
  s.requests_per_gpu = s.requests / (tensor ? real(d.attention.accelerators) : 1);
  s.tokens = micro_batch * query_tokens(setting);
  s.replicas = real(d.ffn.size()) / real(s.split.tensor * s.split.expert);
  s.instances_in_replica = fan_out(s.split, d.ffn);
  s.replicas_in_instance = std::max(1.0, s.replicas / real(d.ffn.instances));
  s.tokens_per_replica = s.tokens / s.replicas;
  return s;
}

/// Whether one scale-up fabric joins both pools: all accelerators of a rack, or slices of a server.
bool in_one_domain(const Disaggregated& d) {
  return d.attention.chip->name == d.ffn.chip->name &&
         d.attention.size() + d.ffn.size() <= d.attention.chip->scale_up_accelerators.value;
}

/// Rate of one instance, which may be a slice of a server: of its NICs, or of its accelerators on
/// the fabric.
ByteRate instance_rate(const Pool& pool, const Engine& e, bool over_fabric) {
  if (over_fabric)
    return e.scale_up * real(pool.accelerators) * pool.chip->scale_up_bandwidth.value;
  const double slice = real(pool.accelerators) / real(pool.chip->server_accelerators.value);
  return e.nic * slice * server_network(*pool.chip);
}

/// One way of the fan: every attention instance exchanges its tokens with every FFN instance of a
/// replica.
Seconds network_time(const Disaggregated& d, const Shares& s, Bytes each_token,
                     const Setting& setting) {
  const Engine& e = setting.engine_of_pools();
  const bool over_fabric = in_one_domain(d);
  const double from_attention = s.tokens / real(d.attention.instances) * s.instances_in_replica;
  const Seconds at_attention =
      from_attention * each_token / instance_rate(d.attention, e, over_fabric);
  const double to_ffn = s.tokens_per_replica * s.replicas_in_instance;
  const Seconds at_ffn = to_ffn * each_token / instance_rate(d.ffn, e, over_fabric);
  return std::max(at_attention, at_ffn) + e.network;
}

AttentionWork attention_pool_work(const Disaggregated& d, const Setting& setting,
                                  const LayerShape& shape, const Shares& s) {
  return {.requests = s.requests,
          .query_tokens = query_tokens(setting),
          .context = setting.context,
          .instance = d.attention.accelerators,
          .split = d.attention_split,
          .overlap = setting.overlap,
          .partial_results = s.instances_in_replica,
          .router = shape.ffn.router_outputs > 0,
          .experts = shape.ffn.router_outputs};
}

FfnWork ffn_pool_work(const Disaggregated& d, const Setting& setting, const Shares& s) {
  return {.tokens = s.tokens_per_replica,
          .instance = std::min(d.ffn.accelerators, s.split.tensor * s.split.expert),
          .tensor = s.split.tensor,
          .groups = s.split.expert,
          .total_tokens = s.tokens_per_replica,
          .redundant = setting.redundant_experts,
          .routing = &setting.routing_of_pools(),
          .overlap = setting.overlap};
}

WeightWays attention_weight_ways(const Disaggregated& d) {
  const std::int64_t n = d.attention.accelerators;
  return {.tensor = d.attention_split == AttentionSplit::tensor ? n : 1,
          .output = d.attention_split == AttentionSplit::shared_output ? n : 1,
          .vocabulary = n};
}

/// What one token of a micro-batch at work needs on an attention accelerator: queries and results
/// of the core, and its logits.
Bytes attention_token(const Setting& setting, const WeightWays& ways) {
  double widest = 0;
  for (const LayerShape& shape : *setting.shapes)
    widest = std::max(widest, double{shape.attention.core_outputs});
  return size_of(between_kernels, 2 * widest / real(ways.tensor)) +
         size_of(Dtype::fp32, real(setting.model->vocab) / real(ways.tensor));
}

/// And on an FFN accelerator: its rows for the experts of a group, FP8 in and BF16 out, and gate,
/// up and activation between.
Bytes ffn_token(const Setting& setting, const FfnSplit& split) {
  double widest = 0;
  for (const LayerShape& shape : *setting.shapes) {
    double work = 0;
    for (const Mlp& mlp : shape.ffn.mlps) {
      const double rows = real(mlp.active) / real(split.expert);
      work += rows * (3 * real(setting.model->hidden) +
                      (mlp.matrices_up() + 1) * 2 * real(mlp.intermediate) / real(split.tensor));
    }
    widest = std::max(widest, work);
  }
  return Bytes(widest);
}

/// Memory of a pool: its weights, and what each request of a micro-batch adds. `count` is how many
/// requests the fullest accelerator has of each micro-batch, `shares` over how many such the
/// micro-batch is spread.
struct PoolMemory {
  Bytes weights, cache_each, buffers_each, capacity;
  double count = 0, shares = 1;
  [[nodiscard]] MemoryUse use() const {
    return {.weights = weights,
            .cache = count * cache_each,
            .buffers = count * buffers_each,
            .capacity = capacity};
  }
  [[nodiscard]] std::int64_t largest_batch(int micro_batches) const {
    const double fit = real(most_requests(capacity, weights, cache_each + buffers_each));
    return static_cast<std::int64_t>(fit * shares) * micro_batches;
  }
};

PoolMemory attention_memory(const Disaggregated& d, const Setting& setting, const Shares& s,
                            const HeldPart& held) {
  const bool tensor = d.attention_split == AttentionSplit::tensor;
  // Hidden states of every micro-batch: BF16 residual, FP8 out and BF16 partial results back.
  const double in_flight = d.micro_batches, hidden = real(setting.model->hidden);
  const Bytes token =
      in_flight * Bytes(hidden * (2 + 1 + 2 * s.instances_in_replica)) + held.attention_token;
  return {.weights = held.attention_weights,
          .cache_each = in_flight * held.request,
          .buffers_each = query_tokens(setting) * token,
          .capacity = setting.engine_of_pools().usable_memory * d.attention.chip->memory_size.value,
          .count = s.requests,
          .shares = real(tensor ? d.attention.instances : d.attention.size())};
}

PoolMemory ffn_memory(const Disaggregated& d, const Setting& setting, const Shares& s,
                      const HeldPart& held) {
  const double hidden = real(setting.model->hidden);
  // Gathered FP8 inputs and BF16 outputs of every micro-batch in flight.
  const Bytes token = Bytes(d.micro_batches * 3 * hidden) + held.ffn_token;
  return {.weights = held.ffn_weights,
          .cache_each = {},
          .buffers_each = query_tokens(setting) * token,
          .capacity = setting.engine_of_pools().usable_memory * d.ffn.chip->memory_size.value,
          .count = s.tokens_per_replica / query_tokens(setting),
          .shares = s.replicas};
}

std::string_view pipeline_bound(const StageTimes& t, int micro_batches) {
  const Seconds longest = t.longest();
  if (t.sum() > micro_batches * longest) return "latency";
  if (longest == t.attention) return "attention";
  if (longest == t.ffn) return "ffn";
  return longest == t.a2f ? "a2f" : "f2a";
}

UsdRate price_of(const Pool& pool) { return real(pool.size()) * pool.chip->price.value; }

}  // namespace

FfnSplit resolved(const FfnSplit& wanted, const Pool& pool, const ModelSpec& model) {
  FfnSplit split = wanted;
  if (split.tensor == 0)
    split.tensor = split.expert > 0 ? std::max<std::int64_t>(1, pool.size() / split.expert)
                                    : pool.accelerators;
  if (split.expert == 0) split.expert = std::max<std::int64_t>(1, pool.size() / split.tensor);
  std::int64_t experts = 0;
  for (const FfnSpec& ffn : model.ffns) {
    if (const Moe* moe = std::get_if<Moe>(&ffn.shape)) experts = std::max(experts, moe->experts);
  }
  if (split.tensor < 1 || split.expert < 1 || pool.size() % (split.tensor * split.expert) != 0) {
    throw ValueError("ffn parallelism",
                     fmt::format(": tp{}ep{} does not divide the {} accelerators of the FFN pool",
                                 split.tensor, split.expert, pool.size()));
  }
  if (pool.accelerators % split.tensor != 0) {
    throw ValueError("ffn parallelism", fmt::format(": tp{} does not divide an instance of {}",
                                                    split.tensor, pool.accelerators));
  }
  if (experts == 0)
    split.expert = 1;  // a dense model has nothing to split; instances share the tokens
  if (experts > 0 && split.expert > experts) {
    throw ValueError("ffn parallelism", fmt::format(": ep{} exceeds the {} experts of {}",
                                                    split.expert, experts, model.name));
  }
  return split;
}

StageOps stage_ops(const Disaggregated& d, const Setting& setting, size_t kind) {
  const Shares s = shares_of(d, setting);
  const LayerShape& shape = (*setting.shapes)[kind];
  const Machine attention(*d.attention.chip, setting.engine_of_pools(), setting.residual);
  const Machine ffn(*d.ffn.chip, setting.engine_of_pools(), setting.residual);
  return {
      attention_ops(*setting.model, shape, attention_pool_work(d, setting, shape, s), attention),
      ffn_ops(*setting.model, shape, ffn_pool_work(d, setting, s), ffn)};
}

double fan_out(const FfnSplit& split, const Pool& ffn) {
  const double replicas = real(ffn.size()) / real(split.tensor * split.expert);
  return std::max(1.0, real(ffn.instances) / replicas);
}

AttentionPart attention_part(const Disaggregated& d, const Setting& setting) {
  const Shares s = shares_of(d, setting);
  const ModelSpec& model = *setting.model;
  const Machine machine(*d.attention.chip, setting.engine_of_pools(), setting.residual);
  AttentionPart part;
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind) {
    const LayerShape& shape = (*setting.shapes)[kind];
    part.stage[kind] =
        attention_time(model, shape, attention_pool_work(d, setting, shape, s), machine);
  }
  const EngineTime& time = machine.engine->time;
  part.head = head_time(model, s.requests_per_gpu * query_tokens(setting), d.attention.accelerators,
                        machine) +
              time.step + s.requests * time.request + setting.speculation.drafts * time.draft;
  return part;
}

FfnPart ffn_part(const Disaggregated& d, const Setting& setting, const Placement* placement) {
  FfnWork work = ffn_pool_work(d, setting, shares_of(d, setting));
  work.placement = placement;
  const Machine machine(*d.ffn.chip, setting.engine_of_pools(), setting.residual);
  FfnPart part;
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind)
    part.stage[kind] = ffn_time(*setting.model, (*setting.shapes)[kind], work, machine);
  return part;
}

HeldPart held_part(const Disaggregated& d, const Setting& setting) {
  const FfnSplit split = shares_of(d, setting).split;
  const WeightWays ways = attention_weight_ways(d);
  return {.attention_weights = attention_weights(setting, ways),
          .ffn_weights = ffn_weights(setting, split.tensor, split.expert),
          .request = cache_per_request(setting, ways.tensor),
          .attention_token = attention_token(setting, ways),
          .ffn_token = ffn_token(setting, split)};
}

Evaluation evaluate(const Disaggregated& d, const Setting& setting) {
  return assemble(d, setting, attention_part(d, setting), ffn_part(d, setting),
                  held_part(d, setting));
}

Evaluation assemble(const Disaggregated& d, const Setting& setting, const AttentionPart& attention,
                    const FfnPart& ffn, const HeldPart& held) {
  const Shares s = shares_of(d, setting);
  const ModelSpec& model = *setting.model;
  const double per_step = tokens_per_step(setting.speculation);
  Evaluation result{.gpus = d.attention.size() + d.ffn.size(), .batch = real(d.batch)};
  const Seconds back = network_time(d, s, combine_bytes(model), setting);
  for (const LayerShape& shape : *setting.shapes) {
    const size_t kind = result.kinds;
    const Seconds out = network_time(d, s, dispatch_bytes(model, shape), setting);
    if (shape.layers > (*setting.shapes)[result.main_kind].layers) result.main_kind = kind;
    StageTimes stages{attention.stage[kind], out, ffn.stage[kind], back};
    if (setting.engine_of_pools().time.transfers.in_line)
      stages = {attention.stage[kind] + out + back, Seconds(0), ffn.stage[kind], Seconds(0)};
    result.runs[result.kinds++] = {stages, shape.layers};
  }
  // Drafts run one more layer of the main kind each, with its own round through the pools.
  if (setting.speculation.drafts > 0)
    result.runs[result.main_kind].layers += setting.speculation.drafts;
  result.head = attention.head;
  result.step =
      step_time({std::span(result.runs.data(), result.kinds), result.head, d.micro_batches});
  result.tpot = result.step / per_step;
  const Tokens yielded = Tokens(real(d.batch) * per_step);
  result.tokens_per_gpu = yielded / result.step / real(result.gpus);
  result.cost = (price_of(d.attention) + price_of(d.ffn)) * result.step / yielded;
  result.bound = pipeline_bound(result.runs[result.main_kind].stages, d.micro_batches);
  const PoolMemory attention_side = attention_memory(d, setting, s, held),
                   ffn_side = ffn_memory(d, setting, s, held);
  result.attention_memory = attention_side.use();
  result.ffn_memory = ffn_side.use();
  result.largest_batch = std::min(attention_side.largest_batch(d.micro_batches),
                                  ffn_side.largest_batch(d.micro_batches));
  if (result.ffn_memory.total() > result.ffn_memory.capacity) {
    result.verdict = Verdict::ffn_memory;
  } else if (result.attention_memory.total() > result.attention_memory.capacity) {
    result.verdict = Verdict::attention_memory;
  } else if (result.tpot > setting.tpot_limit) {
    result.verdict = Verdict::slow;
  }
  return result;
}

}  // namespace afford
