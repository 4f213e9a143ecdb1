#pragma once
// A replay as a Chrome trace for Perfetto, written while it runs: an instance is a process, its
// requests lie on as few tracks as do not let two overlap.

#include <functional>
#include <string_view>
#include <vector>

#include "study/replay.hpp"

namespace afford {

class ReplayTrace {
 public:
  /// `write` gets the text piece by piece; what is kept does not grow with the requests.
  explicit ReplayTrace(std::function<void(std::string_view)> write);

  /// A request that has ended, as `waits`, `prompt` and `decode`; in the order of their ends in an
  /// instance, or nearly.
  void add(const Outcome& outcome, std::size_t instance);
  /// Requests in flight and waiting, memory and tokens a second over time, and the end.
  void finish(const study::ReplayRow& row);

 private:
  struct Slice {
    std::string_view name;
    Seconds begin, end;
  };
  [[nodiscard]] std::size_t track_of(const Outcome& outcome, std::size_t instance);
  void slice(const Outcome& outcome, std::size_t instance, std::size_t track, const Slice& part);
  void event(std::string_view text);

  std::function<void(std::string_view)> write_;
  std::vector<std::vector<Seconds>> busy_until_;  // of each instance's tracks
  bool first_ = true;
};

}  // namespace afford
