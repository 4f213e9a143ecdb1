#include "plan/rental_problem.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "text/quantity.hpp"

namespace afford {
namespace {

bool allowed(const Sized& sized, const Choice& choice) {
  if (choice.prompts == (sized.prompts ? PromptsOn::own : PromptsOn::decoding)) return false;
  const Candidate& c = sized.candidate;
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
    if (!allowed(one, choice)) continue;
    const auto use = use_of(one.candidate, chips);
    const bool beaten = std::any_of(sized.begin(), sized.end(), [&](const Sized& other) {
      if (&other == &one || !allowed(other, choice)) return false;
      // One that works off prompts too is not worth less for carrying less.
      if (other.prompts.has_value() != one.prompts.has_value()) return false;
      const auto others = use_of(other.candidate, chips);
      if (!no_more_than(others, use)) return false;
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
  size_t kind = 0;
  std::vector<size_t> tasks{0};
  double requests_per_s = 0;
  std::vector<double> use;  // accelerators of each chip
  const Sized* sized = nullptr;
  const PromptServer* prompts = nullptr;
};

/// One option for each contract that offers all chips of it, all day and in the peak hours alone.
void add_options(RentalProblem& built, const Thing& thing, const Resources& resources,
                 const PlanInput& input) {
  const Traffic& traffic = input.workload->traffic;
  const auto add = [&](bool reserved, bool all_day) {
    const auto cost = hourly(thing.use, input.offers, reserved);
    if (!cost) return;
    FleetOption option{.kind = thing.kind,
                       .tasks = thing.tasks,
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

/// Drops all but the cheapest by cost per load, of those from `first` on: an integer program of a
/// few hundred columns solves in moments.
void keep_cheapest(RentalProblem& built, size_t first, size_t most) {
  if (built.options.size() <= first + most) return;
  std::vector<size_t> order(built.options.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto& options = built.problem.options;
  std::stable_sort(
      order.begin() + static_cast<std::ptrdiff_t>(first), order.end(), [&](size_t a, size_t b) {
        return options[a].cost / options[a].capacity < options[b].cost / options[b].capacity;
      });
  RentalProblem kept{.problem = built.problem, .options = {}};
  kept.problem.options.clear();
  for (size_t i = 0; i < first + most; ++i) {
    kept.problem.options.push_back(options[order[i]]);
    kept.options.push_back(built.options[order[i]]);
  }
  built = std::move(kept);
}

size_t next_kind(const FleetProblem& problem) {
  size_t kind = 0;
  for (const FleetOption& option : problem.options) kind = std::max(kind, option.kind + 1);
  return kind;
}

/// Deployments, each for what it carries less `growth`.
void add_deployments(RentalProblem& built, const std::vector<const Sized*>& list,
                     const Resources& resources, const PlanInput& input, double growth) {
  constexpr size_t most_options = 300;
  const size_t first = built.options.size();
  size_t kind = next_kind(built.problem);
  for (const Sized* one : list) {
    add_options(built,
                {.kind = kind++,
                 .tasks = one->prompts ? std::vector<size_t>{0, 1} : std::vector<size_t>{0},
                 .requests_per_s = one->requests_per_s / growth,
                 .use = use_of(one->candidate, input.space->chips->size()),
                 .sized = one},
                resources, input);
  }
  keep_cheapest(built, first, most_options);
}

}  // namespace

RentalProblem rental_problem(const std::vector<Sized>& sized, const PlanInput& input,
                             const Choice& choice) {
  const Traffic& traffic = input.workload->traffic;
  const Resources resources(input.offers);
  RentalProblem built;
  built.problem.resources = resources.amounts;
  built.problem.peak_load = peak_rate(traffic);
  built.problem.off_peak_load = traffic.peak_hours < 24 ? off_peak_rate(traffic) : 0;
  built.problem.spares = input.workload->target.spares;
  std::vector<const Sized*> list = useful(sized, input, choice);
  const auto mixed = std::stable_partition(list.begin(), list.end(),
                                           [](const Sized* one) { return !one->prompts; });
  add_deployments(built, {list.begin(), mixed}, resources, input, choice.growth.decode);
  add_deployments(built, {mixed, list.end()}, resources, input, choice.growth.mixed);
  if (!has_prompts(traffic)) return built;
  built.problem.tasks = 2;
  if (choice.prompts == PromptsOn::decoding) return built;
  size_t kind = next_kind(built.problem);
  for (const PromptServer& server : input.prompt_servers) {
    if (choice.only_chip && server.chip != *choice.only_chip) continue;
    std::vector<double> use(input.space->chips->size(), 0);
    use[server.chip] = real(server.gpus);
    add_options(built,
                {.kind = kind++,
                 .tasks = {1},
                 .requests_per_s = server.requests_per_s / choice.growth.prompts,
                 .use = std::move(use),
                 .prompts = &server},
                resources, input);
  }
  return built;
}

}  // namespace afford
