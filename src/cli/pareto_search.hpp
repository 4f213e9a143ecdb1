#pragma once
// The search of `pareto`, as the terminal sees it.

#include <vector>

#include "cli/pareto_args.hpp"
#include "study/frontier.hpp"

namespace afford::cli {

/// Runs every case and shows how far it is; with --all their candidates go to the file as they
/// come.
[[nodiscard]] study::Frontiers search_shown(const study::FrontierRequest& request,
                                            const std::vector<study::FrontierCase>& cases,
                                            const ParetoArgs& args);

}  // namespace afford::cli
