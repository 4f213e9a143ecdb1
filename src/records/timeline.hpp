#pragma once
// The pipeline of one step drawn: Chrome trace JSON for Perfetto, or letters in the terminal.

#include <span>
#include <string>

#include "deploy/pipeline.hpp"
#include "report/table.hpp"
#include "study/simulation.hpp"

namespace afford {

/// Of every row that has events, the row counted from 0; microseconds since the first of them.
[[nodiscard]] Table events_table(const study::Simulations& simulations);

/// Trace Event Format: one row for each stage, one slice for each micro-batch and layer;
/// microseconds.
[[nodiscard]] std::string chrome_trace(std::span<const PipelineEvent> events);

/// The stages as rows over time, each micro-batch its number, a dot where a stage idles; the middle
/// layers.
[[nodiscard]] std::string terminal_timeline(std::span<const PipelineEvent> events,
                                            int micro_batches);

}  // namespace afford
