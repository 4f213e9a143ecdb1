#pragma once
// What can go wrong from outside: a file the user wrote (InputError) or a command line
// (UsageError). Both end the program with exit code 2; their text is the whole message, one line.
// Any other exception is a fault of the program itself.

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

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
  /// `cause`, said of where one file names another.
  InputError(const Place& named_at, const InputError& cause);
  /// Whether it is of what a file says; else the system did not give the file.
  [[nodiscard]] bool of_content() const { return of_content_; }

 private:
  bool of_content_;
};

class UsageError : public std::runtime_error {
 public:
  explicit UsageError(const std::string& message);
};

/// A value that cannot be, named by what it is ("ffn parallelism"): whoever gave it may know it by
/// another name, such as that of a flag. The complaint follows the name: ": expected ...".
class ValueError : public UsageError {
 public:
  ValueError(std::string name, std::string complaint)
      : UsageError(name + complaint), name_(std::move(name)), complaint_(std::move(complaint)) {}
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  std::string name_, complaint_;
};

/// Loads what a file names at `place`: that there is no such entry or file is then said of the
/// place.
template <class Load>
[[nodiscard]] auto named_at(const Place& place, Load load) {
  try {
    return load();
  } catch (const UsageError& error) {
    throw InputError(place, error.what());
  } catch (const InputError& error) {
    if (error.of_content()) throw;
    throw InputError(place, error);
  }
}

}  // namespace afford
