#pragma once
// What to rent for a traffic: the best plan, and those with less to choose from.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "study/search.hpp"
#include "study/served.hpp"
#include "study/sweep.hpp"

namespace afford::study {

/// Models and chips left empty are the workload's, and so is a TPOT limit that is not given.
struct RentalRequest : SearchRequest {
  std::string workload_file;
  bool tpot_given = false;            // tpot_limit is to replace the workload's
  std::vector<SweepPoint> sweep{{}};  // one empty point: no sweep
  const std::atomic<bool>* stop = nullptr;
};

/// Everything the plans of one point of the sweep point into.
struct RentalCase {
  SweepPoint swept;
  Workload workload;
  std::vector<HardwareSpec> chips;
  Prepared prepared;
  Space space;
  std::optional<bool> widened{};  // by widen()
  Setting setting, ideal;         // ideal: with no engine
  Explored found;
  std::vector<Sized> sized;
  PlanInput input;
};

enum class Scope { best, without_afd, one_chip };

/// One plan. Its pointers go into the case.
struct Rental {
  std::shared_ptr<const RentalCase> of;
  Scope scope = Scope::best;
  std::string name;  // "best", "without AFD", "h20 alone"
  Plan plan;
  Served served;
  [[nodiscard]] bool possible() const { return plan.impossible.empty(); }
};

struct Rentals {
  Workload workload;  // as the first point has it
  std::vector<Rental> rows;
  std::vector<SweptCost> swept_costs;
  LeftOut left_out;      // of "all"
  bool possible = true;  // the best plan of every point
  bool complete = true;  // else interrupted: the rows are of the points before
};
/// Throws InputError or UsageError.
[[nodiscard]] Rentals rentals(const RentalRequest& request);

}  // namespace afford::study
