// Engines that run everything on every accelerator: attention and experts each tensor-, data- or
// expert-parallel, with one micro-batch or several that overlap (as DeepSeek and SGLang run wide
// EP).
#include "deploy/colocated.hpp"

#include <algorithm>
#include <cmath>

namespace afford {
namespace {

/// What `by` accelerators or engines get of it, the busiest.
std::int64_t busiest(std::int64_t requests, std::int64_t by) { return (requests + by - 1) / by; }

/// The times of a layer by micro-batch: the first `larger` have one request more.
struct LayerOfBatches {
  LayerTimes large, small;
  size_t larger = 0;
  [[nodiscard]] const LayerTimes& of(size_t m) const { return m < larger ? large : small; }
};

/// The schedule of one accelerator: computing is one queue (attention and shared experts of each
/// micro-batch, then the experts of each), the network another; neither is interrupted.
class Schedule {
 public:
  explicit Schedule(std::int64_t micro_batches)
      : count_(static_cast<size_t>(micro_batches)), times_(3 * count_) {}

  /// `count` layers alike. Once a layer has moved everything by one and the same time, so will the
  /// others: nothing but differences decides what waits for what.
  void layers(const LayerOfBatches& each, std::int64_t count) {
    for (std::int64_t i = 1; i <= count; ++i) {
      const Seconds compute = compute_, network = network_;
      layer(each);
      const Seconds moved = compute_ - compute;
      if (is_near(network_ - network, moved) && all_moved(moved)) return skip(count - i, moved);
    }
  }
  void head(size_t micro_batch, Seconds time) {
    Seconds& ready = times_[micro_batch];
    ready = compute_ = std::max(compute_, ready) + time;
  }
  [[nodiscard]] Seconds end() const { return times_[count_ - 1]; }

 private:
  void layer(const LayerOfBatches& layer) {
    Seconds *ready = times_.data(), *arrived = ready + count_, *before = arrived + count_;
    Seconds compute = compute_, network = network_;
    const auto send = [&network](Seconds from, Seconds time) {
      return network = std::max(network, from) + time;
    };
    for (size_t m = 0; m < count_; ++m) {
      const LayerTimes& t = layer.of(m);
      const Seconds attended = std::max(compute, ready[m]) + t.attention;
      compute = attended + t.shared;
      arrived[m] = t.exchanges ? send(attended, t.dispatch) : attended;
    }
    for (size_t m = 0; m < count_; ++m) {
      const LayerTimes& t = layer.of(m);
      before[m] = ready[m];
      compute = std::max(compute, arrived[m]) + t.experts;
      ready[m] = t.exchanges ? send(compute, t.combine) : compute;
    }
    compute_ = compute;
    network_ = network;
  }

  [[nodiscard]] bool is_near(Seconds a, Seconds b) const {
    constexpr double rounding = 1e-13;
    return std::abs((a - b).base()) <= rounding * compute_.base();
  }
  [[nodiscard]] bool all_moved(Seconds by) const {
    const Seconds *ready = times_.data(), *before = ready + 2 * count_;
    for (size_t m = 0; m < count_; ++m) {
      if (!is_near(ready[m] - before[m], by)) return false;
    }
    return true;
  }
  void skip(std::int64_t count, Seconds each) {
    const Seconds all = real(count) * each;
    for (size_t m = 0; m < count_; ++m) times_[m] += all;
    compute_ += all;
    network_ += all;
  }

