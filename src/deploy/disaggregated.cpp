#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "deploy/core_boundary.hpp"
#include "deploy/direct.hpp"
#include "deploy/evaluate.hpp"
#include "deploy/pool_pair.hpp"
#include "deploy/pool_plans.hpp"
#include "error.hpp"
#include "kernels/collective.hpp"

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
          .redundant = setting.redundant_experts,
          .routing = &setting.routing_of_pools(),
          .overlap = setting.overlap,
          .shared = shared_here ? SharedExperts::fused : SharedExperts::apart,
          .router = routed(shape) && d.places.router == AfdPool::ffn};
}

/// What of the MLPs stands on the attention pool.
std::vector<MlpsWork> mlps_at_attention(const Disaggregated& d, double tokens) {
  std::vector<MlpsWork> works;
  for (const MlpRole role : {MlpRole::shared, MlpRole::dense}) {
    if (d.has_at_attention(role))
      works.push_back({.tokens = tokens, .tensor = d.attention_ways(), .role = role});
  }
  return works;
}

/// The accelerators of an instance, under tensor parallelism, add up what they find.
GroupShape all_reduce_of_mlps(const Disaggregated& d, const Setting& setting) {
  return {.name = "all-reduce",
          .vector = {.values = real(setting.model->hidden), .bytes = bytes_of(between_kernels)},
          .group = group_of(d.attention.accelerators, *d.attention.chip)};
}

/// Shared experts and dense layers that stand on the attention pool: of the tokens of one
/// accelerator or, under tensor parallelism, sharded for those of an instance.
OpList mlp_ops_at_attention(const Disaggregated& d, const Setting& setting, const LayerShape& shape,
                            double tokens, const Machine& machine) {
  OpMaker ops({.tokens = tokens}, machine);
  for (const MlpsWork& work : mlps_at_attention(d, tokens)) {
    for (const Op& op : mlp_ops(*setting.model, shape, work, machine)) ops.add(op);
  }
  if (ops.ops().begin() != ops.ops().end() && d.attention_ways() > 1)
    ops.add(all_reduce_of_mlps(d, setting));
  return ops.ops();
}

DirectAttention direct_work(const Setting& setting, double requests) {
  return {requests, query_tokens(setting), setting.context};
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
    return {direct_attention_ops(*setting.model, shape, direct_work(setting, s.requests), *direct,
                                 attention),
            direct_ffn_ops(*setting.model, shape, s.tokens_per_replica, *direct, ffn).slowest};
  StageOps ops{
      attention_ops(*setting.model, shape, attention_pool_work(d, setting, shape, s), attention),
      {}};
  const double tokens = s.requests * query_tokens(setting);
  for (const Op& op : mlp_ops_at_attention(d, setting, shape, tokens, attention))
    ops.attention.add(op);
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

AttentionPoolPlan::AttentionPoolPlan(const Disaggregated& d, const Setting& setting)
    : deployment_(d),
      setting_(setting),
      machine_(*d.attention.chip, setting.engine_of_pools(), setting.residual),
      attention_(*setting.model),
      kinds_(setting.shapes->size()),
      head_(*setting.model, d.attention.accelerators) {
  const Shares s = shares_of(d, setting);
  for (size_t kind = 0; kind < kinds_.size(); ++kind) {
    const LayerShape& shape = (*setting.shapes)[kind];
    kinds_[kind].direct = direct_layout(d, setting, shape);
    attention_.add(shape, attention_pool_work(d, setting, shape, s));
    for (const MlpsWork& work : mlps_at_attention(d, 0))
      kinds_[kind].mlps.emplace_back(*setting.model, shape, work);
  }
}

Seconds AttentionPoolPlan::mlps_time(Kind& kind, const StageLoad& load) {
  TimeMaker times(load, machine_);
  for (MlpsPlan& plan : kind.mlps) plan.add_to(times);
  if (!times.empty() && deployment_.attention_ways() > 1)
    times.add(all_reduce_of_mlps(deployment_, setting_));
  return times.time();
}

KindTimes AttentionPoolPlan::stages(double requests) {
  const StageLoad load{.requests = requests, .tokens = requests * query_tokens(setting_)};
  KindTimes stages(kinds_.size());
  attention_.times(requests, machine_, stages);
  for (size_t kind = 0; kind < kinds_.size(); ++kind) {
    Kind& own = kinds_[kind];
    if (own.direct) {
      stages[kind] = direct_attention_ops(*setting_.model, (*setting_.shapes)[kind],
                                          direct_work(setting_, requests), *own.direct, machine_)
                         .time();
    } else if (!own.mlps.empty()) {
      stages[kind] += mlps_time(own, load);
    }
  }
  return stages;
}

AttentionPart AttentionPoolPlan::at(const Shares& s) {
  AttentionPart part{.stage = stages(s.requests), .head = {}};
  if (s.full < 1 && s.requests > 1) {  // mean over the micro-batches
    const KindTimes small = stages(s.requests - 1);
    for (size_t kind = 0; kind < small.size(); ++kind)
      part.stage[kind] = s.full * part.stage[kind] + (1 - s.full) * small[kind];
  }
  const EngineTime& time = machine_.engine->time;
  const Seconds head = deployment_.boundary == Boundary::core
                           ? Seconds(0)
                           : head_.time(s.requests_per_gpu * query_tokens(setting_), machine_);
  part.head =
      head + time.step + s.requests * time.request + setting_.speculation.drafts * time.draft;
  return part;
}

AttentionPart attention_part(const Disaggregated& d, const Setting& setting) {
  return AttentionPoolPlan(d, setting).at(shares_of(d, setting));
}

FfnPoolPlan::FfnPoolPlan(const Disaggregated& d, const Setting& setting, const Placement* placement)
    : setting_(setting),
      machine_(*d.ffn.chip, setting.engine_of_pools(), setting.residual),
      kinds_(setting.shapes->size()) {
  const Shares s = shares_of(d, setting);
  for (size_t kind = 0; kind < kinds_.size(); ++kind) {
    const LayerShape& shape = (*setting.shapes)[kind];
    if (!visits_ffn(d.places, shape)) continue;
    kinds_[kind].direct = direct_layout(d, setting, shape);
    FfnWork work = ffn_pool_work(d, setting, shape, s);
    work.placement = placement;
    kinds_[kind].experts.emplace(*setting.model, shape, work);
  }
}

FfnPart FfnPoolPlan::at(const Shares& s) {
  const double tokens = s.tokens_per_replica;
  FfnPart part{.stage = KindTimes(kinds_.size()), .head = {}};
  for (size_t kind = 0; kind < kinds_.size(); ++kind) {
    Kind& own = kinds_[kind];
    if (own.direct) {
      part.stage[kind] =
          direct_ffn_ops(*setting_.model, (*setting_.shapes)[kind], tokens, *own.direct, machine_)
              .slowest.time();
    } else if (own.experts) {
      part.stage[kind] = own.experts->time(tokens, machine_);
    }
  }
  return part;
}

FfnPart ffn_part(const Disaggregated& d, const Setting& setting, const Placement* placement) {
  if (d.boundary == Boundary::core) return around_core_part(d, setting, placement);
  return FfnPoolPlan(d, setting, placement).at(shares_of(d, setting));
}

Evaluation evaluate(const Disaggregated& d, const Setting& setting) {
  return PoolPair(d, setting, held_part(d, setting)).at(d.batch);
}

}  // namespace afford
