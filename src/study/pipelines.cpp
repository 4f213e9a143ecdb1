#include "study/pipelines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "calibration/chip_timing.hpp"
#include "calibration/pipeline_layout.hpp"
#include "error.hpp"
#include "layer/direct_stages.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"

namespace afford::study {
namespace {

PipelineLayout layout_of(const PipelinePoint& point) {
  if (const auto layout = parse_pipeline_layout(point.layout)) return *layout;
  throw UsageError(
      fmt::format("pipelines: layout: expected {}, got '{}'", pipeline_layout_names, point.layout));
}

Dtype format_of(const PipelinePoint& point) {
  if (point.cache == "bf16") return Dtype::bf16;
  if (point.cache == "fp8") return Dtype::fp8;
  throw UsageError(fmt::format("pipelines: a cache in '{}': expected bf16 or fp8", point.cache));
}

const LayerShape& main_shape(const std::vector<LayerShape>& shapes) {
  return *std::max_element(
      shapes.begin(), shapes.end(),
      [](const LayerShape& a, const LayerShape& b) { return a.layers < b.layers; });
}

/// What runs in one server, of this model.
void require_possible(const PipelinePoint& point, const HardwareSpec& chip,
                      const std::vector<LayerShape>& shapes) {
  const PipelineLayout layout = layout_of(point);
  const std::int64_t joined = joined_accelerators(chip), wanted = gpus_of(point);
  if (wanted > joined) {
    throw UsageError(fmt::format("layout: {} takes {} GPUs, and {} joins {}", point.layout, wanted,
                                 chip.name, joined));
  }
  const int ways = layout.pooled ? 1 : layout.attention;
  const std::string heads = layout.tensor ? undivided_heads(shapes, ways) : "";
  if (!heads.empty()) {
    throw UsageError(
        fmt::format("layout: {} does not divide the {} of {}", point.layout, heads, point.model));
  }
  std::int64_t layers = 0;
  for (const LayerShape& shape : shapes) layers += static_cast<std::int64_t>(shape.layers);
  if (point.layers > 0 && point.layers != layers)
    throw UsageError(fmt::format("layers: {} has {}, not {}", point.model, layers, point.layers));
}

}  // namespace

std::int64_t gpus_of(const PipelinePoint& point) { return layout_of(point).gpus(); }

std::int64_t attention_gpus_of(const PipelinePoint& point) { return layout_of(point).attention; }

HardwareSpec with_links(HardwareSpec chip, const std::string& calibration) {
  attach_calibrations({&chip}, calibration, true);
  const ChipTiming* timing = chip.measured.get();
  const bool fits = timing != nullptr && (!timing->transferred || !calibration.empty());
  if (fits && !timing->calibration->links.empty()) return chip;
  throw ValueError("calibration",
                   fmt::format(": pipelines of {} need one of it with links, as afford-calibrate "
                               "links measures them",
                               chip.name));
}

PipelineRate pipeline_rate(const PipelinePoint& point, Seconds layer) {
  const Seconds tpot = static_cast<double>(point.layers) * layer;
  const auto requests = static_cast<double>(point.requests * point.micro_batches);
  const auto gpus = static_cast<double>(gpus_of(point));
  return {tpot, static_cast<double>(attention_gpus_of(point)) * requests / gpus / tpot.base()};
}

PipelinePrediction predict_pipeline(const PipelinePoint& point, const HardwareSpec& chip) {
  return predict_pipeline(point, load_model(point.model), chip);
}

PipelinePrediction predict_pipeline(const PipelinePoint& point, ModelSpec model,
                                    const HardwareSpec& chip) {
  model.precision.kv = model.precision.attention_compute = format_of(point);
  const std::vector<LayerShape> shapes = layer_shapes(model);
  require_possible(point, chip, shapes);
  const PipelineLayout layout = layout_of(point);
  // The engine whose kernels were measured is the one whose pipelines ran.
  const Machine machine(chip, *chip.measured->kernels);
  const LayerShape& shape = main_shape(shapes);
  if (!runs_direct(machine, shape))
    throw UsageError(fmt::format(
        "{} has no links, or no curve of experts: measure them with afford-calibrate", chip.name));
  const DirectLayout direct{.ffn = static_cast<double>(layout.ffn),
                            .pooled = layout.pooled,
                            .tensor = layout.tensor,
                            .shard = static_cast<double>(point.shard)};
  const DirectAttention work{.requests = static_cast<double>(point.requests),
                             .context = static_cast<double>(point.context),
                             .uneven = has_uneven_lengths(point)};
  const DirectFfn ffn =
      direct_ffn_ops(model, shape, work.requests * layout.attention, direct, machine);
  PipelinePrediction out{
      .attention = direct_attention_ops(model, shape, work, direct, machine).time(),
      .ffn = ffn.mean.time(),
      .layer = {},
      .slowest_ffn = ffn.slowest.time(),
      .edge = direct_edge(machine)};
  const auto micro_batches = static_cast<double>(point.micro_batches);
  const Seconds lap = out.attention + out.slowest_ffn + 2 * out.edge;  // there and back
  const Seconds busier = std::max(out.attention, out.slowest_ffn);
  out.layer = layout.pooled ? std::max(lap, micro_batches * busier) : micro_batches * lap;
  return out;
}

}  // namespace afford::study
