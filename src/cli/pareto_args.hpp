#pragma once
// How a frontier is asked for on the command line.

#include <string>

#include "cli/search_args.hpp"
#include "study/frontier.hpp"

namespace afford::cli {

struct ParetoArgs : SearchArgs {
  std::string shard = "1/1", why_not, isl, osl, ttft;
  double prefix_hit_rate = 0;
  std::vector<std::string> prefill;
  bool all = false;
};

void add_pareto(Verb& verb, ParetoArgs& args);
/// Throws UsageError.
[[nodiscard]] study::FrontierRequest frontier_request(const ParetoArgs& args);

}  // namespace afford::cli
