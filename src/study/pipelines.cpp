#include "study/pipelines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "error.hpp"
#include "layer/attention_side.hpp"
#include "layer/ffn_side.hpp"
#include "load/library.hpp"
#include "study/uneven_experts.hpp"

namespace afford::study {
namespace {

// A kernel behind an unlike one starts later than behind itself, as a calibration times it: shared
// memory is shared out anew, and nothing of the next one is loaded yet. The median of 41 pipelines
// on two H100 of 2026-11-26, attention sides against the sum of their kernels, is 1.05 us a kernel
// with MFA, 0.3 with GQA and 1.8 with MLA.
constexpr Seconds change_over{1e-6};

/// What the runtime's pipelines add to the operations of a layer.
struct Runtime {
  const HardwareSpec& chip;
  const Calibration& calibration;

  explicit Runtime(const HardwareSpec& of) : chip(of), calibration(*of.measured->calibration) {
    if (calibration.links.empty())
      throw UsageError(
          fmt::format("{} has no links: measure them with afford-calibrate links", chip.name));
  }
  /// A kernel's stores into another GPU's memory.
  [[nodiscard]] Seconds stores(Bytes bytes) const {
    const LinkCurve* curve = find_link(calibration.links, "copy", 2, bytes.base());
    return curve == nullptr ? Seconds(0) : curve->at(bytes.base());
  }
  [[nodiscard]] Seconds small(double kernels, Bytes bytes) const {
    return Seconds(kernels * chip.measured->small_kernel) + bytes / ByteRate(chip.measured->read) +
           kernels * change_over;
  }
};

struct PipelineLayout {
  bool pooled = true, tensor = false;
  double attention = 1, ffn = 1;  // GPUs
};

PipelineLayout layout_of(const PipelinePoint& point) {
  constexpr std::string_view cut = "-tp";
  std::string_view name = point.layout;
  const bool tensor = name.size() == 4 + cut.size() && name.ends_with(cut);
  if (tensor) name.remove_suffix(cut.size());
  const auto digit = [&](size_t at) { return at < name.size() ? name[at] - '0' : 0; };
  if (name.size() == 4 && name[1] == 'a' && name[3] == 'f')
    return {.tensor = tensor,
            .attention = static_cast<double>(digit(0)),
            .ffn = static_cast<double>(digit(2))};
  if (name.size() == 3 && (name.starts_with("ep") || name.starts_with("tp")))
    return {.pooled = false,
            .tensor = name[0] == 't',
            .attention = static_cast<double>(digit(2)),
            .ffn = static_cast<double>(digit(2))};
  throw UsageError(
      fmt::format("pipelines: layout '{}' is none of NaMf, NaMf-tp, epN and tpN", point.layout));
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

double kernels_of(const OpList& ops) {
  double count = 0;
  for (const Op& op : ops) count += op.kernels;
  return count;
}

struct Stages {
  const PipelinePoint& point;
  const ModelSpec& model;
  const LayerShape& shape;
  const PipelineLayout& layout;
  const Machine& machine;
  const Runtime& runtime;

  [[nodiscard]] double requests() const { return static_cast<double>(point.requests); }
  /// Tokens of a micro-batch on every FFN GPU.
  [[nodiscard]] double tokens() const { return requests() * layout.attention; }
  /// Of the GPUs a token goes to, those that are not its own.
  [[nodiscard]] double others() const { return layout.pooled ? 1 : (layout.ffn - 1) / layout.ffn; }

  [[nodiscard]] Seconds attention() const {
    const OpList ops = attention_ops(model, shape,
                                     {.requests = requests(),
                                      .context = static_cast<double>(point.context),
                                      .partial_results = layout.ffn,
                                      .router = shape.ffn.router_outputs > 0,
                                      .experts = shape.ffn.router_outputs},
                                     machine);
    const Bytes sent = requests() * others() * layout.ffn * dispatch_bytes(model, shape);
    return ops.time() + kernels_of(ops) * change_over + runtime.stores(sent);
  }

  /// The experts of one GPU, drawn by the tokens.
  [[nodiscard]] DrawnExperts experts() const {
    DrawnExperts drawn{.tokens = tokens(),
                       .hidden = static_cast<double>(model.hidden),
                       .weights = shape.ffn_weights};
    const double groups = layout.tensor ? 1 : layout.ffn;
    for (const Mlp& mlp : shape.ffn.mlps) {
      if (mlp.role == MlpRole::routed) {
        drawn.experts = static_cast<double>(mlp.copies) / groups;
        drawn.share = static_cast<double>(mlp.active) / static_cast<double>(mlp.copies);
      } else {
        drawn.shared = static_cast<double>(mlp.copies);
        drawn.shared_tokens = tokens() / groups;
      }
      const double ways = static_cast<double>(point.shard) * (layout.tensor ? layout.ffn : 1);
      drawn.intermediate = static_cast<double>(mlp.intermediate) / ways;
    }
    return drawn;
  }

  /// The experts; placing and packing their tokens, and the weighted sum back to the owners.
  [[nodiscard]] Seconds ffn() const {
    const DrawnExperts drawn = experts();
    const double copies =
        drawn.experts * drawn.share + drawn.shared * drawn.shared_tokens / tokens();
    // Hidden values read once and written for every copy, BF16 results read.
    const double value = bits_of(drawn.weights) < 9 ? 1 : 2;
    const Bytes moved(tokens() * drawn.hidden * (value * (1 + copies) + 2 * copies));
    const Bytes returned = tokens() * others() * combine_bytes(model);
    return drawn_experts_time(drawn, machine) + 2 * change_over + runtime.small(3, moved) +
           runtime.stores(returned);
  }
};

}  // namespace

std::int64_t gpus_of(const PipelinePoint& point) {
  const PipelineLayout layout = layout_of(point);
  return static_cast<std::int64_t>(layout.pooled ? layout.attention + layout.ffn : layout.ffn);
}

std::int64_t attention_gpus_of(const PipelinePoint& point) {
  return static_cast<std::int64_t>(layout_of(point).attention);
}

PipelinePrediction predict_pipeline(const PipelinePoint& point, const HardwareSpec& chip) {
  ModelSpec model = load_model(point.model);
  model.precision.kv = model.precision.attention_compute = format_of(point);
  const std::vector<LayerShape> shapes = layer_shapes(model);
  const PipelineLayout layout = layout_of(point);
  const Engine engine;
  const Machine machine(chip, engine);
  const Runtime runtime(chip);
  const Stages stages{point, model, main_shape(shapes), layout, machine, runtime};
  PipelinePrediction out{.attention = stages.attention(), .ffn = stages.ffn(), .layer = {}};
  const auto micro_batches = static_cast<double>(point.micro_batches);
  const Seconds edges = 2 * runtime.calibration.links.edge;  // there and back
  const Seconds lap = out.attention + out.ffn + edges;
  out.layer = layout.pooled ? std::max(lap, micro_batches * std::max(out.attention, out.ffn))
                            : micro_batches * lap;
  return out;
}

}  // namespace afford::study
