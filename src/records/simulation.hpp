#pragma once
// Deployments in detail as a record, notes and explanations.

#include <string>
#include <vector>

#include "report/record.hpp"
#include "study/simulation.hpp"

namespace afford {

/// `point`: any of the sweep's, for its columns.
[[nodiscard]] Record<study::Simulation> simulation_record(const study::SweepPoint& point);

/// Interval and extrapolation of a calibrated row, uneven micro-batches, jitter; of the whole run
/// what it rests on, and where the cheapest deployment changes.
[[nodiscard]] std::vector<std::string> notes_on(const study::Simulations& simulations,
                                                const study::SimulationRequest& request);

/// Every operation with its bytes, FLOPs and what binds; stages, expert load, memory.
[[nodiscard]] std::string explanation_of(const study::Simulation& simulation, std::int64_t seed);

/// The same operations as a table, those of explained rows; `row` counts these from 0.
[[nodiscard]] Table operations_table(const study::Simulations& simulations);

/// Why a deployment is infeasible, and the batch that would fit; empty when it is feasible.
[[nodiscard]] std::string reason(const Evaluation& evaluation, Seconds tpot_limit);

}  // namespace afford
