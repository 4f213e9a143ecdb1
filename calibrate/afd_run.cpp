#include "afd_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "error.hpp"
#include "layer_reference.hpp"
#include "statistics.hpp"

namespace afford::calibrate {
namespace {

constexpr double bytes_needed = 12e9;
constexpr int few_layers = 6, many_layers = 18;  // a layer's time is the slope between the two
constexpr int checked_layer = 1;                 // the first that adds partial results
// Medians of three windows lie 1.69 deviations apart in the mean, and that of all has 0.58 of one:
// 6 % apart is a standard error of 2 %.
constexpr double most_spread = 0.06;
constexpr size_t windows = 3;

struct Slope {
  double us = 0, spread = 0;
};

/// Microseconds a layer, from graphs of few and of many layers in turn: what starts and ends a step
/// falls out.
Slope slope_of(Pipeline& pipeline, Part part, double seconds) {
  constexpr size_t samples = 12;
  constexpr double sample_us = 15e3;
  const Graph few = pipeline.graph(few_layers, part), many = pipeline.graph(many_layers, part);
  const auto round = [&](int times) {
    return std::pair{pipeline.time(few, times) / times, pipeline.time(many, times) / times};
  };
  (void)round(1);
  const int times = std::clamp(static_cast<int>(sample_us / round(1).second), 1, 100);
  for (double warm = 0; warm < 0.4e6 * seconds;) {
    const auto [a, b] = round(times);
    warm += times * (a + b);
  }
  std::vector<double> first, second, slopes;
  for (double spent = 0; spent < 1e6 * seconds || slopes.size() < samples;) {
    const auto [a, b] = round(times);
    spent += times * (a + b);
    first.push_back(a), second.push_back(b);
    slopes.push_back((b - a) / (many_layers - few_layers));
  }
  return {(median(second) - median(first)) / (many_layers - few_layers),
          spread_of_medians(slopes, windows)};
}

void time_parts(Pipeline& pipeline, PipelinePoint& point) {
  constexpr double whole_seconds = 0.3, part_seconds = 0.1;
  const Slope all = slope_of(pipeline, Part::all, whole_seconds);
  point.layer_us = all.us, point.spread = all.spread;
  // Before the parts run: alone, they work on what the last layer left behind.
  if (const unsigned wrong = pipeline.mismatches(); wrong > 0) {
    point.rejected = fmt::format("{} times an expert had other tokens than planned", wrong);
    return;
  }
  const auto alone = [&](Part part) {
    return slope_of(pipeline, part, part_seconds).us / static_cast<double>(point.micro_batches);
  };
  point.attention_us = alone(Part::attention), point.core_us = alone(Part::core);
  point.ffn_us = alone(Part::ffn), point.experts_us = alone(Part::experts);
}

void check_answer(Pipeline& pipeline, int layer, PipelinePoint& point) {
  if (layer != checked_layer) return;
  const LayerErrors errors = check_layer(pipeline, layer, pipeline.shape().micro_batches - 1);
  const auto finite = [](double error) { return std::isfinite(error) ? error : 1; };
  point.attention_error = finite(errors.attention), point.ffn_error = finite(errors.ffn);
  point.cache_error = finite(errors.cache);
  point.rejected = wrong_layer(errors, accepted_errors(pipeline.shape().layer));
}

/// Watches every GPU of a layout while it works.
class Watches {
 public:
  Watches(const Server& server, int gpus) {
    for (int i = 0; i < gpus; ++i)
      watches_.push_back(
          std::make_unique<Watch>(server.sessions[static_cast<size_t>(i)].nvml.get()));
  }
  void stop(PipelinePoint& point) {
    for (const auto& watch : watches_) {
      const DeviceState state = watch->stop();
      point.power_w = std::max(point.power_w, state.power_w);
      point.temperature_c = std::max(point.temperature_c, state.temperature_c);
      point.slowed = point.slowed || state.slowed_down;
    }
  }

 private:
  std::vector<std::unique_ptr<Watch>> watches_;
};

std::vector<StageSpan> timeline_of(Pipeline& pipeline) {
  const Layout& layout = pipeline.shape().layout;
  std::vector<int> gpus(static_cast<size_t>(layout.gpus()));
  std::iota(gpus.begin(), gpus.end(), 0);
  const int stages = 2 * traced_layers * pipeline.shape().micro_batches;
  StageStamps stamps(gpus, static_cast<size_t>(stages));
  const Graph graph = pipeline.graph(traced_layers, Part::all, &stamps);
  (void)pipeline.time(graph, 3);  // the last one's stamps stay
  return stamps.spans();
}

void measure(Server& server, const PipelineShape& shape, PipelinePoint& point,
             std::vector<StageSpan>* timeline) {
  Pipeline pipeline(shape, server.tunings);
  pipeline.plan(many_layers, [&](int layer) { check_answer(pipeline, layer, point); });
  if (!point.rejected.empty()) return;
  const FfnSide::Load load = pipeline.ffn(0).load();
  point.active_experts = load.active, point.busiest_tokens = load.busiest;
  point.copies = load.copies;
  Watches watches(server, shape.layout.gpus());
  time_parts(pipeline, point);
  watches.stop(point);
  if (timeline != nullptr) *timeline = timeline_of(pipeline);
  if (!point.rejected.empty()) return;
  if (point.slowed)
    point.rejected = "slowed down by heat or power supply";
  else if (point.spread > most_spread)
    point.rejected = fmt::format("medians of windows {:.1f} % apart, more than {:.0f} %",
                                 100 * point.spread, 100 * most_spread);
}

}  // namespace

Server open_server(int gpus) {
  const Driver driver = find_gpus();
  if (const auto there = static_cast<int>(driver.gpus.size()); there < gpus && there > 0)
    throw UsageError(
        fmt::format("--layouts: {} GPUs are needed, this machine has {}", gpus, there));
  Server server;
  for (int gpu = 0; gpu < gpus; ++gpu) {
    server.sessions.push_back(open_session(gpu, bytes_needed));
    const Session& session = server.sessions.back();
    if (session.gpu.name != server.sessions.front().gpu.name)
      throw UsageError(fmt::format("GPU {} is {}, GPU 0 {}: a pipeline needs equal ones", gpu,
                                   session.gpu.name, server.sessions.front().gpu.name));
    if (session.lt == nullptr) throw UsageError("a pipeline's projections need cuBLASLt");
  }
  for (int gpu = 0; gpu < gpus; ++gpu)
    server.tunings.emplace(gpu, DenseTuning(*server.sessions[static_cast<size_t>(gpu)].lt));
  enable_peers(gpus);
  return server;
}

PipelinePoint run_pipeline(Server& server, const PipelineShape& shape, PipelinePoint point,
                           std::vector<StageSpan>* timeline) {
  for (int gpu = 0; gpu < shape.layout.gpus(); ++gpu)
    point.shared = point.shared || server.sessions[static_cast<size_t>(gpu)].limits.processes > 0;
  try {
    measure(server, shape, point, timeline);
  } catch (const std::runtime_error& error) {
    for (int gpu = 0; gpu < shape.layout.gpus(); ++gpu) {
      use_gpu(gpu);
      if (!gpu_answers()) throw;
    }
    point.rejected = error.what();
  }
  return point;
}

}  // namespace afford::calibrate
