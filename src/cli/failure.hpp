#pragma once
// What a verb that did not end well tells the user and the shell.

#include <exception>
#include <string>

namespace afford::cli {

inline constexpr int exit_internal = 70;  // EX_SOFTWARE of sysexits.h

struct Failure {
  std::string message;  // one line, for stderr
  int exit = 0;
};

/// Bad input (InputError, UsageError) exits with 2. Anything else is a fault of afford's own: it
/// exits with 70, and the message asks for a report.
[[nodiscard]] Failure failure_of(const std::exception& error);

}  // namespace afford::cli
