#include "deploy/simulate.hpp"

#include <algorithm>
#include <cmath>

#include "calibration/chip_timing.hpp"
#include "deploy/interval.hpp"

namespace afford {
namespace {

PipelineLoad load_of(const Disaggregated& deployment, const Evaluation& e) {
  return {.runs = std::span(e.runs.data(), e.runs.size()),
          .head = e.head,
          .micro_batches = deployment.micro_batches};
}

/// The evaluations of uneven micro-batches, each as if all had its size.
std::vector<Evaluation> by_size(const Disaggregated& deployment, const Setting& setting,
                                const std::vector<std::int64_t>& sizes) {
  std::vector<Evaluation> evaluations;
  for (const std::int64_t size : sizes) {
    Disaggregated alike = deployment;
    alike.batch = size * alike.micro_batches;
    evaluations.push_back(evaluate(alike, setting));
  }
  return evaluations;
}

/// What micro-batches of these sizes hold together: caches each its own, buffers as the largest.
MemoryUse held_by(const std::vector<Evaluation>& sizes, MemoryUse Evaluation::*pool) {
  MemoryUse use = sizes.front().*pool;
  use.cache = Bytes(0);
  for (const Evaluation& e : sizes) {
    use.cache += (e.*pool).cache / real(static_cast<std::int64_t>(sizes.size()));
    use.buffers = std::max(use.buffers, (e.*pool).buffers);
  }
  return use;
}

/// The evaluation with the memory of uneven micro-batches.
Evaluation with_memory(Evaluation e, const std::vector<Evaluation>& sizes) {
  if (sizes.empty()) return e;
  e.attention_memory = held_by(sizes, &Evaluation::attention_memory);
  e.ffn_memory = held_by(sizes, &Evaluation::ffn_memory);
  const auto full = [](const MemoryUse& use) { return use.total() > use.capacity; };
  e.verdict = full(e.ffn_memory)         ? Verdict::ffn_memory
              : full(e.attention_memory) ? Verdict::attention_memory
                                         : Verdict::feasible;
  return e;
}

PipelineResult run_events(const Disaggregated& deployment, const Evaluation& closed,
                          const std::vector<Evaluation>& sizes, const EventOptions& options) {
  std::vector<MicroBatchLoad> uneven;
  for (const Evaluation& e : sizes)
    uneven.push_back({std::span(e.runs.data(), e.runs.size()), e.head});
  PipelineLoad load = load_of(deployment, closed);
  load.uneven = uneven;
  const Jitter jitter{.sigma = options.sigma,
                      .attention_instances = deployment.attention.instances,
                      .ffn_instances = deployment.ffn.instances,
                      .seed = options.seed};
  return simulate_pipeline(load, jitter, options.steps, options.keep_events);
}

/// The evaluation as if its step took `step`.
Evaluation with_step(Evaluation e, Seconds step, Seconds tpot_limit) {
  const double ratio = step / e.step;
  e.step = step;
  e.tpot = ratio * e.tpot;
  e.cost = ratio * e.cost;
  e.tokens_per_gpu = e.tokens_per_gpu / ratio;
  if (e.verdict == Verdict::feasible || e.verdict == Verdict::slow)
    e.verdict = e.tpot > tpot_limit ? Verdict::slow : Verdict::feasible;
  return e;
}

}  // namespace

const HardwareSpec& attention_chip(const AnyDeployment& deployment) {
  if (const auto* afd = std::get_if<Disaggregated>(&deployment)) return *afd->attention.chip;
  return *std::get<Colocated>(deployment).pool.chip;
}

Simulated simulate(const AnyDeployment& deployment, const Setting& setting,
                   const EventOptions& options) {
  Simulated out{.evaluation = evaluate(deployment, setting),
                .closed_form = {},
                .events = {},
                .interval = interval_of(deployment, setting)};
  out.closed_form = out.evaluation.step;
  if (const auto* afd = std::get_if<Disaggregated>(&deployment)) {
    const std::vector<Evaluation> sizes = by_size(*afd, setting, options.micro_batch_sizes);
    out.events = run_events(*afd, out.evaluation, sizes, options);
    out.evaluation =
        with_step(with_memory(out.evaluation, sizes), out.events->mean, setting.tpot_limit);
  }
  return out;
}

const Engine& engine_of(const AnyDeployment& deployment, const Setting& setting) {
  return std::holds_alternative<Disaggregated>(deployment) ? setting.engine_of_pools()
                                                           : setting.engine;
}

const ErrorSpread& spread_of(const AnyDeployment& deployment, const Setting& setting) {
  return engine_of(deployment, setting)
      .time.spread.on(attention_chip(deployment).architecture.value);
}

Interval interval_of(const AnyDeployment& deployment, const Setting& setting) {
  const HardwareSpec& chip = attention_chip(deployment);
  const ErrorSpread& spread = spread_of(deployment, setting);
  if (spread.between > 0 || spread.within > 0) {
    const bool transferred = chip.measured != nullptr && chip.measured->transferred;
    const double factor = std::exp(log_half_width({.spread = spread, .transferred = transferred}));
    return {.low = 1 / factor, .high = factor};
  }
  const auto step_at = [&](double residual) {
    Setting moved = setting;
    moved.residual = residual;
    return evaluate(deployment, moved).step;
  };
  const Seconds step = step_at(0);
  return {.low = step_at(-1) / step, .high = step_at(1) / step};
}

double events_over_closed_form(const Disaggregated& deployment, const Evaluation& closed,
                               int steps) {
  return simulate_pipeline(load_of(deployment, closed), {}, steps).mean / closed.step;
}

}  // namespace afford
