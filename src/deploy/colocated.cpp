// Baselines: wide expert parallelism with overlapping micro-batches (as DeepSeek and SGLang run it)
// and plain tensor parallelism.
#include <cmath>

#include "deploy/evaluate.hpp"
#include "deploy/memory.hpp"
#include "layer/head.hpp"

namespace afford {
namespace {

double query_tokens(const Setting& setting) { return setting.speculation.drafts + 1; }

/// Everything one accelerator does for one micro-batch in one layer.
struct LayerTimes {
  Seconds attention, shared, dispatch, experts, combine;
  bool exchanges = false;  // dense layers of EP need no network
};

double requests_per_micro_batch(const Colocated& c) {
  return real(c.batch_per_gpu) / c.micro_batches;
}

AttentionWork attention_work(const Colocated& c, const Setting& setting, const LayerShape& shape) {
  const bool tensor = c.tensor > 1;
  return {.requests = requests_per_micro_batch(c) * real(c.tensor),
          .query_tokens = query_tokens(setting),
          .context = setting.context,
          .instance = c.tensor,
          .split = tensor ? AttentionSplit::tensor : AttentionSplit::replicated,
          .overlap = Overlap::none,
          .partial_results = 0,
          .router = shape.ffn.router_outputs > 0,
          .experts = shape.ffn.router_outputs};
}

FfnWork ffn_work(const Colocated& c, const Setting& setting, const LayerShape& shape) {
  const double own = requests_per_micro_batch(c) * query_tokens(setting);
  const bool routed = shape.ffn.router_outputs > 0;
  const bool expert_parallel = c.tensor == 1 && routed;
  const std::int64_t groups = expert_parallel ? c.pool.size() : 1;
  const double tokens = expert_parallel ? own * real(c.pool.size()) : own * real(c.tensor);
  return {.tokens = tokens,
          .instance = 1,
          .tensor = c.tensor,
          .groups = groups,
          .total_tokens = tokens,
          .redundant = expert_parallel ? setting.redundant_experts : 0,
          .routing = &setting.routing,
          .overlap = setting.overlap,
          .collectives = false,
          .shared = expert_parallel ? SharedExperts::apart : SharedExperts::fused};
}

/// Dispatch or combine of one accelerator's tokens to their experts: over its NIC as DeepEP's
/// low-latency kernels do, or the scale-up fabric when it reaches every expert.
Seconds exchange(const Colocated& c, const Setting& setting, double tokens, double experts,
                 Bytes each) {
  const Engine& e = setting.engine;
  const HardwareSpec& chip = *c.pool.chip;
  const Bytes bytes = tokens * experts * each;
  if (c.pool.size() <= chip.scale_up_accelerators.value) {
    return bytes / (e.scale_up * chip.scale_up_bandwidth.value) + e.collective;
  }
  const ByteRate nic = server_network(chip) / real(chip.server_accelerators.value);
  return bytes / (e.nic * nic) + e.network;
}

Seconds all_reduce(const Colocated& c, const Setting& setting, double rows) {
  if (c.tensor == 1) return Seconds(0);
  const Engine& e = setting.engine;
  const double others = real(c.tensor - 1) / real(c.tensor);
  const Bytes bytes = 2 * others * size_of(Dtype::bf16, rows * real(setting.model->hidden));
  return bytes / (e.scale_up * c.pool.chip->scale_up_bandwidth.value) + e.collective;
}

LayerTimes layer_times(const Colocated& c, const Setting& setting, size_t kind) {
  const LayerShape& shape = (*setting.shapes)[kind];
  const Machine machine(*c.pool.chip, setting.engine, setting.residual);
  const double rows = requests_per_micro_batch(c) * query_tokens(setting);
  LayerTimes t{.attention = attention_time(*setting.model, shape, attention_work(c, setting, shape),
                                           machine),
               .experts = ffn_time(*setting.model, shape, ffn_work(c, setting, shape), machine)};
  t.exchanges = c.tensor == 1 && shape.ffn.router_outputs > 0 && c.pool.size() > 1;
  if (t.exchanges) {
    t.shared = shared_ops(*setting.model, shape, rows, machine).time();
    t.dispatch = exchange(c, setting, rows, visited_experts(shape.ffn),
                          dispatch_bytes(*setting.model, shape));
    t.combine =
        exchange(c, setting, rows, visited_experts(shape.ffn), combine_bytes(*setting.model));
  } else {
    t.experts += all_reduce(c, setting, rows * real(c.tensor));
  }
  return t;
}

/// The schedule of one accelerator: computing is one queue (attention and shared experts of each
/// micro-batch, then the experts of each), the network another; neither is interrupted.
class Schedule {
 public:
  explicit Schedule(int micro_batches)
      : ready_(static_cast<size_t>(micro_batches)), arrived_(ready_) {}

  void layer(const LayerTimes& t) {
    for (size_t m = 0; m < ready_.size(); ++m) {
      const Seconds attended = std::max(compute_, ready_[m]) + t.attention;
      compute_ = attended + t.shared;
      arrived_[m] = t.exchanges ? send(attended, t.dispatch) : attended;
    }
    for (size_t m = 0; m < ready_.size(); ++m) {
      compute_ = std::max(compute_, arrived_[m]) + t.experts;
      ready_[m] = t.exchanges ? send(compute_, t.combine) : compute_;
    }
  }
  void head(Seconds time) {
    for (Seconds& ready : ready_) ready = compute_ = std::max(compute_, ready) + time;
  }
  [[nodiscard]] Seconds end() const { return ready_.back(); }

 private:
  Seconds send(Seconds from, Seconds time) { return network_ = std::max(network_, from) + time; }

