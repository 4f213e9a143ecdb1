#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "deploy/core_boundary.hpp"
#include "deploy/direct.hpp"
#include "deploy/evaluate.hpp"
#include "deploy/pool_pair.hpp"
#include "error.hpp"
#include "kernels/collective.hpp"
#include "kernels/dense.hpp"
#include "layer/head.hpp"

namespace afford {
namespace {

bool routed(const LayerShape& shape) { return shape.ffn.router_outputs > 0; }

/// Of the FFN instances that a token was sent to, and of shared experts that stayed behind.
double partial_results(const Disaggregated& d, const LayerShape& shape, const Shares& s) {
  if (!visits_ffn(d.places, shape)) return 0;
  const bool shared_here = d.has_at_attention(MlpRole::shared) &&
                           std::any_of(shape.ffn.mlps.begin(), shape.ffn.mlps.end(),
                                       [](const Mlp& mlp) { return mlp.role == MlpRole::shared; });
  return s.instances_in_replica + (shared_here ? 1 : 0);
}

AttentionWork attention_pool_work(const Disaggregated& d, const Setting& setting,
                                  const LayerShape& shape, const Shares& s) {
  return {.requests = s.requests,
          .query_tokens = query_tokens(setting),
          .context = setting.context,
          .instance = d.attention.accelerators,
          .split = d.attention_split,
          .overlap = setting.overlap,
          .partial_results = partial_results(d, shape, s),
          .router = routed(shape) && d.places.router == AfdPool::attention,
          .scope = d.boundary == Boundary::core ? AttentionScope::core : AttentionScope::whole};
}

FfnWork ffn_pool_work(const Disaggregated& d, const Setting& setting, const LayerShape& shape,
                      const Shares& s) {
  const bool shared_here = d.places.shared == AfdPool::ffn;
  return {.tokens = s.tokens_per_replica,
          .instance = std::min(d.ffn.accelerators, s.split.tensor * s.split.expert),
          .tensor = s.split.tensor,
          .groups = s.split.expert,
          .total_tokens = s.tokens_per_replica,
          .redundant = setting.redundant_experts,
          .routing = &setting.routing_of_pools(),
          .overlap = setting.overlap,
          .shared = shared_here ? SharedExperts::fused : SharedExperts::apart,
          .router = routed(shape) && d.places.router == AfdPool::ffn};
}

/// Shared experts and dense layers that stand on the attention pool: of the tokens of one
/// accelerator or, under tensor parallelism, sharded for those of an instance, which adds up what
/// its accelerators find.
OpList mlps_at_attention(const Disaggregated& d, const Setting& setting, const LayerShape& shape,
                         const Shares& s, const Machine& machine) {
  OpList ops;
  const double ways = d.attention_ways();
  const double tokens = s.requests * query_tokens(setting);
  for (const MlpRole role : {MlpRole::shared, MlpRole::dense}) {
    if (!d.has_at_attention(role)) continue;
    for (const Op& op :
         mlp_ops(*setting.model, shape, {.tokens = tokens, .tensor = ways, .role = role}, machine))
      ops.add(op);
  }
  if (ops.begin() == ops.end() || ways == 1) return ops;
  ops.add(all_reduce({.name = "all-reduce",
                      .vector = size_of(between_kernels, tokens * real(setting.model->hidden)),
                      .group = group_of(d.attention.accelerators, *machine.chip)},
                     machine));
  return ops;
}

DirectAttention direct_work(const Setting& setting, const Shares& s) {
  return {s.requests, query_tokens(setting), setting.context};
}

}  // namespace

FfnSplit split_of(const Disaggregated& d) {
  return d.ffn_split.tensor > 0 ? d.ffn_split : FfnSplit{d.ffn.accelerators, d.ffn.instances};
}

Shares shares_of(const Disaggregated& d, const Setting& setting) {
  Shares s;
  s.split = split_of(d);
  s.replicas = real(d.ffn.size()) / real(s.split.tensor * s.split.expert);
  s.instances_in_replica = fan_out(s.split, d.ffn);
  s.replicas_in_instance = std::max(1.0, s.replicas / real(d.ffn.instances));
  return with_requests(s, d, real(d.batch) / d.micro_batches, setting);
}

Shares with_requests(Shares s, const Disaggregated& d, double requests, const Setting& setting) {
  const bool tensor = d.attention_split == AttentionSplit::tensor;
  const double in_flight = d.micro_batches;
  const double held = std::ceil(std::round(requests * in_flight) / real(d.attention_units()));
  s.requests = std::ceil(held / in_flight);
  s.full = held / in_flight - (s.requests - 1);
  s.requests_per_gpu = s.requests / (tensor ? real(d.attention.accelerators) : 1);
  s.tokens = requests * query_tokens(setting);
  s.tokens_per_replica = s.tokens / s.replicas;
  return s;
}

std::string label_of(std::int64_t attention_instances, std::int64_t ffn_instances,
                     Boundary boundary, const Places& places) {
  const std::string placed = text_of(places);
  return fmt::format("{}A{}F{}{}{}", attention_instances, ffn_instances,
                     boundary == Boundary::core ? ",core" : "", placed.empty() ? "" : ",", placed);
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
  if (const auto direct = direct_layout(d, setting, shape))
    return {
        direct_attention_ops(*setting.model, shape, direct_work(setting, s), *direct, attention),
        direct_ffn_ops(*setting.model, shape, s.tokens_per_replica, *direct, ffn).slowest};
  StageOps ops{
      attention_ops(*setting.model, shape, attention_pool_work(d, setting, shape, s), attention),
      {}};
  for (const Op& op : mlps_at_attention(d, setting, shape, s, attention)) ops.attention.add(op);
  if (d.boundary == Boundary::core) {
    ops.ffn = around_core_ops(d, setting, kind);
  } else if (visits_ffn(d.places, shape)) {
    ops.ffn = ffn_ops(*setting.model, shape, ffn_pool_work(d, setting, shape, s), ffn);
  }
  return ops;
}

double fan_out(const FfnSplit& split, const Pool& ffn) {
  const double replicas = real(ffn.size()) / real(split.tensor * split.expert);
  return std::max(1.0, real(ffn.instances) / replicas);
}

namespace {

/// The stage of an attention accelerator by layer kind.
KindTimes attention_stages(const Disaggregated& d, const Setting& setting, const Shares& s,
                           const Machine& machine) {
  const ModelSpec& model = *setting.model;
  KindTimes stages(setting.shapes->size());
  AttentionTimes times(model);
  for (size_t kind = 0; kind < stages.size(); ++kind) {
    const LayerShape& shape = (*setting.shapes)[kind];
    if (const auto direct = direct_layout(d, setting, shape)) {
      stages[kind] =
          direct_attention_ops(model, shape, direct_work(setting, s), *direct, machine).time();
      continue;
    }
    stages[kind] = times.of(shape, attention_pool_work(d, setting, shape, s), machine);
    if (d.places != Places())
      stages[kind] += mlps_at_attention(d, setting, shape, s, machine).time();
  }
  return stages;
}

}  // namespace

AttentionPart attention_part(const Disaggregated& d, const Setting& setting) {
  return attention_part(d, setting, shares_of(d, setting));
}

AttentionPart attention_part(const Disaggregated& d, const Setting& setting, const Shares& s) {
  const ModelSpec& model = *setting.model;
  const Machine machine(*d.attention.chip, setting.engine_of_pools(), setting.residual);
  AttentionPart part{.stage = attention_stages(d, setting, s, machine), .head = {}};
  if (s.full < 1 && s.requests > 1) {  // mean over the micro-batches
    Shares smaller = s;
    smaller.requests -= 1;
    const KindTimes small = attention_stages(d, setting, smaller, machine);
    for (size_t kind = 0; kind < small.size(); ++kind)
      part.stage[kind] = s.full * part.stage[kind] + (1 - s.full) * small[kind];
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
  return ffn_part(d, setting, shares_of(d, setting), placement);
}

FfnPart ffn_part(const Disaggregated& d, const Setting& setting, const Shares& s,
                 const Placement* placement) {
  FfnPart part{.stage = KindTimes(setting.shapes->size()), .head = {}};
  if (d.boundary == Boundary::core) {
    for (size_t kind = 0; kind < setting.shapes->size(); ++kind)
      part.stage[kind] = around_core_time(d, setting, kind, placement);
    part.head = around_core_head(d, setting);
    return part;
  }
  const Machine machine(*d.ffn.chip, setting.engine_of_pools(), setting.residual);
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind) {
    const LayerShape& shape = (*setting.shapes)[kind];
    if (!visits_ffn(d.places, shape)) continue;
    FfnWork work = ffn_pool_work(d, setting, shape, s);
    work.placement = placement;
    const auto direct = direct_layout(d, setting, shape);
    part.stage[kind] =
        direct ? direct_ffn_ops(*setting.model, shape, work.total_tokens, *direct, machine)
                     .slowest.time()
               : ffn_time(*setting.model, shape, work, machine);
  }
  return part;
}

Evaluation evaluate(const Disaggregated& d, const Setting& setting) {
  return PoolPair(d, setting, held_part(d, setting)).at(d.batch);
}

}  // namespace afford
