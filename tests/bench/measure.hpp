#pragma once
// What a piece of work takes: time of all cores, time on the clock, memory.

#include <functional>
#include <string>
#include <vector>

namespace afford::bench {

struct Usage {
  double cpu_s = 0, wall_s = 0;
  double peak_mib = 0;  // of a process; 0 inside this one, whose memory is everyone's
};

/// The quickest of `runs`: everything that disturbs a run makes it slower.
[[nodiscard]] Usage quickest(int runs, const std::function<void()>& work);

/// The same of a command as a process of its own, found in PATH or by its path, its output thrown
/// away. Throws where it ends with anything but 0.
[[nodiscard]] Usage quickest_process(int runs, const std::vector<std::string>& words);

}  // namespace afford::bench
