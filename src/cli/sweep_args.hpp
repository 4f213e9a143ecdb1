#pragma once
// --sweep PARAMETER=VALUES: one run for each value of what is usually a flag.

#include <string>
#include <vector>

#include "cli/verb.hpp"
#include "study/sweep.hpp"

namespace afford::cli {

void add_sweep(Verb& verb, std::vector<std::string>& sweeps);

/// What a verb can sweep: what a deployment runs under, or of a workload too.
enum class SweepOf { deployment, workload };

/// Every combination, the last sweep fastest; one empty point without sweeps. Throws
/// UsageError, also for a parameter without effect `under` the run's conditions.
[[nodiscard]] std::vector<study::SweepPoint> sweep_points(const std::vector<std::string>& sweeps,
                                                          const study::Conditions& under,
                                                          SweepOf of = SweepOf::deployment);
/// The same of a search, whose inventory is said once too.
[[nodiscard]] std::vector<study::SweepPoint> sweep_points(const std::vector<std::string>& sweeps,
                                                          const study::SearchRequest& under,
                                                          SweepOf of = SweepOf::deployment);

}  // namespace afford::cli
