#pragma once
// When the stages of a pipeline ran, or would run, GPU by GPU: the rows of a trace.

#include <string>
#include <vector>

#include "study/pipelines.hpp"

namespace afford::study {

struct StageSpan {
  int gpu = 0;
  std::string stage;  // attention or FFN
  int layer = 0, micro_batch = 0;
  double start_us = 0, end_us = 0;  // from the start of the first
};

/// The first `layers` layers of a step as predicted: every stage starts as soon as its GPUs are
/// free and what it needs has arrived. A layer in the middle takes the time that `predicted` has
/// for it.
[[nodiscard]] std::vector<StageSpan> predicted_timeline(const PipelinePoint& point,
                                                        const PipelinePrediction& predicted,
                                                        int layers);

/// Trace Event Format, as `afford simulate --trace` writes it: a process for what was measured and,
/// unless there are none, one for what was predicted; a row for each GPU.
[[nodiscard]] std::string timelines_trace(const std::vector<StageSpan>& measured,
                                          const std::vector<StageSpan>& predicted);

}  // namespace afford::study
