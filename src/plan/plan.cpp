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

/// Requests a second that the things rented carry, headroom left free.
struct Carried {
  double decode = 0, prompts = 0, mixed = 0;
};

Carried carried_by(const Plan& plan) {
  Carried sum;
  for (const Rented& r : plan.rented)
    (r.sized->prompts ? sum.mixed : sum.decode) += real(r.instances) * r.sized->requests_per_s;
  for (const Rented& r : plan.prompts) sum.prompts += real(r.instances) * r.prompts->requests_per_s;
  return sum;
}

/// How the peak is shared: what serves requests whole, beside servers for prompts and for tokens of
/// which the scarcer decides, has its part of what all carry. Each part is spread in proportion to
/// capacity.
struct Split {
  double mixed = 0, apart = 0;  // requests a second
};

Split split_of(const Carried& c, double peak, bool prompts) {
  const double apart = prompts ? std::min(c.decode, c.prompts) : c.decode;
  const double mixed = c.mixed > 0 ? peak * c.mixed / (c.mixed + apart) : 0;
  return {.mixed = mixed, .apart = peak - mixed};
}

/// Instances rented, and what is in flight on each at the peak.
struct Working {
  const Rented& rented;
  InFlight in_flight;
};

/// Prompts on servers that decode too, and what of their cost they take: their share of a step.
void add_prompts_of(Plan& plan, std::vector<PromptShare>& shares, const Working& w,
                    const PlanInput& input) {
  const Sized& sized = *w.rented.sized;
  const double instances = real(w.rented.instances), engines = sized.interruptions.engines;
  const Seconds decoding =
      with_in_flight(sized.candidate, w.in_flight.mean, *input.space, *input.setting).step;
  const Seconds prompts = sized.interruptions.of(w.in_flight.mean);
  plan.mixed_gpus += w.rented.instances * sized.candidate.attention.size();
  plan.mixed_rate += instances * w.rented.peak_rate;
  plan.prompt_usd += instances * w.rented.monthly_usd * (prompts / (prompts + decoding));
  const PromptServer engine = beside_decoding(sized, decoding, input.workload->traffic);
  shares.push_back({.server = engine,
                    .waiting = waiting(engine, 1, w.rented.peak_rate / engines),
                    .requests_per_s = instances * w.rented.peak_rate});
}

/// The servers of a plan that work off prompts alone as one kind: prompts take whichever is free
/// first, so that faster ones have more of them.
struct PromptQueue {
  PromptServer server;
  double servers = 0, speed = 0;  // speed: prompts a second of all of them
};

PromptQueue queue_of(const Plan& plan) {
  PromptQueue queue;
  Seconds square;
  for (const Rented& r : plan.prompts) {
    const double n = real(r.instances), speed = n / r.prompts->mean.base();
    queue.servers += n;
    queue.speed += speed;
    square += speed * (r.prompts->mean.base() * r.prompts->mean +
                       r.prompts->deviation.base() * r.prompts->deviation);
  }
  queue.server.mean = Seconds(queue.servers / queue.speed);
  const double mean = queue.server.mean.base();
  queue.server.deviation =
      Seconds(std::sqrt(std::max(0.0, square.base() / queue.speed - mean * mean)));
  return queue;
}

void add_prompt_servers(Plan& plan, std::vector<PromptShare>& shares, double requests_per_s) {
  if (plan.prompts.empty()) return;
  const PromptQueue queue = queue_of(plan);
  const Waiting wait = waiting(queue.server, std::llround(queue.servers), requests_per_s);
  plan.prompt_utilisation = requests_per_s / queue.speed;
  for (const Rented& r : plan.prompts) {
    plan.prompt_gpus += r.instances * r.prompts->gpus;
    plan.prompt_usd += real(r.instances) * r.monthly_usd;
    const double share = real(r.instances) / r.prompts->mean.base() / queue.speed;
    shares.push_back(
        {.server = *r.prompts, .waiting = wait, .requests_per_s = share * requests_per_s});
  }
}

/// Tokens that are being made, and the time they take.
struct TokensMade {
  double tokens = 0, seconds = 0;
};

