#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/streams.hpp"

namespace afford::cli {

std::string progress_line(const ProgressUnit& unit, double done, double all, double elapsed_s) {
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

void Progress::show(std::uint64_t done) {
  if (host_.progress && total_ > 0) host_.progress(before_ + done, total_);
  constexpr auto pause = std::chrono::milliseconds(200);
  if (!on_terminal_ || Clock::now() - last_ < pause) return;
  last_ = Clock::now();
  const double elapsed = std::chrono::duration<double>(last_ - start_).count();
  say(host_, "\r" +
                 progress_line(unit_, static_cast<double>(before_ + done),
                               static_cast<double>(total_), elapsed) +
                 "\x1b[K");
  shown_ = true;
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
