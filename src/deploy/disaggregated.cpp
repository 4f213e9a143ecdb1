#include <fmt/format.h>

#include <cmath>

#include "deploy/evaluate.hpp"
#include "deploy/memory.hpp"
#include "error.hpp"

namespace afford {
namespace {

double real(std::int64_t n) { return static_cast<double>(n); }

double query_tokens(const Setting& setting) { return setting.speculation.drafts + 1; }

/// What one micro-batch looks like from either pool.
struct Shares {
  double requests_per_gpu = 0;      // attention
  double tokens = 0;                // of the micro-batch: requests x query tokens
  double replicas = 1;              // of the whole set of experts
  double instances_in_replica = 1;  // FFN instances a token is sent to
  double tokens_per_replica = 0;
  FfnSplit split;
};

Shares shares_of(const Disaggregated& d, const Setting& setting) {
  Shares s;
  s.split = d.ffn_split.tensor > 0 ? d.ffn_split : FfnSplit{d.ffn.accelerators, d.ffn.instances};
  const double micro_batch = real(d.batch) / d.micro_batches;
  s.requests_per_gpu = micro_batch / real(d.attention.size());
  s.tokens = micro_batch * query_tokens(setting);
  s.replicas = real(d.ffn.size()) / real(s.split.tensor * s.split.expert);
  s.instances_in_replica = fan_out(s.split, d.ffn);
  s.tokens_per_replica = s.tokens / s.replicas;
  return s;
}

/// Bandwidth of all NICs of one instance, which may be a slice of a server.
ByteRate instance_network(const Pool& pool, const Efficiencies& e) {
  const double slice = real(pool.accelerators) / real(pool.chip->server_accelerators.value);
  return e.nic * slice * server_network(*pool.chip);
}

/// One way of the fan: every attention instance exchanges its tokens with every FFN instance of a replica.
Seconds network_time(const Disaggregated& d, const Shares& s, Bytes each_token, const Setting& setting) {
  const double from_attention = s.tokens / real(d.attention.instances) * s.instances_in_replica;
  const Seconds at_attention =
      from_attention * each_token / instance_network(d.attention, setting.efficiency);
  const Seconds at_ffn = s.tokens_per_replica * each_token / instance_network(d.ffn, setting.efficiency);
  return std::max(at_attention, at_ffn) + setting.efficiency.network;
}

AttentionWork attention_work(const Disaggregated& d, const Setting& setting, const LayerShape& shape,
                             const Shares& s) {
  const bool tensor = d.attention_split == AttentionSplit::tensor;
  return {.requests = s.requests_per_gpu * (tensor ? real(d.attention.accelerators) : 1),
          .query_tokens = query_tokens(setting),
          .context = setting.context,
          .instance = d.attention.accelerators,
          .split = d.attention_split,
          .overlap = setting.overlap,
          .partial_results = s.instances_in_replica,
          .router = shape.ffn.router_outputs > 0,
          .experts = shape.ffn.router_outputs};
}

FfnWork ffn_work(const Disaggregated& d, const Setting& setting, const Shares& s) {
  return {.tokens = s.tokens_per_replica,
          .instance = d.ffn.accelerators,
          .tensor = s.split.tensor,
          .groups = s.split.expert,
          .total_tokens = s.tokens_per_replica,
          .redundant = setting.redundant_experts,
          .routing = &setting.routing,
          .overlap = setting.overlap};
}

WeightWays attention_ways(const Disaggregated& d) {
  const std::int64_t n = d.attention.accelerators;
  return {.tensor = d.attention_split == AttentionSplit::tensor ? n : 1,
          .output = d.attention_split == AttentionSplit::shared_output ? n : 1,
          .vocabulary = n};
}

MemoryUse attention_memory(const Disaggregated& d, const Setting& setting, const Shares& s,
                           const HeldPart& held_part, std::int64_t& largest_batch) {
  const ModelSpec& model = *setting.model;
  const bool tensor = d.attention_split == AttentionSplit::tensor;
  const std::int64_t n = d.attention.accelerators;
  MemoryUse use{.weights = held_part.attention_weights};
  const double kv_heads = setting.shapes->front().kv_heads;
  const double cache_ways = tensor ? std::min(real(n), kv_heads) : 1;
  const double held = tensor ? real(n) : 1;  // requests of the whole instance
  const double requests = real(d.batch) / real(d.attention.size()) * held;
  const Bytes each = held_part.request / cache_ways;
  use.cache = requests * each;
  // Hidden states of every micro-batch: BF16 residual, FP8 out and BF16 partial results back.
  const double tokens = s.requests_per_gpu * held * query_tokens(setting);
  const double hidden = real(model.hidden);
  use.buffers = d.micro_batches * tokens * Bytes(hidden * (2 + 1 + 2 * s.instances_in_replica)) +
                size_of(Dtype::fp32, tokens * real(model.vocab));
  use.capacity = setting.usable_memory * d.attention.chip->memory_size.value;
  const double free = (use.capacity - use.weights - use.buffers) / each;
  largest_batch =
      static_cast<std::int64_t>(std::max(0.0, std::floor(free / held * real(d.attention.size()))));
  return use;
}

MemoryUse ffn_memory(const Disaggregated& d, const Setting& setting, const Shares& s, const HeldPart& held) {
  const double tokens = s.tokens_per_replica, hidden = real(setting.model->hidden);
  return {.weights = held.ffn_weights,
          .cache = {},
          // Gathered FP8 inputs and BF16 outputs of every micro-batch in flight.
          .buffers = d.micro_batches * tokens * Bytes(3 * hidden),
          .capacity = setting.usable_memory * d.ffn.chip->memory_size.value};
}

std::string_view bound_of(const StageTimes& t, int micro_batches) {
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
    split.tensor =
        split.expert > 0 ? std::max<std::int64_t>(1, pool.size() / split.expert) : pool.accelerators;
  if (split.expert == 0) split.expert = std::max<std::int64_t>(1, pool.size() / split.tensor);
  std::int64_t experts = 0;
  for (const FfnSpec& ffn : model.ffns) {
    if (const Moe* moe = std::get_if<Moe>(&ffn.shape)) experts = std::max(experts, moe->experts);
  }
  if (split.tensor < 1 || split.expert < 1 || pool.size() % (split.tensor * split.expert) != 0) {
    throw UsageError(
        fmt::format("--ffn-parallelism: tp{}ep{} does not divide the {} accelerators of the FFN pool",
                    split.tensor, split.expert, pool.size()));
  }
  if (pool.accelerators % split.tensor != 0) {
    throw UsageError(fmt::format("--ffn-parallelism: tp{} does not divide an instance of {}", split.tensor,
                                 pool.accelerators));
  }
  if (experts == 0) split.expert = 1;  // a dense model has nothing to split; instances share the tokens
  if (experts > 0 && split.expert > experts) {
    throw UsageError(fmt::format("--ffn-parallelism: ep{} exceeds the {} experts of {}", split.expert,
                                 experts, model.name));
  }
  return split;
}

StageOps stage_ops(const Disaggregated& d, const Setting& setting, size_t kind) {
  const Shares s = shares_of(d, setting);
  const LayerShape& shape = (*setting.shapes)[kind];
  const Machine attention(*d.attention.chip, setting.efficiency), ffn(*d.ffn.chip, setting.efficiency);
  return {attention_ops(*setting.model, shape, attention_work(d, setting, shape, s), attention),
          ffn_ops(*setting.model, shape, ffn_work(d, setting, s), ffn)};
}

double fan_out(const FfnSplit& split, const Pool& ffn) {
  const double replicas = real(ffn.size()) / real(split.tensor * split.expert);
  return std::max(1.0, real(ffn.instances) / replicas);
}

AttentionPart attention_part(const Disaggregated& d, const Setting& setting) {
  const Shares s = shares_of(d, setting);
  const ModelSpec& model = *setting.model;
  const Machine machine(*d.attention.chip, setting.efficiency);
  AttentionPart part;
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind) {
    const LayerShape& shape = (*setting.shapes)[kind];
    part.stage[kind] = attention_time(model, shape, attention_work(d, setting, shape, s), machine);
  }
  part.head = head_time(model, s.requests_per_gpu * query_tokens(setting), d.attention.accelerators, machine);
  return part;
}

FfnPart ffn_part(const Disaggregated& d, const Setting& setting, const Placement* placement) {
  FfnWork work = ffn_work(d, setting, shares_of(d, setting));
  work.placement = placement;
  const Machine machine(*d.ffn.chip, setting.efficiency);
  FfnPart part;
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind)
    part.stage[kind] = ffn_time(*setting.model, (*setting.shapes)[kind], work, machine);
  return part;
}

