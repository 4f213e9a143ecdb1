#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "error.hpp"

namespace afford::fuzz {

inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

/// Runs `read`; an error of ours is an answer, but it must be one line that moves no cursor.
template <class Read>
void allow_errors(Read read) {
  const auto look = [](std::string_view message) {
    for (const char c : message)
      require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F,
              "a control character in a message");
    require(message.size() < 2000, "a message that is too long");
  };
  try {
    read();
  } catch (const InputError& error) {
    look(error.what());
  } catch (const UsageError& error) {
    look(error.what());
  }
}

/// A regular file without a name that holds `text`, for readers that take a path.
class File {
 public:
  explicit File(std::string_view text) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    require(fd_ >= 0, "no file in memory");
    require(::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
            "no file in memory");
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace afford::fuzz
