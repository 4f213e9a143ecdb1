#pragma once
// Decode pipelines that ran on the GPUs of one server (afford-calibrate afd), and what the
// calibration of their chip says that they take.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calibration/pipeline_point.hpp"
#include "error.hpp"
#include "spec/hardware.hpp"
#include "spec/model.hpp"
#include "study/statistics.hpp"
#include "units.hpp"

namespace afford::study {

/// Of one layer: either stage of one micro-batch alone, in the mean over the GPUs, and all
/// micro-batches together.
struct PipelinePrediction {
  Seconds attention, ffn, layer;
  Seconds slowest_ffn;  // of the GPU that every layer waits for
  Seconds edge;         // from the end of a stage to the start of the next one on another GPU
};

/// The chip on `calibration` as Conditions has it or, where that is empty, on its own. Throws
/// UsageError for a calibration that does not exist, ValueError for one without links, which
/// pipelines are predicted from.
[[nodiscard]] HardwareSpec with_links(HardwareSpec chip, const std::string& calibration);

/// The prediction for what a point describes, of `model`, on `chip`, which is calibrated and has
/// links. Throws UsageError for a layout or format that is none or that the chip or the model does
/// not allow.
[[nodiscard]] PipelinePrediction predict_pipeline(const PipelinePoint& point, ModelSpec model,
                                                  const HardwareSpec& chip);
/// The same for the model that the point names. Throws UsageError where there is none.
[[nodiscard]] PipelinePrediction predict_pipeline(const PipelinePoint& point,
                                                  const HardwareSpec& chip);

/// Time of a step of all layers without LM head, and tokens a second and GPU at it.
struct PipelineRate {
  Seconds tpot;
  double tokens_per_second = 0;
};
[[nodiscard]] PipelineRate pipeline_rate(const PipelinePoint& point, Seconds layer);

/// A measured pipeline with its prediction: none of what was rejected when it was measured.
struct PipelineRow {
  PipelinePoint point;
  Place place;  // in its file
  std::optional<PipelinePrediction> predicted;
  std::string fidelity;  // of the chip
  /// Of those that come with afford: whether the form of the model was chosen with it in view, or
  /// it was measured after. Empty for others.
  std::string known;

  [[nodiscard]] double deviation() const;            // of the layer
  [[nodiscard]] double attention_deviation() const;  // of the stages, each without the other
  [[nodiscard]] double ffn_deviation() const;
};

/// The rows on so many GPUs of one chip, known or not, of one model ("": of all).
struct PipelineGroup {
  std::string chip, known;  // empty: of all
  std::int64_t gpus = 0;    // 0: any number
  std::string model;
  size_t left_out = 0;
  ErrorSummary layer, attention, ffn;
  double worst = 0;  // of layers
};

struct PipelineValidation {
  std::vector<PipelineRow> rows;
  std::vector<PipelineGroup> groups;  // by chip, known or not, GPUs and model; without model; all
};

/// GPUs of a layout, and those of them that have requests. Throws UsageError for what is none.
[[nodiscard]] std::int64_t gpus_of(const PipelinePoint& point);
[[nodiscard]] std::int64_t attention_gpus_of(const PipelinePoint& point);

/// The pipelines of a CSV file on the calibration of their chip, or on `calibration` as Conditions
/// has it; "": those that come with afford, each on its own where none is chosen. Throws
/// InputError or UsageError.
[[nodiscard]] PipelineValidation pipeline_validation(const std::string& file,
                                                     const std::string& calibration);

}  // namespace afford::study
