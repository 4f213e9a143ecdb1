#include "plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "deploy/memory.hpp"
#include "plan/rental_problem.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

/// Adds up what works off prompts, which share the requests in proportion to capacity too.
void fill_in_prompts(Plan& plan, const PlanInput& input) {
  if (plan.prompts.empty()) return;
  const double peak = peak_rate(input.workload->traffic);
  double capacity = 0, seconds = 0;
  for (const Rented& r : plan.prompts) capacity += real(r.instances) * r.prompts->requests_per_s;
  for (const Rented& r : plan.prompts) {
    plan.prompt_gpus += r.instances * r.prompts->gpus;
    const double rate = peak * real(r.instances) * r.prompts->requests_per_s / capacity;
    const Seconds each =
        mean_wait(*r.prompts, r.instances, rate) + r.prompts->mean + r.prompts->sending;
    seconds += rate / peak * each.base();
  }
  plan.ttft = Seconds(seconds);
  plan.prompt_utilisation = peak / capacity * (1 - input.workload->target.headroom);
}

/// Adds up what a fleet comes to. Traffic is spread in proportion to capacity, so every instance
/// works at the same share of its own.
void fill_in(Plan& plan, const PlanInput& input, const Fleet& fleet) {
  const Traffic& traffic = input.workload->traffic;
  const Target& target = input.workload->target;
  double capacity = 0;
  for (const Rented& r : plan.rented) capacity += real(r.instances) * r.sized->requests_per_s;
  const double share = peak_rate(traffic) / capacity;  // of the capacity, spares working too
  plan.monthly_usd = fleet.cost;
  plan.gap = fleet.gap;
  const double mtok_a_month =
      traffic.requests_per_s * traffic.mix.output_tokens * hours_a_month * 3600 / 1e6;
  plan.usd_per_mtok = plan.monthly_usd / mtok_a_month;
  plan.utilisation = share * (1 - target.headroom);
  double tokens = 0, token_seconds = 0;
  for (const Rented& r : plan.rented) {
    const Candidate& c = r.sized->candidate;
    plan.attention_gpus += r.instances * c.attention.size();
    if (c.way == Way::disaggregated) plan.ffn_gpus += r.instances * c.ffn.size();
    const Queue queue(step_curve(c, r.sized->most, *input.space, *input.setting), r.sized->most);
    const double per_step = tokens_per_step(input.setting->speculation);
    const double rate = share * r.sized->requests_per_s;
    const InFlight f =
        queue.in_flight(rate * traffic.mix.output_tokens / per_step, target.percentile);
    const double made = real(r.instances) * rate;
    tokens += made, token_seconds += made * (f.step_mean.base() / per_step);
    plan.tpot_at_percentile = std::max(plan.tpot_at_percentile, f.step_at_percentile / per_step);
    plan.requests_in_flight += real(r.instances) * f.mean;
    // The contexts of n requests: n c on average, spread by n and by themselves.
    const double c1 = traffic.mix.context;
    const double deviation =
        std::sqrt(f.mean * traffic.mix.context_variance + f.variance * c1 * c1);
    const double contexts = f.mean * c1 + normal_quantile(target.percentile) * deviation;
    plan.kv_bytes_at_peak +=
        real(r.instances) * contexts / c1 * cache_per_request(*input.setting, 1).base();
  }
  plan.tpot_mean = Seconds(token_seconds / tokens);
  fill_in_prompts(plan, input);
  plan.gpus = plan.attention_gpus + plan.ffn_gpus + plan.prompt_gpus;
}

/// What keeps the plan from being cheaper: the deployment's own limit, whole instances, or an
/// inventory.
std::string binding(const Plan& plan, const RentalProblem& built, const PlanInput& input) {
  const Rented& main = *std::max_element(plan.rented.begin(), plan.rented.end(),
                                         [](const Rented& a, const Rented& b) {
                                           return real(a.instances) * a.sized->requests_per_s <
                                                  real(b.instances) * b.sized->requests_per_s;
                                         });
  std::string text(main.sized->limit);
  const Evaluation e =
      with_in_flight(main.sized->candidate, main.sized->most, *input.space, *input.setting);
  text += fmt::format(", {}", e.bound);
  FleetProblem free = built.problem;
  for (double& amount : free.resources) amount = 1e12;
  const auto unlimited = cheapest_fleet(free);
  if (unlimited && unlimited->cost < plan.monthly_usd * (1 - 1e-6))
    text += fmt::format(", inventory ({:.0f} % dearer than without limits)",
                        100 * (plan.monthly_usd / unlimited->cost - 1));
  return text;
}

}  // namespace

Plan make_plan(const std::vector<Sized>& sized, const PlanInput& input, const Choice& choice) {
  Plan plan;
  const RentalProblem built = rental_problem(sized, input, choice);
  const FleetProblem& problem = built.problem;
  const auto does = [&](size_t task) {
    return std::any_of(problem.options.begin(), problem.options.end(),
                       [&](const FleetOption& option) { return option.task == task; });
  };
  if (!does(0)) plan.impossible = "no deployment meets the target";
  if (does(0) && problem.tasks > 1 && !does(1))
    plan.impossible = "no servers with NICs hold the model, to work off the prompts";
  if (!plan.impossible.empty()) return plan;
  const auto fleet = cheapest_fleet(problem);
  if (!fleet) {
    plan.impossible = fmt::format(
        "the inventory carries {:.4g} requests/s at most, spares left out, of {:.4g} at the peak",
        largest_load(problem), problem.peak_load);
    return plan;
  }
  std::set<size_t> kinds;
  for (size_t i = 0; i < fleet->counts.size(); ++i) {
    if (fleet->counts[i] == 0) continue;
    Rented rented = built.options[i];
    rented.instances = fleet->counts[i];
    (rented.prompts == nullptr ? plan.rented : plan.prompts).push_back(rented);
    if (rented.prompts != nullptr)
      plan.prompt_usd += real(rented.instances) * problem.options[i].cost;
    kinds.insert(problem.options[i].kind);
  }
  plan.spare_instances = input.workload->target.spares * static_cast<std::int64_t>(kinds.size());
  fill_in(plan, input, *fleet);
  plan.binds = binding(plan, built, input);
  return plan;
}

}  // namespace afford
