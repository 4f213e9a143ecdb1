#pragma once
// What requests met over time, and how long they took.

#include <string>
#include <vector>

#include "report/gnuplot.hpp"

namespace afford {

/// A row of a replay. Shares and memory in per cent, times to the first token and from token to
/// token in milliseconds; the first are empty where no figure counts prompts.
struct ReplayLine {
  struct Load {
    double time_s = 0, in_flight = 0, waiting = 0, memory = 0;
  };
  struct Within {
    double share = 0, time_ms = 0;
  };
  std::string name;
  std::vector<Load> loads;
  std::vector<Within> first_tokens, tokens;
};

/// Requests in flight and waiting and the memory they take over time; below, the share of requests
/// within a time to the first token and from token to token.
[[nodiscard]] Chart replay_chart(const std::vector<ReplayLine>& lines);

}  // namespace afford
