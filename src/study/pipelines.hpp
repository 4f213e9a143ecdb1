#pragma once
// Decode pipelines that ran on the GPUs of one server (afford-calibrate afd), and what the
// calibration of their chip says that they take.

#include <string>
#include <vector>

#include "calibration/pipeline_point.hpp"
#include "spec/hardware.hpp"
#include "units.hpp"

namespace afford::study {

/// Of one layer: either stage of one micro-batch alone, and all micro-batches together.
struct PipelinePrediction {
  Seconds attention, ffn, layer;
};

/// The prediction for what a point describes, on `chip`, which is calibrated and has links. Throws
/// UsageError for a layout or format that is none, or a model that does not exist.
[[nodiscard]] PipelinePrediction predict_pipeline(const PipelinePoint& point,
                                                  const HardwareSpec& chip);

struct PipelineCheck {
  size_t points = 0, left_out = 0;  // left out: rejected when measured
  double median_pct = 0, p90_pct = 0, worst_pct = 0, bias_pct = 0;  // of layers
};

/// All points that count against their predictions.
[[nodiscard]] PipelineCheck check_pipelines(const std::vector<PipelinePoint>& points,
                                            const HardwareSpec& chip);

}  // namespace afford::study
