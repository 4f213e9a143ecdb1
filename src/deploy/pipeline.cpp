#include "deploy/pipeline.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "deploy/step_sum.hpp"
#include "text/draws.hpp"

namespace afford {
namespace {

constexpr int stages = 4;

std::array<Seconds, stages> as_array(const StageTimes& t) {
  return {t.attention, t.a2f, t.ffn, t.f2a};
}

/// Service times with log-normal jitter of mean one; a stage of several instances waits for the
/// slowest.
class Service {
 public:
  explicit Service(const Jitter& jitter) : jitter_(jitter), bits_(jitter.seed) {}

  Seconds operator()(Seconds time, int stage) {
    const double sigma = jitter_.sigma;
    if (!(sigma > 0)) return time;
    const std::int64_t instances = stage == 0   ? jitter_.attention_instances
                                   : stage == 2 ? jitter_.ffn_instances
                                                : 1;
    return std::exp(sigma * draw_largest_normal(bits_, instances) - sigma * sigma / 2) * time;
  }

 private:
  const Jitter& jitter_;
  RandomBits bits_;
};

/// The state of the pipeline: when each stage is free and each micro-batch ready for its next
/// service.
struct PipelineState {
  std::array<Seconds, stages> free{};
  std::vector<Seconds> ready;
  std::array<double, stages> worked{};  // seconds of service so far
};

struct Recorder {
  std::vector<PipelineEvent>* events = nullptr;
  void add(const PipelineEvent& event) const {
    if (events != nullptr) events->push_back(event);
  }
};

void serve(PipelineState& state, int stage, int micro_batch, Seconds time, PipelineEvent event,
           const Recorder& recorder) {
  Seconds& free = state.free[static_cast<size_t>(stage)];
  Seconds& ready = state.ready[static_cast<size_t>(micro_batch)];
  event.micro_batch = micro_batch, event.stage = stage;
  event.start = std::max(free, ready);
  event.end = event.start + time;
  free = ready = event.end;
  state.worked[static_cast<size_t>(stage)] += time.base();
  recorder.add(event);
}

MicroBatchLoad of_micro_batch(const PipelineLoad& load, int micro_batch) {
  return load.uneven.empty() ? MicroBatchLoad{load.runs, load.head}
                             : load.uneven[static_cast<size_t>(micro_batch)];
}

/// Every micro-batch through one layer, stage by stage. In FIFO order this is the event-driven
/// schedule: a stage serves micro-batch i of layer l after i-1 of layer l and after M-1 of layer
/// l-1. `head` ends the step before, on the attention pool, just ahead of the micro-batch's first
/// layer.
void run_layer(PipelineState& state, const PipelineLoad& load, size_t run, std::int64_t layer,
               Service& service, const Recorder& recorder) {
  for (int stage = 0; stage < stages; ++stage) {
    for (int m = 0; m < static_cast<int>(state.ready.size()); ++m) {
      const MicroBatchLoad own = of_micro_batch(load, m);
      if (stage == 0 && layer == 0) {
        serve(state, 0, m, service(own.head, 0), {.layer = 0, .head = true}, recorder);
      }
      const Seconds time =
          service(as_array(own.runs[run].stages)[static_cast<size_t>(stage)], stage);
      serve(state, stage, m, time, {.layer = layer}, recorder);
    }
  }
}

void run_step(PipelineState& state, const PipelineLoad& load, Service& service,
              const Recorder& recorder) {
  std::int64_t layer = 0;
  for (size_t run = 0; run < load.runs.size(); ++run) {
    for (std::int64_t i = 0; i < load.runs[run].layers; ++i)
      run_layer(state, load, run, layer++, service, recorder);
  }
}

Seconds quantile(std::vector<Seconds> values, double q) {
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<size_t>(at)];
}

}  // namespace

Seconds StageTimes::longest() const { return std::max({attention, a2f, ffn, f2a}); }

Seconds step_time(const PipelineLoad& load) {
  // The longest cycle of the schedule's event graph. A path either stays with one stage, served
  // micro-batch by micro-batch, or follows one micro-batch round (a lap of length sum, which passes
  // one head a step); it may wait at the attention pool while up to M heads pass.
  const double m = load.micro_batches;
  StepSum sum(load.head.base(), m);
  std::int64_t layers = 0;
  for (const LayerRun& run : load.runs) {
    const StageTimes& t = run.stages;
    KindOfStep{static_cast<double>(run.layers), m}.add(sum, t.attention.base(), t.longest().base(),
                                                       t.sum().base(), load.head.base());
    layers += run.layers;
  }
  if (layers == 1) {
    StageTimes t = load.runs.front().stages;
    t.attention += load.head;
    return std::max(m * t.longest(), t.sum());
  }
  return Seconds(sum.step());
}

PipelineResult simulate_pipeline(const PipelineLoad& load, const Jitter& jitter, int steps,
                                 bool keep_events) {
  constexpr int warm_up = 3;
  const int total_steps = steps + warm_up;
  Service service(jitter);
  PipelineState state{.ready = std::vector<Seconds>(static_cast<size_t>(load.micro_batches))};
  PipelineResult result;
  std::vector<Seconds> intervals;
  Seconds from;
  for (int step = 0; step < total_steps; ++step) {
    if (step == warm_up) from = state.ready.back(), state.worked = {};
    const std::vector<Seconds> before = state.ready;
    const bool keep = keep_events && step + 1 == total_steps;
    run_step(state, load, service, {keep ? &result.events : nullptr});
    if (step < warm_up) continue;
    for (size_t m = 0; m < before.size(); ++m) intervals.push_back(state.ready[m] - before[m]);
  }
  const Seconds span = state.ready.back() - from;
  result.mean = span / static_cast<double>(steps);
  result.p50 = quantile(intervals, 0.50);
  result.p99 = quantile(intervals, 0.99);
  for (size_t s = 0; s < stages; ++s) result.busy[s] = state.worked[s] / span.base();
  // A stage that never waits comes out busy a rounding beyond 1.
  result.bubble = std::max(0.0, 1 - std::max(result.busy[0], result.busy[2]));
  return result;
}

}  // namespace afford
