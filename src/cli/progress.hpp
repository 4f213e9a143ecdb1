#pragma once
// One line on the terminal that says how far a search is, how fast, and how long it will take.

#include <chrono>
#include <cstdint>

#include "cli/host.hpp"

namespace afford::cli {

class Progress {
 public:
  /// On the terminal, if standard error is one, or to the host.
  Progress(const Host& host, std::uint64_t total);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` candidates of the part that is running, after those of earlier parts.
  void show(std::uint64_t done);
  void finish_part(std::uint64_t done) { before_ += done; }
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  const Host& host_;
  bool on_terminal_;
  bool shown_ = false;
  std::uint64_t total_, before_ = 0;
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

}  // namespace afford::cli
