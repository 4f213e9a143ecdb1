#include "watchdog.hpp"

#include <utility>

namespace afford::calibrate {

Watchdog::Watchdog(std::chrono::seconds limit, std::function<void()> on_hang)
    : limit_(limit), on_hang_(std::move(on_hang)), thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void Watchdog::alive() {
  const std::lock_guard lock(mutex_);
  last_ = Clock::now();
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (Clock::now() - last_ > limit_) return on_hang_();
    ended_.wait_until(lock, last_ + limit_ + std::chrono::milliseconds(10));
  }
}

}  // namespace afford::calibrate
