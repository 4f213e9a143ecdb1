#pragma once
// What can go wrong from outside: a file the user wrote (InputError) or a command line
// (UsageError). Both end the program with exit code 2; their text is the whole message, one line.
// Any other exception is a fault of the program itself.

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace afford {

enum ExitCode { exit_done = 0, exit_no = 1, exit_bad_input = 2 };

/// Where in a file: line and column count from one; line 0 means the file as a whole.
struct Place {
  std::string file;
  int line = 0, column = 0;
};

class InputError : public std::runtime_error {
 public:
  InputError(const Place& place, const std::string& message)
      : std::runtime_error(place.line > 0 ? fmt::format("{}:{}:{}: {}", place.file, place.line,
                                                        place.column, message)
                                          : fmt::format("{}: {}", place.file, message)) {}
};

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace afford
