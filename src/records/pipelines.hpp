#pragma once
// Measured pipelines beside their predictions as records.

#include "report/gnuplot.hpp"
#include "report/record.hpp"
#include "study/pipelines.hpp"

namespace afford {

/// One row a pipeline.
[[nodiscard]] Table pipeline_table(const study::PipelineValidation& validation);

/// One row for each chip, known or not, number of GPUs and model.
[[nodiscard]] Table pipeline_summary_table(const study::PipelineValidation& validation);

/// Tokens a second and GPU over time per output token of a step without LM head, measured and
/// predicted: pipelines with whole experts on as many GPUs as the largest has, a panel for each
/// model that ran as AFD and as EP more than once, a colour for AFD, EP and TP.
[[nodiscard]] Chart pipeline_picture(const study::PipelineValidation& validation);

}  // namespace afford
