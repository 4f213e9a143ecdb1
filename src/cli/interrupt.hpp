#pragma once
// Ctrl-C (and the TERM of a scheduler) as a wish to stop, not an end.

#include <atomic>
#include <chrono>

namespace afford::cli {

inline constexpr int exit_interrupted = 130;  // as shells report SIGINT

/// Set by the first SIGINT or SIGTERM after the first call. What follows within `repeats` of it is
/// the same wish: timeout(1) signals its child and then the whole process group, and a terminal
/// signals every process of a pipeline. A later one ends the program at once.
const std::atomic<bool>& watch_interrupts(
    std::chrono::nanoseconds repeats = std::chrono::seconds(1));

}  // namespace afford::cli
