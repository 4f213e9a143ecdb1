#pragma once
// How far a run is, as text. Host code without CUDA.

#include <string>

namespace afford::calibrate {

struct Progress {
  int done = 0, all = 0;                   // cases
  double weight_done = 0, weight_all = 0;  // of the time they were expected to take, in seconds
  double elapsed = 0;                      // seconds so far
};

/// Seconds left: at the pace so far, or as expected while nothing is done.
[[nodiscard]] double time_left(const Progress& progress);

/// "[ 37/455] 1:23 left  mfa_decode bf16 64/1 d256, 16 x 4096".
[[nodiscard]] std::string progress_line(const Progress& progress, const std::string& what);

}  // namespace afford::calibrate
