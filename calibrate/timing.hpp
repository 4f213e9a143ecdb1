#pragma once
// Timing of a Work on the device of this thread.

#include <vector>

#include "work.hpp"

namespace afford::calibrate {

struct Timing {
  double median_us = 0, p25_us = 0, p75_us = 0, min_us = 0;
  int samples = 0;
  double sm_clock_mhz = 0;  // median over the samples
  double drift = 0;         // spread_of_medians() of the samples: what a repetition would differ by
};

struct Effort {
  double seconds = 0.3;   // of samples; at least `samples` are taken
  double warm_up = 0.05;  // seconds of the same work before the first sample
  int samples = 10;
  double graph_us = 5000;  // of a graph of calls, at least
  int graphs = 4;   // of a sample: the power cap moves the clock to and fro within some 10 ms
  int windows = 1;  // of samples, until their medians are steady, the later ones twice as long;
                    // the last counts
};

/// Cold stream: a graph of calls over rotating input sets, divided by their number. What a decode
/// step sees. One sample is always queued behind the one that runs, so the device is never idle for
/// long, and each has its SM clock.
[[nodiscard]] Timing measure_stream(Work& work, const Effort& effort);
/// Isolated and cold: the L2 cache filled with other clean lines, the stream held until all is
/// queued, one call.
[[nodiscard]] Timing measure_isolated(Work& work, const Effort& effort);
/// A long run of calls put into a stream one by one, divided by their number: the host's submission
/// counts.
[[nodiscard]] Timing measure_submitted(Work& work, const Effort& effort);
}  // namespace afford::calibrate
