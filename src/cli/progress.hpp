#pragma once
// One line on the terminal that says how far a verb is, how fast, and how long it will take.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/host.hpp"

namespace afford::cli {

/// What is counted: "million", "candidates".
struct ProgressUnit {
  std::string_view magnitude, things;
  double size = 1;
};
inline constexpr ProgressUnit million_candidates{"million", "candidates", 1e6};
inline constexpr ProgressUnit thousand_requests{"thousand", "requests", 1e3};

/// "2.0 of 8.0 million candidates, 1.0 million a second, 6 s left"; where `all` is 0 nobody knows
/// how many there are, where `done` is 0 how fast they go.
[[nodiscard]] std::string progress_line(const ProgressUnit& unit, double done, double all,
                                        double elapsed_s);

class Progress {
 public:
  /// On the terminal, if standard error is one, or to the host.
  Progress(const Host& host, std::uint64_t total, ProgressUnit unit = million_candidates);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of the part that is running, after those of earlier parts; on the terminal also what
  /// has come of it, as far as there is room.
  void show(std::uint64_t done, std::string_view found = {});
  /// For who learns meanwhile how many there are.
  void show(std::uint64_t done, std::uint64_t total);
  void finish_part(std::uint64_t done) { before_ += done; }
  void clear();
  [[nodiscard]] bool on_terminal() const { return on_terminal_; }

 private:
  using Clock = std::chrono::steady_clock;
  const Host& host_;
  bool on_terminal_;
  bool shown_ = false, any_ = false;  // now; ever
  ProgressUnit unit_;
  std::uint64_t total_, before_ = 0;
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

}  // namespace afford::cli
