#include "plan/fleet.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "plan/glpk.hpp"

namespace afford {
namespace {

struct Deleter {
  void operator()(glp_prob* problem) const { glpk().delete_prob(problem); }
};
using Program = std::unique_ptr<glp_prob, Deleter>;

/// A sparse row under construction; GLPK counts from one.
struct Row {
  std::vector<int> columns{0};
  std::vector<double> values{0};
  void add(size_t column, double value) {
    columns.push_back(static_cast<int>(column) + 1);
    values.push_back(value);
  }
};

void add_row(glp_prob* program, const Row& row, int kind, double low, double high) {
  const int at = glpk().add_rows(program, 1);
  glpk().set_row_bnds(program, at, kind, low, high);
  glpk().set_mat_row(program, at, static_cast<int>(row.columns.size()) - 1, row.columns.data(),
                     row.values.data());
}

size_t kinds_of(const FleetProblem& p) {
  size_t kinds = 0;
  for (const FleetOption& option : p.options) kinds = std::max(kinds, option.kind + 1);
  return kinds;
}

/// Columns: the counts of the options, then (with spares) for each kind whether it is in use.
void add_columns(glp_prob* program, const FleetProblem& p, bool whole) {
  const size_t kinds = p.spares > 0 ? kinds_of(p) : 0;
  glpk().add_cols(program, static_cast<int>(p.options.size() + kinds));
  for (size_t i = 0; i < p.options.size(); ++i) {
    const int column = static_cast<int>(i) + 1;
    glpk().set_col_bnds(program, column, GLP_LO, 0, 0);
    glpk().set_obj_coef(program, column, p.options[i].cost);
    if (whole) glpk().set_col_kind(program, column, GLP_IV);
  }
  for (size_t k = 0; k < kinds; ++k)
    glpk().set_col_kind(program, static_cast<int>(p.options.size() + k) + 1, GLP_BV);
}

void add_resources(glp_prob* program, const FleetProblem& p) {
  for (size_t r = 0; r < p.resources.size(); ++r) {
    Row row;
    for (size_t i = 0; i < p.options.size(); ++i) {
      for (const auto& [resource, amount] : p.options[i].uses) {
        if (resource == r) row.add(i, amount);
      }
    }
    if (row.columns.size() > 1) add_row(program, row, GLP_UP, 0, p.resources[r]);
  }
}

/// A rate off the peak is a difference, which may leave next to nothing where it should be none.
bool is_rounding(double load, const FleetProblem& p) { return load <= 1e-9 * p.peak_load; }

/// The share of the load one instance carries. More than all of it counts as all: the same whole
/// numbers solve the program, and GLPK, which takes 1e-5 for nothing, sees no tiny numbers.
double share_carried(double capacity, double load) { return std::min(1.0, capacity / load); }

/// What runs in these hours for a task, less the spares, carries the load (scaled to one).
void add_load(glp_prob* program, const FleetProblem& p, size_t task, bool off_peak) {
  const double load = off_peak ? p.off_peak_load : p.peak_load;
  if (is_rounding(load, p)) return;
  Row row;
  std::vector<double> spared(kinds_of(p), 0);  // of each kind that does the task
  for (size_t i = 0; i < p.options.size(); ++i) {
    const FleetOption& option = p.options[i];
    if (!does(option, task)) continue;
    spared[option.kind] = p.spares * share_carried(option.capacity, load);
    if (!off_peak || option.off_peak) row.add(i, share_carried(option.capacity, load));
  }
  for (size_t k = 0; k < spared.size(); ++k) {
    if (spared[k] > 0) row.add(p.options.size() + k, -spared[k]);
  }
  add_row(program, row, GLP_LO, 1, 0);
}

/// A kind any option of which is rented is in use.
void add_use(glp_prob* program, const FleetProblem& p) {
  if (p.spares == 0) return;
  for (size_t i = 0; i < p.options.size(); ++i) {
    const double most = std::ceil(p.peak_load / p.options[i].capacity) + p.spares;
    Row row;
    row.add(i, 1);
    row.add(p.options.size() + p.options[i].kind, -most);
    add_row(program, row, GLP_UP, 0, 0);
  }
}

/// What the instances of the fleet carry of a task, less the spares of the kinds in use.
double carried(const FleetProblem& p, const Fleet& fleet, size_t task, bool off_peak) {
  std::vector<double> spare(kinds_of(p), 0);
  double sum = 0;
  for (size_t i = 0; i < p.options.size(); ++i) {
    const FleetOption& option = p.options[i];
    if (!does(option, task)) continue;
    if (fleet.counts[i] > 0) spare[option.kind] = p.spares * option.capacity;
    if (!off_peak || option.off_peak) sum += static_cast<double>(fleet.counts[i]) * option.capacity;
  }
  return std::accumulate(spare.begin(), spare.end(), sum, std::minus<>());
}

/// A solver works within tolerances; the answer is checked without any but rounding.
void require_carried(const FleetProblem& p, const Fleet& fleet) {
  constexpr double rounding = 1e-6;
  for (size_t task = 0; task < p.tasks; ++task) {
    if (carried(p, fleet, task, false) >= p.peak_load * (1 - rounding) &&
        (is_rounding(p.off_peak_load, p) ||
         carried(p, fleet, task, true) >= p.off_peak_load * (1 - rounding)))
      continue;
    throw std::runtime_error("GLPK's fleet does not carry the load");
  }
}

Program program_of(const FleetProblem& p, bool whole) {
  glpk().term_out(GLP_OFF);
  Program program(glpk().create_prob());
  add_columns(program.get(), p, whole);
  add_resources(program.get(), p);
  return program;
}

}  // namespace

bool does(const FleetOption& option, size_t task) {
  return std::find(option.tasks.begin(), option.tasks.end(), task) != option.tasks.end();
}

std::optional<Fleet> cheapest_fleet(const FleetProblem& p) {
  constexpr int patience_ms = 20'000;
  if (p.options.empty()) return std::nullopt;
  const Program program = program_of(p, true);
  glpk().set_obj_dir(program.get(), GLP_MIN);
  for (size_t task = 0; task < p.tasks; ++task) {
    add_load(program.get(), p, task, false);
    add_load(program.get(), p, task, true);
  }
  add_use(program.get(), p);
  glp_iocp control;
  glpk().init_iocp(&control);
  control.presolve = GLP_ON;
  control.tm_lim = patience_ms;
  const int failed = glpk().intopt(program.get(), &control);
  const int status = glpk().mip_status(program.get());
  if ((failed != 0 && failed != GLP_ETMLIM) || (status != GLP_OPT && status != GLP_FEAS))
    return std::nullopt;
  Fleet fleet{.counts = {}, .cost = 0};
  for (size_t i = 0; i < p.options.size(); ++i) {
    fleet.counts.push_back(
        std::llround(glpk().mip_col_val(program.get(), static_cast<int>(i) + 1)));
    fleet.cost += static_cast<double>(fleet.counts.back()) * p.options[i].cost;
  }
  require_carried(p, fleet);
  if (status == GLP_FEAS) {
    double bound = 0;  // the relaxation's
    glpk().simplex(program.get(), nullptr);
    bound = glpk().get_obj_val(program.get());
    fleet.gap = 1 - bound / fleet.cost;
  }
  return fleet;
}

double largest_load(const FleetProblem& p) {
  if (p.options.empty() || p.resources.empty()) return 0;
  FleetProblem bare = p;
  bare.spares = 0;
  const Program program = program_of(bare, false);
  glpk().set_obj_dir(program.get(), GLP_MAX);
  for (size_t i = 0; i < p.options.size(); ++i)
    glpk().set_obj_coef(program.get(), static_cast<int>(i) + 1, 0);
  const int load = glpk().add_cols(program.get(), 1);
  glpk().set_col_bnds(program.get(), load, GLP_LO, 0, 0);
  glpk().set_obj_coef(program.get(), load, 1);
  for (size_t task = 0; task < p.tasks; ++task) {
    Row row;
    for (size_t i = 0; i < p.options.size(); ++i) {
      if (does(p.options[i], task)) row.add(i, p.options[i].capacity);
    }
    row.add(p.options.size(), -1);
    add_row(program.get(), row, GLP_LO, 0, 0);
  }
  glp_smcp control;
  glpk().init_smcp(&control);
  control.msg_lev = GLP_MSG_OFF;
  if (glpk().simplex(program.get(), &control) != 0 || glpk().get_status(program.get()) != GLP_OPT)
    return 0;
  return glpk().get_obj_val(program.get());
}

}  // namespace afford
