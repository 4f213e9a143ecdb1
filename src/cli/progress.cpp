#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/streams.hpp"

namespace afford::cli {

Progress::Progress(const Host& host, std::uint64_t total)
    : host_(host), on_terminal_(!host.say && ::isatty(STDERR_FILENO) == 1), total_(total) {}

void Progress::show(std::uint64_t done) {
  if (host_.progress) host_.progress(before_ + done, total_);
  constexpr auto pause = std::chrono::milliseconds(200);
  if (!on_terminal_ || Clock::now() - last_ < pause) return;
  last_ = Clock::now();
  const double elapsed = std::chrono::duration<double>(last_ - start_).count();
  const double all = static_cast<double>(total_), so_far = static_cast<double>(before_ + done);
  const double rate = std::max(1.0, so_far / elapsed);
  say(host_,
      fmt::format(
          "\r{:.1f} of {:.1f} million candidates, {:.1f} million a second, {:.0f} s left\x1b[K",
          so_far / 1e6, all / 1e6, rate / 1e6, (all - so_far) / rate));
  shown_ = true;
}

void Progress::clear() {
  if (shown_) say(host_, "\r\x1b[K");
  shown_ = false;
}

}  // namespace afford::cli
