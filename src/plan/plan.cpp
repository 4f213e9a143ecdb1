#include "plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "deploy/memory.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

/// Accelerators of each chip.
std::vector<double> use_of(const Candidate& c, size_t chips) {
  std::vector<double> use(chips, 0);
  use[c.attention.chip] += real(c.attention.size());
  if (c.way == Way::disaggregated) use[c.ffn.chip] += real(c.ffn.size());
  return use;
}

bool allowed(const Candidate& c, const Choice& choice) {
  if (!choice.afd && c.way == Way::disaggregated) return false;
  if (!choice.only_chip) return true;
  return c.attention.chip == *choice.only_chip &&
         (c.way != Way::disaggregated || c.ffn.chip == *choice.only_chip);
}

/// Drops what another of the list carries more than, with no more accelerators of any chip.
std::vector<const Sized*> useful(const std::vector<Sized>& sized, const PlanInput& input,
                                 const Choice& choice) {
  const size_t chips = input.space->chips->size();
  std::vector<const Sized*> kept;
  for (const Sized& one : sized) {
    if (!allowed(one.candidate, choice)) continue;
    const auto use = use_of(one.candidate, chips);
    const bool beaten = std::any_of(sized.begin(), sized.end(), [&](const Sized& other) {
      if (&other == &one || !allowed(other.candidate, choice)) return false;
      const auto others = use_of(other.candidate, chips);
      for (size_t c = 0; c < chips; ++c) {
        if (others[c] > use[c]) return false;
      }
      if (other.requests_per_s != one.requests_per_s || others != use)
        return other.requests_per_s >= one.requests_per_s;
      return &other < &one;
    });
    if (!beaten) kept.push_back(&one);
  }
  return kept;
}

/// The contract of one kind a chip offers, or nothing.
std::optional<Contract> contract_of(const Offer& offer, bool reserved) {
  for (const Contract& contract : offer.contracts) {
    if (contract.reserved == reserved) return contract;
  }
  return std::nullopt;
}

/// The integer program and what its options stand for.
struct Built {
  FleetProblem problem;
  std::vector<Rented> options;
};

/// Limits become resources: of a chip in all, and of each contract.
struct Resources {
  std::vector<double> amounts;
  std::vector<std::array<std::optional<size_t>, 3>> of_chip;  // in all, on demand, reserved

  explicit Resources(const std::vector<Offer>& offers) {
    const auto add = [&](const std::optional<std::int64_t>& limit) -> std::optional<size_t> {
      if (!limit) return std::nullopt;
      amounts.push_back(real(*limit));
      return amounts.size() - 1;
    };
    for (const Offer& offer : offers) {
      const auto demand = contract_of(offer, false), reserved = contract_of(offer, true);
      of_chip.push_back({add(offer.limit), add(demand ? demand->limit : std::nullopt),
                         add(reserved ? reserved->limit : std::nullopt)});
    }
  }
};

/// Cost of an hour, or nothing when a chip is not offered under such a contract.
std::optional<double> hourly(const std::vector<double>& use, const std::vector<Offer>& offers,
                             bool reserved) {
  double sum = 0;
  for (size_t c = 0; c < use.size(); ++c) {
    if (use[c] == 0) continue;
    const auto contract = contract_of(offers[c], reserved);
    if (!contract) return std::nullopt;
    sum += use[c] * (contract->price / usd_per_hour);
  }
  return sum;
}

/// What one thing to rent does and takes.
struct Thing {
  size_t kind = 0, task = 0;
  double requests_per_s = 0;
  std::vector<double> use;  // accelerators of each chip
  const Sized* sized = nullptr;
  const PromptServer* prompts = nullptr;
};

/// One option for each contract that offers all chips of it, all day and in the peak hours alone.
void add_options(Built& built, const Thing& thing, const Resources& resources,
                 const PlanInput& input) {
  const Traffic& traffic = input.workload->traffic;
  const auto add = [&](bool reserved, bool all_day) {
    const auto cost = hourly(thing.use, input.offers, reserved);
    if (!cost) return;
    FleetOption option{.kind = thing.kind,
                       .task = thing.task,
                       .capacity = thing.requests_per_s,
                       .cost = *cost * hours_a_month * (all_day ? 1 : traffic.peak_hours / 24),
                       .off_peak = all_day,
                       .uses = {}};
    for (size_t c = 0; c < thing.use.size(); ++c) {
      if (thing.use[c] == 0) continue;
      const auto& mine = resources.of_chip[c];
      if (mine[0]) option.uses.emplace_back(*mine[0], thing.use[c]);
      if (const auto& own = mine[reserved ? 2 : 1]) option.uses.emplace_back(*own, thing.use[c]);
    }
    built.problem.options.push_back(std::move(option));
    built.options.push_back({.sized = thing.sized,
                             .prompts = thing.prompts,
                             .contract = {.reserved = reserved, .price = {}, .limit = {}},
                             .all_day = all_day});
  };
  add(true, true);
  add(false, true);
  if (traffic.peak_hours < 24) add(false, false);
}

/// The cheapest options by cost per load: an integer program of a few hundred columns solves in
/// moments.
void keep_cheapest(Built& built, size_t most) {
  if (built.options.size() <= most) return;
  std::vector<size_t> order(built.options.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto& options = built.problem.options;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return options[a].cost / options[a].capacity < options[b].cost / options[b].capacity;
  });
  Built kept{.problem = built.problem, .options = {}};
  kept.problem.options.clear();
  for (size_t i = 0; i < most; ++i) {
    kept.problem.options.push_back(options[order[i]]);
    kept.options.push_back(built.options[order[i]]);
  }
  built = std::move(kept);
}

Built build(const std::vector<Sized>& sized, const PlanInput& input, const Choice& choice) {
  constexpr size_t most_options = 300;
  const Traffic& traffic = input.workload->traffic;
  const size_t chips = input.space->chips->size();
  const Resources resources(input.offers);
  Built built;
  built.problem.resources = resources.amounts;
  built.problem.peak_load = peak_rate(traffic);
  built.problem.off_peak_load = traffic.peak_hours < 24 ? off_peak_rate(traffic) : 0;
  built.problem.spares = input.workload->target.spares;
  size_t kind = 0;
  for (const Sized* one : useful(sized, input, choice)) {
    add_options(built,
                {.kind = kind++,
                 .requests_per_s = one->requests_per_s,
                 .use = use_of(one->candidate, chips),
                 .sized = one},
                resources, input);
  }
  keep_cheapest(built, most_options);
  if (!has_prompts(traffic)) return built;
  built.problem.tasks = 2;
  for (const PromptServer& server : input.prompt_servers) {
    if (choice.only_chip && server.chip != *choice.only_chip) continue;
    std::vector<double> use(chips, 0);
    use[server.chip] = real(server.gpus);
    add_options(built,
                {.kind = kind++,
                 .task = 1,
                 .requests_per_s = server.requests_per_s,
                 .use = std::move(use),
                 .prompts = &server},
                resources, input);
  }
  return built;
}

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
std::string binding(const Plan& plan, const Built& built, const PlanInput& input) {
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
  const Built built = build(sized, input, choice);
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
