#pragma once
// What to rent for a traffic: the best plan, and those with less to choose from.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "study/plan_replay.hpp"
#include "study/search.hpp"
#include "study/served.hpp"
#include "study/sweep.hpp"

namespace afford::study {

/// Models and chips left empty are the workload's, and so is a TPOT limit that is not given.
struct RentalRequest : SearchRequest {
  std::string workload_file;
  bool tpot_given = false;            // tpot_limit is to replace the workload's
  std::optional<Seconds> ttft_limit;  // instead of the workload's
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

enum class Scope { best, without_afd, prompts_apart, mixed, one_chip };

/// One plan. Its pointers go into the case.
struct Rental {
  std::shared_ptr<const RentalCase> of;
  Scope scope = Scope::best;
  std::string name;  // "best", "without AFD", "h20 alone"
  TriedPlan tried;   // by replay: the best alone
  Served served;
  [[nodiscard]] const Plan& plan() const { return tried.plan; }
  [[nodiscard]] bool possible() const { return plan().impossible.empty(); }
  /// Its own targets, as far as it was replayed.
  [[nodiscard]] bool meets() const {
    return possible() && (!tried.replay || tried.replay->meets());
  }
};

struct Rentals {
  Workload workload;  // as the first point has it
  std::vector<Rental> rows;
  std::vector<SweptCost> swept_costs;
  LeftOut left_out;      // of "all"
  bool possible = true;  // the best plan of every point, which meets its targets in its replay
  bool complete = true;  // else interrupted: the rows are of the points before
};
/// Throws InputError or UsageError.
[[nodiscard]] Rentals rentals(const RentalRequest& request);

}  // namespace afford::study
