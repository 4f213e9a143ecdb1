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

/// The message is one line whatever it quotes: control characters are escaped, long texts cut.
class InputError : public std::runtime_error {
 public:
  InputError(const Place& place, const std::string& message);
};

class UsageError : public std::runtime_error {
 public:
  explicit UsageError(const std::string& message);
};

}  // namespace afford