HeldPart held_part(const Disaggregated& d, const Setting& setting) {
  const FfnSplit split = shares_of(d, setting).split;
  return {.attention_weights = attention_weights(*setting.model, *setting.shapes, attention_ways(d)),
          .ffn_weights = ffn_weights(*setting.model, *setting.shapes, split.tensor, split.expert,
                                     setting.redundant_experts),
          .request = cache_per_request(setting)};
}

Evaluation evaluate(const Disaggregated& d, const Setting& setting) {
  return assemble(d, setting, attention_part(d, setting), ffn_part(d, setting), held_part(d, setting));
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
    result.runs[result.kinds++] = {{attention.stage[kind], out, ffn.stage[kind], back}, shape.layers};
  }
  // Drafts run one more layer of the main kind each, with its own round through the pools.
  if (setting.speculation.drafts > 0) result.runs[result.main_kind].layers += setting.speculation.drafts;
  result.head = attention.head;
  result.step = step_time({std::span(result.runs.data(), result.kinds), result.head, d.micro_batches});
  result.tpot = result.step / per_step;
  const Tokens yielded = Tokens(real(d.batch) * per_step);
  result.tokens_per_gpu = yielded / result.step / real(result.gpus);
  result.cost = (price_of(d.attention) + price_of(d.ffn)) * result.step / yielded;
  result.bound = bound_of(result.runs[result.main_kind].stages, d.micro_batches);
  result.attention_memory = attention_memory(d, setting, s, held, result.largest_batch);
  result.ffn_memory = ffn_memory(d, setting, s, held);
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
