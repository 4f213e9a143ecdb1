#include <fmt/format.h>

#include <cmath>

#include "deploy/core_boundary.hpp"
#include "deploy/evaluate.hpp"
#include "error.hpp"
#include "kernels/dense.hpp"
#include "layer/head.hpp"

namespace afford {
namespace {

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

/// Tokens that one instance of each pool sends or receives each way: every attention instance
/// exchanges its tokens with every FFN instance of a replica or, cut at the core, each with one.
struct Flow {
  double at_attention = 0, at_ffn = 0;
};
Flow flow_of(const Disaggregated& d, const Shares& s) {
  const double from_each = s.tokens / real(d.attention.instances);
  if (d.boundary == Boundary::core) return {from_each, s.tokens / real(d.ffn.instances)};
  return {from_each * s.instances_in_replica, s.tokens_per_replica * s.replicas_in_instance};
}

/// One way of the fan.
Seconds network_time(const Disaggregated& d, const Shares& s, Bytes each_token,
                     const Setting& setting) {
  const Engine& e = setting.engine_of_pools();
  const bool over_fabric = in_one_domain(d);
  const Flow flow = flow_of(d, s);
  const Seconds at_attention =
      flow.at_attention * each_token / instance_rate(d.attention, e, over_fabric);
  const Seconds at_ffn = flow.at_ffn * each_token / instance_rate(d.ffn, e, over_fabric);
  return std::max(at_attention, at_ffn) + e.network;
}

/// From attention and back, of one layer kind.
struct Travel {
  Seconds out, back;
};
Travel travel_of(const Disaggregated& d, const Shares& s, const LayerShape& shape,
                 const Setting& setting) {
  const bool core = d.boundary == Boundary::core;
  const Bytes out = core ? from_core_bytes(shape.attention) : dispatch_bytes(*setting.model, shape);
  const Bytes back = core ? to_core_bytes(shape.attention) : combine_bytes(*setting.model);
  return {network_time(d, s, out, setting), network_time(d, s, back, setting)};
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
          .experts = shape.ffn.router_outputs,
          .scope = d.boundary == Boundary::core ? AttentionScope::core : AttentionScope::whole};
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

std::string_view pipeline_bound(const StageTimes& t, int micro_batches) {
  const Seconds longest = t.longest();
  if (t.sum() > micro_batches * longest) return "latency";
  if (longest == t.attention) return "attention";
  if (longest == t.ffn) return "ffn";
  return longest == t.a2f ? "a2f" : "f2a";
}

UsdRate price_of(const Pool& pool) { return real(pool.size()) * pool.chip->price.value; }

}  // namespace

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

std::string label_of(std::int64_t attention_instances, std::int64_t ffn_instances,
                     Boundary boundary) {
  return fmt::format("{}A{}F{}", attention_instances, ffn_instances,
                     boundary == Boundary::core ? ",core" : "");
}

FfnSplit resolved(const FfnSplit& wanted, const Pool& pool, const ModelSpec& model) {
  FfnSplit split = wanted;
  if (split.tensor == 0)
    split.tensor = split.expert > 0 ? std::max<std::int64_t>(1, pool.size() / split.expert)
                                    : pool.accelerators;
  if (split.expert == 0) split.expert = std::max<std::int64_t>(1, pool.size() / split.tensor);
  const std::int64_t experts = most_experts(model);
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
      d.boundary == Boundary::core
          ? around_core_ops(d, setting, kind)
          : ffn_ops(*setting.model, shape, ffn_pool_work(d, setting, s), ffn)};
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
  const Seconds head = d.boundary == Boundary::core
                           ? Seconds(0)
                           : head_time(model, s.requests_per_gpu * query_tokens(setting),
                                       d.attention.accelerators, machine);
  part.head =
      head + time.step + s.requests * time.request + setting.speculation.drafts * time.draft;
  return part;
}

FfnPart ffn_part(const Disaggregated& d, const Setting& setting, const Placement* placement) {
  FfnPart part;
  if (d.boundary == Boundary::core) {
    for (size_t kind = 0; kind < setting.shapes->size(); ++kind)
      part.stage[kind] = around_core_time(d, setting, kind, placement);
    part.head = around_core_head(d, setting);
    return part;
  }
  FfnWork work = ffn_pool_work(d, setting, shares_of(d, setting));
  work.placement = placement;
  const Machine machine(*d.ffn.chip, setting.engine_of_pools(), setting.residual);
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind)
    part.stage[kind] = ffn_time(*setting.model, (*setting.shapes)[kind], work, machine);
  return part;
}

Evaluation evaluate(const Disaggregated& d, const Setting& setting) {
  return assemble(d, setting, attention_part(d, setting), ffn_part(d, setting),
                  held_part(d, setting));
}

Evaluation assemble(const Disaggregated& d, const Setting& setting, const AttentionPart& attention,
                    const FfnPart& ffn, const HeldPart& held) {
  const Shares s = shares_of(d, setting);
  const double per_step = tokens_per_step(setting.speculation);
  Evaluation result{.gpus = d.attention.size() + d.ffn.size(), .batch = real(d.batch)};
  for (const LayerShape& shape : *setting.shapes) {
    const size_t kind = result.kinds;
    const Travel travel = travel_of(d, s, shape, setting);
    if (shape.layers > (*setting.shapes)[result.main_kind].layers) result.main_kind = kind;
    StageTimes stages{attention.stage[kind], travel.out, ffn.stage[kind], travel.back};
    if (setting.engine_of_pools().time.transfers.in_line) {
      stages = {attention.stage[kind] + travel.out + travel.back, Seconds(0), ffn.stage[kind],
                Seconds(0)};
    }
    result.runs[result.kinds++] = {stages, shape.layers};
  }
  // Drafts run one more layer of the main kind each, with its own round through the pools.
  if (setting.speculation.drafts > 0)
    result.runs[result.main_kind].layers += setting.speculation.drafts;
  result.head = attention.head + ffn.head;
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
