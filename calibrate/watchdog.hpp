#pragma once
// A kernel that never ends would leave the program waiting for ever.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace afford::calibrate {

/// Calls `on_hang` from a thread of its own, once, when nothing has been reported for `limit`.
class Watchdog {
 public:
  Watchdog(std::chrono::seconds limit, std::function<void()> on_hang);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void alive();

 private:
  using Clock = std::chrono::steady_clock;

  void watch();

  std::chrono::seconds limit_;
  std::function<void()> on_hang_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ending_ = false;
  Clock::time_point last_ = Clock::now();
  std::thread thread_;
};

}  // namespace afford::calibrate
