#pragma once
// Ctrl-C: the first one asks for an orderly end, the second one ends at once.

namespace afford::calibrate {

inline constexpr int exit_interrupted = 130;  // as shells say it: 128 + SIGINT

/// From now on SIGINT and SIGTERM only set interrupted().
void catch_interrupts();
[[nodiscard]] bool interrupted();

}  // namespace afford::calibrate