void add_tokens_of(Plan& plan, TokensMade& made, const Working& w, const PlanInput& input) {
  const Target& target = input.workload->target;
  const StationaryMix& mix = input.workload->traffic.mix;
  const double per_step = tokens_per_step(input.setting->speculation);
  const double instances = real(w.rented.instances);
  const InFlight& f = w.in_flight;
  made.tokens += instances * w.rented.peak_rate;
  made.seconds += instances * w.rented.peak_rate * (f.step_mean.base() / per_step);
  plan.tpot_at_percentile = std::max(plan.tpot_at_percentile, f.step_at_percentile / per_step);
  plan.requests_in_flight += instances * f.mean;
  // The contexts of n requests: n c on average, spread by n and by themselves.
  const double c1 = mix.context;
  const double deviation = std::sqrt(f.mean * mix.context_variance + f.variance * c1 * c1);
  const double contexts = f.mean * c1 + normal_quantile(target.percentile) * deviation;
  plan.kv_bytes_at_peak += instances * contexts / c1 * cache_of_request(*input.setting).base();
}

Working working(const Rented& r, const PlanInput& input) {
  const Queue queue(step_curve(*r.sized, *input.space, *input.setting), r.sized->most);
  const double steps =
      input.workload->traffic.mix.output_tokens / tokens_per_step(input.setting->speculation);
  return {r, queue.in_flight(r.peak_rate * steps, input.workload->target.percentile)};
}

/// Adds up what a fleet comes to. Traffic is spread in proportion to capacity, so every instance
/// works at the same share of its own.
void fill_in(Plan& plan, const PlanInput& input) {
  const Traffic& traffic = input.workload->traffic;
  const double peak = peak_rate(traffic);
  const Carried carried = carried_by(plan);
  const Split split = split_of(carried, peak, !plan.prompts.empty());
  const double mtok_a_month =
      traffic.requests_per_s * traffic.mix.output_tokens * hours_a_month * 3600 / 1e6;
  plan.usd_per_mtok = plan.monthly_usd / mtok_a_month;
  plan.utilisation =
      peak / (carried.decode + carried.mixed) * (1 - input.workload->target.headroom);
  TokensMade made;
  std::vector<PromptShare> shares;
  for (Rented& r : plan.rented) {
    const Candidate& c = r.sized->candidate;
    plan.attention_gpus += r.instances * c.attention.size();
    if (c.way == Way::disaggregated) plan.ffn_gpus += r.instances * c.ffn.size();
    const double share =
        r.sized->prompts ? split.mixed / carried.mixed : split.apart / carried.decode;
    r.peak_rate = share * r.sized->requests_per_s;
    const Working w = working(r, input);
    add_tokens_of(plan, made, w, input);
    if (r.sized->prompts) add_prompts_of(plan, shares, w, input);
  }
  plan.tpot_mean = Seconds(made.seconds / made.tokens);
  add_prompt_servers(plan, shares, split.apart);
  plan.first_token = first_token(shares, *input.workload);
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
  const auto any_does = [&](size_t task) {
    return std::any_of(problem.options.begin(), problem.options.end(),
                       [&](const FleetOption& option) { return does(option, task); });
  };
  if (!any_does(0)) plan.impossible = "no deployment meets the target";
  if (any_does(0) && problem.tasks > 1 && !any_does(1))
    plan.impossible = input.workload->target.ttft
                          ? "nothing works off the prompts in time for the first token"
                          : "no servers with NICs hold the model, to work off the prompts";
  if (!plan.impossible.empty()) return plan;
  const auto fleet = cheapest_fleet(problem);
  if (!fleet) {
    plan.impossible = fmt::format(
        "the inventory carries {:.4g} requests/s at most, spares left out, of {:.4g} at the peak",
        largest_load(problem), problem.peak_load);
    return plan;
  }
  plan.monthly_usd = fleet->cost;
  plan.gap = fleet->gap;
  std::set<size_t> kinds;
  for (size_t i = 0; i < fleet->counts.size(); ++i) {
    if (fleet->counts[i] == 0) continue;
    Rented rented = built.options[i];
    rented.instances = fleet->counts[i];
    rented.monthly_usd = problem.options[i].cost;
    (rented.prompts == nullptr ? plan.rented : plan.prompts).push_back(rented);
    kinds.insert(problem.options[i].kind);
  }
  plan.spare_instances = input.workload->target.spares * static_cast<std::int64_t>(kinds.size());
  fill_in(plan, input);
  plan.binds = binding(plan, built, input);
  return plan;
}

}  // namespace afford
