#pragma once
// Replayed requests as a record with its notes.

#include <string>
#include <vector>

#include "report/record.hpp"
#include "study/replay.hpp"

namespace afford {

[[nodiscard]] const Record<study::ReplayRow>& replay_record();

/// Requests in flight and waiting, memory and tokens over the time of a row, one line an interval.
[[nodiscard]] Table over_time(const study::ReplayRow& row);

/// What was replayed and what it rests on; what of it is not modelled.
[[nodiscard]] std::vector<std::string> notes_on(const study::Replays& replays,
                                                const study::ReplayRequest& request);

}  // namespace afford