  size_t count_;
  // When each micro-batch is ready, when its tokens have arrived, and the former ahead of the last
  // layer. As few as kinds of layers.
  PerKind<Seconds> times_;
  Seconds compute_, network_;
};

/// An accelerator's share of the tokens of a micro-batch, which go through the ends of the model.
double head_tokens(const Colocated& c, const Setting& setting, const MicroBatch& batch) {
  return batch.requests * (setting.speculation.drafts + 1) / real(c.layout.attention_tp);
}

using Layers = PerKind<LayerOfBatches>;

Layers layers_of(ColocatedLayers& of, const MicroBatches& batches, size_t kinds) {
  PerKind<LayerTimes> times(kinds);
  of.times(batches.large, times);
  Layers layers(kinds);
  for (size_t kind = 0; kind < kinds; ++kind)
    layers[kind] = {times[kind], times[kind], static_cast<size_t>(batches.larger)};
  if (batches.larger == 0) return layers;
  of.times(batches.small, times);
  for (size_t kind = 0; kind < kinds; ++kind) layers[kind].small = times[kind];
  return layers;
}

/// The second of two steps, so that the start is forgotten.
Seconds step_of(const Evaluation& e, const Layers& layers, const MicroBatches& batches,
                Seconds small_head) {
  Schedule schedule(batches.count);
  Seconds first;
  for (int step = 0; step < 2; ++step) {
    first = schedule.end();
    for (size_t k = 0; k < e.runs.size(); ++k) schedule.layers(layers[k], e.runs[k].layers);
    for (std::int64_t m = 0; m < batches.count; ++m)
      schedule.head(static_cast<size_t>(m), m < batches.larger ? e.head : small_head);
  }
  return schedule.end() - first;
}

/// Micro-batches go round the pipeline stages, each as large as the largest: the step is a lap of
/// one, or what the busiest stage needs for all. The last one has the head besides its layers.
Seconds pipelined_step(const Colocated& c, const Setting& setting, const Evaluation& e,
                       const Layers& layers) {
  const MicroBatches batches = micro_batches_of(c);
  const Seconds through = step_of(e, layers, {.count = 1, .large = {}, .small = {}}, e.head);
  const double fullest = fullest_stage(c, *setting.model),
               last = 1 - real(c.layout.pp - 1) * fullest;
  const Seconds work = through - e.head;
  const Seconds stage = std::max(fullest * work, std::max(0.0, last) * work + e.head);
  const Seconds lap = through + real(c.layout.pp) * hop_time(c, setting, batches.large);
  return std::max(lap, real(batches.count) * stage);
}

/// Host time from one step to the next.
Seconds between_steps(const Engine& engine, std::int64_t requests, int drafts) {
  const EngineTime& time = engine.time;
  return engine.between_steps + time.step + real(requests) * time.request + drafts * time.draft;
}

std::string_view colocated_bound(const StageTimes& main) {
  if (main.a2f + main.f2a > main.attention + main.ffn) return "network";
  return main.attention > main.ffn ? "attention" : "ffn";
}

void judge_memory(Evaluation& e, const ColocatedMemory& memory, Seconds tpot_limit) {
  e.attention_memory = memory.use;
  e.largest_batch = memory.largest_batch;
  if (memory.use.total() > memory.use.capacity) {
    e.verdict = Verdict::attention_memory;
  } else if (e.tpot > tpot_limit) {
    e.verdict = Verdict::slow;
  }
}

/// Requests of an engine's first micro-batch. Its replicas have `requests` each, or one less.
double first_of_engine(const Colocated& c, std::int64_t requests, std::int64_t engine_requests) {
  const std::int64_t replicas = c.layout.replicas();
  const std::int64_t fuller = engine_requests - replicas * (requests - 1);
  const auto first = [&](std::int64_t size) { return real(busiest(size, c.micro_batches)); };
  return real(fuller) * first(requests) + real(replicas - fuller) * first(requests - 1);
}

/// What the layers of one micro-batch add to a step.
void add_layers(StepParts& parts, ColocatedLayers& of, const Setting& setting,
                const MicroBatch& batch) {
  const size_t main = main_kind(*setting.shapes);
  PerKind<LayerTimes> times(setting.shapes->size());
  of.times(batch, times);
  for (size_t kind = 0; kind < times.size(); ++kind) {
    const LayerTimes& t = times[kind];
    const double layers =
        real((*setting.shapes)[kind].layers) + (kind == main ? setting.speculation.drafts : 0);
    parts.attention += layers * t.attention;
    parts.ffn += layers * (t.shared + t.experts);
    parts.network += layers * (t.dispatch + t.combine);
  }
}

}  // namespace

StepParts step_parts(const Colocated& c, const Setting& setting) {
  const MicroBatches batches = micro_batches_of(c);
  ColocatedLayers layers(c, setting);
  HeadPlan head(*setting.model, vocabulary_ways(c));
  StepParts parts;
  const auto add = [&](const MicroBatch& batch) {
    add_layers(parts, layers, setting, batch);
    parts.head += head.time(head_tokens(c, setting, batch), layers.machine());
  };
  parts.host = between_steps(setting.engine, batches.requests, setting.speculation.drafts);
  if (c.layout.pp > 1) {
    add(batches.large);
    parts.hops = real(c.layout.pp) * hop_time(c, setting, batches.large);
    return parts;
  }
  for (std::int64_t m = 0; m < batches.count; ++m)
    add(m < batches.larger ? batches.large : batches.small);
  return parts;
}

MicroBatches micro_batches_of(const Colocated& c) {
  const std::int64_t requests = busiest(c.batch, c.replicas());
  const std::int64_t count = std::clamp<std::int64_t>(requests, 1, c.micro_batches);
  const std::int64_t each = requests / count, larger = requests % count;
  const std::int64_t engine_requests = busiest(c.batch, c.engines());
  const auto of = [&](std::int64_t size) {
    return MicroBatch{real(size), real(engine_requests) * real(size) / real(requests)};
  };
  MicroBatches out{.requests = requests,
                   .count = count,
                   .larger = larger,
                   .large = of(larger > 0 ? each + 1 : each),
                   .small = of(each)};
  // Taken by itself, as a lap of a pipeline is, the first has a request of every replica that has
  // one.
  if (c.layout.pp > 1) out.large.engine_requests = first_of_engine(c, requests, engine_requests);
  return out;
}

std::int64_t vocabulary_ways(const Colocated& c) {
  if (c.layout.replicas() == 1) return c.layout.attention_tp;
  const std::int64_t server = std::min(c.layout.size(), c.pool.chip->server_accelerators.value);
  return std::max(c.layout.attention_tp, server);
}

int default_micro_batches(const Colocated& c, const ModelSpec& model) {
  if (c.layout.pp > 1) return static_cast<int>(c.layout.pp);
  const bool over_network = c.layout.size() > c.pool.chip->scale_up_accelerators.value;
  return has_experts(model) && over_network && ffn_traffic(c.layout, true) == FfnTraffic::exchange
             ? 2
             : 1;
}

ColocatedPool::ColocatedPool(const Colocated& deployment, const Setting& setting)
    : deployment_(deployment),
      setting_(setting),
      layers_(deployment, setting),
      head_(*setting.model, vocabulary_ways(deployment)),
      held_(colocated_held(deployment, setting)),
      main_kind_(main_kind(*setting.shapes)),
      tokens_per_step_(tokens_per_step(setting.speculation)) {}

Evaluation ColocatedPool::at(std::int64_t batch) {
  Colocated& c = deployment_;
  c.batch = batch;
  const Setting& setting = setting_;
  const MicroBatches batches = micro_batches_of(c);
  Evaluation result;
  result.gpus = c.pool.size();
  result.batch = real(c.batch);
  result.main_kind = main_kind_;
  const size_t kinds = setting.shapes->size();
  const Layers layers = layers_of(layers_, batches, kinds);
  result.runs = PerKind<LayerRun>(kinds);
  for (size_t kind = 0; kind < kinds; ++kind) {
    const LayerTimes& t = layers[kind].large;
    result.runs[kind] = {{t.attention, t.dispatch, t.shared + t.experts, t.combine},
                         (*setting.shapes)[kind].layers};
  }
  if (setting.speculation.drafts > 0)
    result.runs[result.main_kind].layers += setting.speculation.drafts;
  const auto head = [&](const MicroBatch& micro_batch) {
    return head_.time(head_tokens(c, setting, micro_batch), layers_.machine());
  };
  result.head = head(batches.large);
  const Seconds small_head = batches.larger > 0 ? head(batches.small) : result.head;
  result.between = between_steps(setting.engine, batches.requests, setting.speculation.drafts);
  result.step = result.between + (c.layout.pp > 1 ? pipelined_step(c, setting, result, layers)
                                                  : step_of(result, layers, batches, small_head));
  result.tpot = result.step / tokens_per_step_;
  const Tokens yielded = Tokens(result.batch * tokens_per_step_);
  result.tokens_per_gpu = yielded / result.step / real(result.gpus);
  result.cost = price_of(c.pool) * result.step / yielded;
  result.bound = colocated_bound(result.runs[result.main_kind].stages);
  judge_memory(result, colocated_memory(held_, c, batches), setting.tpot_limit);
  return result;
}

Evaluation evaluate(const Colocated& c, const Setting& setting) {
  return ColocatedPool(c, setting).at(c.batch);
}

}  // namespace afford
