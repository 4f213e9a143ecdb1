#pragma once
// Timing of a Work on the device of this thread.

#include <vector>

#include "work.hpp"

namespace afford::calibrate {

struct Timing {
  double median_us = 0, p25_us = 0, p75_us = 0, min_us = 0;
  int samples = 0;
};

struct Effort {
  double seconds = 0.3;   // of samples; at least `samples` are taken
  double warm_up = 0.05;  // seconds of the same work before the first sample
  int samples = 10;
};

/// Cold stream: a graph of calls over rotating input sets, divided by their number. What a decode step sees.
[[nodiscard]] Timing measure_stream(Work& work, const Effort& effort);
/// Isolated and cold: the L2 cache filled with other clean lines, the stream held until all is queued, one
/// call.
[[nodiscard]] Timing measure_isolated(Work& work, const Effort& effort);

}  // namespace afford::calibrate
