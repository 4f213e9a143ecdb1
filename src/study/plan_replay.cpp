#include "study/plan_replay.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

#include "traffic/at_once.hpp"

namespace afford::study {
namespace {

/// How much more a part is taken to need after a replay in which it misses a target, at least and
/// at most, and when to give up.
constexpr double least_step = 1.05, most_step = 1.5, most_growth = 1000;

/// Servers and pools of a plan. They point into themselves and the plan's input.
struct PlanFleet {
  std::deque<Server> servers;
  std::deque<PromptPool> pools;
  ReplayFleet fleet;
};

void add_servers(PlanFleet& out, const Rented& rented, const PlanInput& input) {
  const AnyDeployment way = deployment_of(rented.sized->candidate, *input.space);
  const std::int64_t engines = instances_of(way);
  Server& server = out.servers.emplace_back(server_of(way, *input.setting, {}));
  server.prompts_here = rented.sized->prompts.has_value();
  out.fleet.servers.push_back({.server = &server,
                               .instances = rented.instances * engines,
                               .weight = rented.peak_rate / real(engines)});
}

void add_pool(PlanFleet& out, const Rented& rented, const PlanInput& input) {
  PromptPool& pool = out.pools.emplace_back(prompt_pool_of(rented.prompts->pool, *input.setting));
  pool.instances *= rented.instances;
  out.fleet.prompts.push_back(&pool);
}

/// Requests enough to fill a plan many times over; of a trace its densest part.
RequestSource requests_of(const Traffic& traffic, double in_flight) {
  if (traffic.trace.empty()) {
    constexpr double fewest = 3000, most = 40'000, times = 10;
    const double count = std::clamp(times * in_flight, fewest, most);
    constexpr std::uint64_t seed = 1;
    return poisson(first_of(drawn(traffic.prompt, traffic.output, seed), std::llround(count)),
                   peak_rate(traffic), seed + 1);
  }
  return faster(
      first_of(trace_source(traffic.trace, traffic.busiest.start), traffic.busiest.requests),
      peak_rate(traffic) / traffic.busiest.requests_per_s);
}

/// What a group misses, as the growth of its part: by how much it is too slow.
void add_missing(Growth& missing, const GroupTimes& times, bool mixed, const Target& target) {
  const double slow = Seconds(times.token.quantile(target.percentile)) / target.tpot;
  const double late =
      target.ttft ? Seconds(times.first_token.quantile(target.percentile)) / *target.ttft : 0;
  const auto grow = [](double& part, double over) {
    if (over > 1) part = std::max(part, std::clamp(over, least_step, most_step));
  };
  grow(mixed ? missing.mixed : missing.decode, slow);
  grow(mixed ? missing.mixed : missing.prompts, late);
}

bool same_instances(const std::vector<Rented>& a, const std::vector<Rented>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Rented& x, const Rented& y) {
    return x.sized == y.sized && x.prompts == y.prompts && x.instances == y.instances;
  });
}

}  // namespace

PlanReplay replay_of(const Plan& plan, const PlanInput& input) {
  const Traffic& traffic = input.workload->traffic;
  const Target& target = input.workload->target;
  PlanFleet built;
  for (const Rented& rented : plan.rented) add_servers(built, rented, input);
  for (const Rented& rented : plan.prompts) add_pool(built, rented, input);
  const Replayed replayed = replay(built.fleet, requests_of(traffic, plan.requests_in_flight),
                                   {.concurrency = {},
                                    .routing = RequestRouting::round_robin,
                                    .prefix_hit_rate = traffic.prefix_hit_rate});
  const GroupTimes all = replayed.times();
  PlanReplay out{.requests = replayed.requests,
                 .trace = !traffic.trace.empty(),
                 .tpot = Seconds(all.token.quantile(target.percentile)),
                 .first_token = Seconds(all.first_token.quantile(target.percentile)),
                 .in_flight_of_tokens = replayed.in_flight_of_tokens(target.percentile),
                 .too_long = replayed.too_long,
                 .missing = {}};
  out.tpot_met = out.tpot <= target.tpot;
  out.ttft_met = !target.ttft || out.first_token <= *target.ttft;
  for (size_t i = 0; i < plan.rented.size() && !out.meets(); ++i) {
    add_missing(out.missing, replayed.groups[i], plan.rented[i].sized->prompts.has_value(), target);
  }
  return out;
}

TriedPlan plan_that_meets(const std::vector<Sized>& sized, const PlanInput& input, Choice choice) {
  TriedPlan first{.plan = make_plan(sized, input, choice), .replay = {}};
  if (!first.plan.impossible.empty()) return first;
  first.replay = replay_of(first.plan, input);
  first.tried = 1;
  first.first_usd = first.plan.monthly_usd;
  if (first.replay->trace) {
    const Workload& workload = *input.workload;
    first.in_flight_at_once =
        in_flight_at_once(requests_of(workload.traffic, first.plan.requests_in_flight),
                          workload.target.tpot, workload.target.percentile);
  }
  TriedPlan now = first;
  while (!now.replay->meets()) {
    choice.growth.decode *= now.replay->missing.decode;
    choice.growth.prompts *= now.replay->missing.prompts;
    choice.growth.mixed *= now.replay->missing.mixed;
    const double most =
        std::max({choice.growth.decode, choice.growth.prompts, choice.growth.mixed});
    if (most > most_growth || !now.replay->missing.any()) break;
    Plan next = make_plan(sized, input, choice);
    if (!next.impossible.empty()) break;
    const bool same = same_instances(next.rented, now.plan.rented) &&
                      same_instances(next.prompts, now.plan.prompts);
    now.plan = std::move(next);
    if (same) continue;
    now.replay = replay_of(now.plan, input);
    ++now.tried;
  }
  if (now.replay->meets()) return now;
  first.tried = now.tried;
  return first;
}

}  // namespace afford::study
