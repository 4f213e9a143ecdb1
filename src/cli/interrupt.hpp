#pragma once
// Ctrl-C (and the TERM of a scheduler) as a wish to stop, not an end.

#include <atomic>

namespace afford::cli {

inline constexpr int exit_interrupted = 130;  // as shells report SIGINT

/// Set by the first SIGINT or SIGTERM after this call; a second one ends the program at once.
[[nodiscard]] const std::atomic<bool>& watch_interrupts();

}  // namespace afford::cli
