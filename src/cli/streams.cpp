#include "cli/streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "report/output_file.hpp"

namespace afford::cli {

void secure_streams() {
  // A reader that left, and a file beyond the limit of its size, are errors of write().
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
  // For reading alone: writing to a standard output that was closed stays an error.
  int fd = ::open("/dev/null", O_RDONLY);
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDONLY);
  if (fd >= 0) ::close(fd);
}

void say(const Host& host, std::string_view text) {
  if (host.say) return host.say(text);
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
}

void print(const Host& host, std::string_view text) {
  if (host.print) return host.print(text);
  write_whole("", text);
}

}  // namespace afford::cli
