#pragma once
#include "report/replay_chart.hpp"
#include "study/replay.hpp"

namespace afford {

/// Every row of a replay as one line of each panel.
[[nodiscard]] Chart replay_picture(const study::Replays& replays);

}  // namespace afford