  std::vector<Seconds> ready_, arrived_;
  Seconds compute_, network_;
};

/// Of each request of a micro-batch on an accelerator; under TP its group shares those of all its
/// accelerators.
Bytes buffers_each(const Colocated& c, const Setting& setting) {
  const ModelSpec& model = *setting.model;
  const double hidden = real(model.hidden), tensor = real(c.tensor);
  // Every micro-batch: BF16 residual and result. The logits of one, its vocabulary sharded like its
  // tokens.
  Bytes token =
      c.micro_batches * tensor * Bytes(4 * hidden) + size_of(Dtype::fp32, real(model.vocab));
  double experts = 0, visited = 0;
  for (const LayerShape& shape : *setting.shapes) {
    visited = std::max(visited, visited_experts(shape.ffn));
    experts = std::max(experts, real(shape.ffn.router_outputs));
  }
  if (c.tensor == 1 && visited > 0 && c.pool.size() > 1) {
    // DeepEP's low-latency buffers hold a BF16 slot for every expert and token, to send and to
    // receive, in two sets (LowLatencyLayout in its csrc/config.hpp).
    constexpr double sides = 2, sets = 2;
    token +=
        sides * sets * (experts + real(setting.redundant_experts)) * size_of(Dtype::bf16, hidden);
  }
  double widest = 0;  // rows of the experts of one micro-batch: FP8 in, BF16 out, gate, up and
                      // activation between
  for (const LayerShape& shape : *setting.shapes) {
    double work = 0;
    for (const Mlp& mlp : shape.ffn.mlps) {
      work += real(mlp.active) *
              (3 * tensor * hidden + (mlp.matrices_up() + 1) * 2 * real(mlp.intermediate));
    }
    widest = std::max(widest, work);
  }
  return query_tokens(setting) * (token + Bytes(widest));
}

MemoryUse memory(const Colocated& c, const Setting& setting, std::int64_t& largest_batch) {
  // The vocabulary is sharded over a server, as the LM head runs there.
  const std::int64_t server = std::min(c.pool.size(), c.pool.chip->server_accelerators.value);
  const WeightWays ways{.tensor = c.tensor, .output = 1, .vocabulary = std::max(c.tensor, server)};
  const std::int64_t groups = c.tensor == 1 ? c.pool.size() : 1;
  const Bytes cache = c.micro_batches * real(c.tensor) * cache_per_request(setting, c.tensor);
  const Bytes buffers = buffers_each(c, setting);
  const double requests = requests_per_micro_batch(c);
  const MemoryUse use{
      .weights = attention_weights(setting, ways) + ffn_weights(setting, c.tensor, groups),
      .cache = requests * cache,
      .buffers = requests * buffers,
      .capacity = setting.usable_memory * c.pool.chip->memory_size.value};
  largest_batch =
      most_requests(use.capacity, use.weights, cache + buffers) * c.micro_batches * c.pool.size();
  return use;
}

}  // namespace

StageOps stage_ops(const Colocated& c, const Setting& setting, size_t kind) {
  const LayerShape& shape = (*setting.shapes)[kind];
  const Machine machine(*c.pool.chip, setting.engine, setting.residual);
  return {attention_ops(*setting.model, shape, attention_work(c, setting, shape), machine),
          ffn_ops(*setting.model, shape, ffn_work(c, setting, shape), machine)};
}

Evaluation evaluate(const Colocated& c, const Setting& setting) {
  const double per_step = tokens_per_step(setting.speculation);
  Evaluation result{.gpus = c.pool.size(), .batch = real(c.batch_per_gpu) * real(c.pool.size())};
  std::array<LayerTimes, Evaluation::most_kinds> times{};
  for (const LayerShape& shape : *setting.shapes) {
    const LayerTimes t = times[result.kinds] = layer_times(c, setting, result.kinds);
    if (shape.layers > (*setting.shapes)[result.main_kind].layers) result.main_kind = result.kinds;
    result.runs[result.kinds++] = {{t.attention, t.dispatch, t.shared + t.experts, t.combine},
                                   shape.layers};
  }
  if (setting.speculation.drafts > 0)
    result.runs[result.main_kind].layers += setting.speculation.drafts;
  const std::int64_t server = std::min(c.pool.size(), c.pool.chip->server_accelerators.value);
  const Machine machine(*c.pool.chip, setting.engine, setting.residual);
  const double rows = requests_per_micro_batch(c) * query_tokens(setting);
  result.head = head_ops(*setting.model, rows, c.tensor > 1 ? c.tensor : server, machine).time();
  // The second of two steps, so that the start is forgotten.
  Schedule schedule(c.micro_batches);
  Seconds first;
  for (int step = 0; step < 2; ++step) {
    first = schedule.end();
    for (size_t k = 0; k < result.kinds; ++k) {
      for (std::int64_t i = 0; i < result.runs[k].layers; ++i) schedule.layer(times[k]);
    }
    schedule.head(result.head);
  }
  result.step = schedule.end() - first + setting.between_steps;
  result.tpot = result.step / per_step;
  const Tokens yielded = Tokens(result.batch * per_step);
  result.tokens_per_gpu = yielded / result.step / real(result.gpus);
  result.cost = real(result.gpus) * c.pool.chip->price.value * result.step / yielded;
  const StageTimes& main = result.runs[result.main_kind].stages;
  const bool network = main.a2f + main.f2a > main.attention + main.ffn;
  result.bound = network ? "network" : main.attention > main.ffn ? "attention" : "ffn";
  result.attention_memory = memory(c, setting, result.largest_batch);
  if (result.attention_memory.total() > result.attention_memory.capacity) {
    result.verdict = Verdict::attention_memory;
  } else if (result.tpot > setting.tpot_limit) {
    result.verdict = Verdict::slow;
  }
  return result;
}

}  // namespace afford
