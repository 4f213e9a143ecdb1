#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "cli/streams.hpp"

namespace afford::cli {

namespace {

/// Of the terminal, less the one that would wrap the line.
size_t columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? size.ws_col - 1U : std::string::npos;
}

}  // namespace

std::string progress_line(const ProgressUnit& unit, double done, double all, double elapsed_s) {
  if (done == 0 && all > 0)
    return fmt::format("0.0 of {:.1f} {} {}", all / unit.size, unit.magnitude, unit.things);
  const double rate = std::max(1.0, done / elapsed_s);
  const std::string so_far = fmt::format("{:.1f}", done / unit.size);
  const std::string how_fast = fmt::format("{} {}, {:.1f} {} a second", unit.magnitude, unit.things,
                                           rate / unit.size, unit.magnitude);
  if (all == 0) return fmt::format("{} {}", so_far, how_fast);
  return fmt::format("{} of {:.1f} {}, {:.0f} s left", so_far, all / unit.size, how_fast,
                     std::max(0.0, all - done) / rate);
}

Progress::Progress(const Host& host, std::uint64_t total, ProgressUnit unit)
    : host_(host),
      on_terminal_(!host.say && ::isatty(STDERR_FILENO) == 1),
      unit_(unit),
      total_(total) {}

void Progress::show(std::uint64_t done, std::string_view found) {
  if (host_.progress && total_ > 0) host_.progress(before_ + done, total_);
  constexpr auto pause = std::chrono::milliseconds(200);
  // What comes of a first look is shown at once.
  const bool first = !found.empty() && !any_;
  if (!on_terminal_ || (!first && Clock::now() - last_ < pause)) return;
  last_ = Clock::now();
  const double elapsed = std::chrono::duration<double>(last_ - start_).count();
  std::string line = progress_line(unit_, static_cast<double>(before_ + done),
                                   static_cast<double>(total_), elapsed);
  if (!found.empty()) line += fmt::format("; {}", found);
  say(host_, fmt::format("\r{}\x1b[K", line.substr(0, columns())));
  shown_ = any_ = true;
}

void Progress::show(std::uint64_t done, std::uint64_t total) {
  total_ = total;
  show(done);
}

void Progress::clear() {
  if (shown_) say(host_, "\r\x1b[K");
  shown_ = false;
}

}  // namespace afford::cli
