#pragma once
// Replayed requests as a record with its notes.

#include <string>
#include <vector>

#include "report/record.hpp"
#include "study/replay.hpp"

namespace afford {

[[nodiscard]] const Record<study::ReplayRow>& replay_record();

/// "2/s", "64 at once", "trace".
[[nodiscard]] std::string arrivals_text(const study::ReplayRow& row);

/// Whether prompts are worked off by what was replayed.
[[nodiscard]] bool works_on_prompts(const study::ReplayRow& row);

/// What was there from a moment on; the moments of a row, at most 256.
struct LoadAt {
  Seconds begin;
  Load load;
};
[[nodiscard]] std::vector<LoadAt> loads_over_time(const study::ReplayRow& row);

/// Requests in flight and waiting, memory and tokens over the time of a row, one line an interval.
[[nodiscard]] Table over_time(const study::ReplayRow& row);

/// What was replayed and what it rests on; what of it is not modelled.
[[nodiscard]] std::vector<std::string> notes_on(const study::Replays& replays,
                                                const study::ReplayRequest& request);

}  // namespace afford
