#pragma once
// The cheapest whole numbers of deployments that carry a load within limited inventories: an
// integer program.

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace afford {

/// One thing to rent, in whole numbers. `kind` groups options that are the same deployment under
/// another contract; spares are counted for each kind in use. `tasks`: which parts of a request's
/// work it does, the same for all options of a kind. One that does several carries its capacity of
/// each.
struct FleetOption {
  size_t kind = 0;
  std::vector<size_t> tasks{0};
  double capacity = 0;                          // load one carries
  double cost = 0;                              // a month
  bool off_peak = true;                         // runs outside the peak hours too
  std::vector<std::pair<size_t, double>> uses;  // of which resource how much
};

[[nodiscard]] bool does(const FleetOption& option, size_t task);

struct FleetProblem {
  std::vector<FleetOption> options;
  std::vector<double> resources;            // how much there is of each
  double peak_load = 0, off_peak_load = 0;  // of every task
  size_t tasks = 1;
  int spares = 0;  // of each kind in use, running whenever the kind does
};

struct Fleet {
  std::vector<std::int64_t> counts;  // of each option, spares included
  double cost = 0;
  double gap = 0;  // how far from optimal the solver could not exclude, as a share; 0: proven
};

/// Nothing when the resources do not suffice. Solved by GLPK's branch and bound.
[[nodiscard]] std::optional<Fleet> cheapest_fleet(const FleetProblem& problem);

/// The largest peak load of which the resources carry every task (fractions of deployments allowed,
/// spares left out).
[[nodiscard]] double largest_load(const FleetProblem& problem);

}  // namespace afford
