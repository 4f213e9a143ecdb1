#pragma once
// What can be rented for a workload, as an integer program.

#include <vector>

#include "plan/fleet.hpp"
#include "plan/plan.hpp"

namespace afford {

/// The integer program and what its options stand for.
struct RentalProblem {
  FleetProblem problem;
  std::vector<Rented> options;
};

/// Every deployment of `sized` that `choice` allows and no other beats, and every prompt server,
/// under each contract that offers its chips.
[[nodiscard]] RentalProblem rental_problem(const std::vector<Sized>& sized, const PlanInput& input,
                                           const Choice& choice);

}  // namespace afford
