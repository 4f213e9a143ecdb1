#pragma once
// Ctrl-C (and the TERM of a scheduler) as a wish to stop, not an end.

#include <atomic>
#include <chrono>

#include "cli/host.hpp"

namespace afford::cli {

inline constexpr int exit_interrupted = 130;  // as shells report SIGINT

/// From now on Ctrl-C ends the program with a line that says so and without leaving a file half
/// written, until watch_interrupts() makes it a wish: a part of a search is worth its file, marked
/// as one; what else there is takes seconds, and a part of it would be taken for the whole.
void announce_interrupts();

/// What a command says that has heard the wish to stop before it had anything; exit_interrupted.
[[nodiscard]] int say_interrupted(const Host& host);

/// Set by the first SIGINT or SIGTERM after the first call. What follows within `repeats` of it is
/// the same wish: timeout(1) signals its child and then the whole process group, and a terminal
/// signals every process of a pipeline. A later one ends the program at once.
const std::atomic<bool>& watch_interrupts(
    std::chrono::nanoseconds repeats = std::chrono::seconds(1));

}  // namespace afford::cli
