#pragma once
// Who runs a command: the terminal, or a program that takes its answer as values.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "report/table.hpp"

namespace afford::study {
class KeptFrontiers;
}

namespace afford::cli {

/// Empty members are the terminal's: standard output and error, Ctrl-C, one line of progress.
struct Host {
  /// Takes the table of an answer that no -o FILE is given for; --format is then json, or table
  /// where an explanation is asked for.
  std::function<void(const Table&)> table;
  /// Takes what belongs to the rows of that table, by its name: their "operations", "events".
  std::function<void(std::string_view, const Table&)> detail;
  std::function<void(std::string_view)> print, say;
  /// Set by whoever wants the command to end early.
  const std::atomic<bool>* stop = nullptr;
  /// Candidates of a search tried, or requests of a replay asked, so far, of how many.
  std::function<void(std::uint64_t, std::uint64_t)> progress;
  /// What questions that differ from this one in their --tpot alone have left.
  study::KeptFrontiers* kept = nullptr;

  /// Whether the answer goes to a file or stream, rather than to `table`.
  [[nodiscard]] bool writes(std::string_view file) const { return !table || !file.empty(); }
};

/// The wish to stop: the host's, or Ctrl-C from here on.
[[nodiscard]] const std::atomic<bool>& stop_of(const Host& host);

}  // namespace afford::cli
