#pragma once
// One pipeline from its shape to a measured point.

#include <map>
#include <vector>

#include "calibration/pipeline_point.hpp"
#include "pipeline.hpp"
#include "session.hpp"

namespace afford::calibrate {

constexpr int traced_layers = 6;

/// The GPUs of a layout, the library's fastest products on each, and what watches them.
struct Server {
  std::vector<Session> sessions;  // of GPUs 0, 1, ...
  std::map<int, DenseTuning> tunings;
};

/// Opens GPUs 0 to `gpus` - 1, all alike, and lets them into each other's memory. Throws
/// UsageError.
[[nodiscard]] Server open_server(int gpus);

/// Plans, checks and times a pipeline; `timeline`, unless null, gets the stages of `traced_layers`
/// layers. A failure becomes the point's reason, unless a GPU no longer answers: that throws.
[[nodiscard]] PipelinePoint run_pipeline(Server& server, const PipelineShape& shape,
                                         PipelinePoint point, std::vector<StageSpan>* timeline);

}  // namespace afford::calibrate
