#include "plan/sizing.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "deploy/prompts.hpp"
#include "search/parallel.hpp"

namespace afford {
PromptServer beside_decoding(const Sized& sized, Seconds step, const Traffic& traffic) {
  PromptServer engine = *sized.prompts;
  const Seconds launches = engine.time.launches;
  PromptLaw law = engine.time;
  law.launches = Seconds(0);
  law.linear += (step + launches).base() / real(default_chunk);
  engine.sending = around_prompt(launches, engine.first_token, step);
  return with_law(std::move(engine), law, traffic);
}

namespace {

/// The smallest batch a candidate can take: one request (on each accelerator when co-located).
std::int64_t grain(const Candidate& c) {
  return c.way == Way::disaggregated ? 1 : c.attention.size();
}

double in_flight_of(const Candidate& c) { return real(c.batch) * real(grain(c)); }

bool fits_in_memory(const Evaluation& e) {
  return e.verdict == Verdict::feasible || e.verdict == Verdict::slow;
}

/// The most requests in flight that pass the test, which small numbers do and large ones do not.
template <class Test>
double most_that(double low, double high, std::int64_t grain, Test passes) {
  if (passes(high)) return high;
  auto from = static_cast<std::int64_t>(low) / grain,
       to = static_cast<std::int64_t>(high) / grain + 1;
  while (to - from > 1) {
    const std::int64_t middle = from + (to - from) / 2;
    (passes(real(middle * grain)) ? from : to) = middle;
  }
  return real(from * grain);
}

/// Sets `most` and its limit: by memory alone first, then the contexts' spread, then TPOT. False:
/// not even one request fits.
bool bound_in_flight(Sized& sized, const Space& space, const Setting& setting,
                     const Workload& workload) {
  const Target& target = workload.target;
  const Candidate& c = sized.candidate;
  const std::int64_t each = grain(c);
  const auto at = [&](double n) { return with_in_flight(c, n, space, setting); };
  constexpr double beyond = 4;
  const double start = in_flight_of(c);
  const double even =
      most_that(start, beyond * start, each, [&](double n) { return fits_in_memory(at(n)); });
  const double in_memory =
      std::floor(fitting(even, workload.traffic.mix, target.percentile) / real(each)) * real(each);
  if (in_memory < real(each)) return false;
  const Seconds step = tokens_per_step(setting.speculation) * target.tpot;
  const auto fast = [&](double n) { return step_of(sized, n, space, setting) <= step; };
  sized.most = fast(in_memory) ? in_memory : most_that(0, in_memory, each, fast);
  sized.limit = sized.most < in_memory                                 ? "TPOT"
                : at(even + real(each)).verdict == Verdict::ffn_memory ? "FFN memory"
                                                                       : "attention memory";
  return sized.most >= real(each);
}

/// What deployments are sized in.
struct SizingCase {
  const Space& space;
  const Setting& setting;
  const Workload& workload;
};

/// Requests done in a step of one request in flight.
double requests_a_step(const SizingCase& c) {
  return tokens_per_step(c.setting.speculation) / c.workload.traffic.mix.output_tokens;
}

/// Steps a second, and requests for each of them.
struct StepLoad {
  double most = 0, requests = 0;
};

/// The most steps a second, up to load.most, at which the engines have first tokens in time.
double first_tokens_in_time(const Sized& sized, const Queue& queue, const StepLoad& load,
                            const SizingCase& c) {
  const auto keeps = [&](double steps_per_s) {
    const double requests = queue.in_flight(steps_per_s, c.workload.target.percentile).mean;
    const Evaluation step = with_in_flight(sized.candidate, requests, c.space, c.setting);
    const PromptServer engine = beside_decoding(sized, step.step, c.workload.traffic);
    const double rate = steps_per_s * load.requests / sized.interruptions.engines;
    return in_time(engine, {1, rate}, c.workload);
  };
  if (keeps(load.most)) return load.most;
  double low = 0, high = load.most;
  constexpr int halvings = 20;
  for (int i = 0; i < halvings; ++i) {
    const double middle = (low + high) / 2;
    (keeps(middle) ? low : high) = middle;
  }
  return low;
}

/// Requests in flight at which a step curve has its points.
std::vector<double> points_of(const Sized& sized) {
  constexpr int points = 48;
  const double first = real(grain(sized.candidate)), last = std::max(2 * sized.most, 2 * first);
  std::vector<double> requests;
  for (int i = 0; i < points; ++i) {
    const double wanted = first * std::pow(last / first, i / (points - 1.0));
    const double at = std::max<double>(1, std::round(wanted / first)) * first;
    if (requests.empty() || at > requests.back()) requests.push_back(at);
  }
  return requests;
}

StepCurve curve_through(std::vector<double> requests, const Sized& sized, const Space& space,
                        const Setting& setting) {
  std::vector<Seconds> steps;
  for (const double at : requests) steps.push_back(step_of(sized, at, space, setting));
  return {std::move(requests), std::move(steps)};
}

/// A shape with its bounds, before its queue is looked at.
struct Bounded {
  Sized sized;
  std::vector<double> use;   // accelerators of each chip
  double accelerators = 0;   // in all
  double most_requests = 0;  // a second that it may carry at most
};

/// Nothing where not even one request fits.
std::optional<Bounded> bounded(Sized sized, const SizingCase& c) {
  if (!bound_in_flight(sized, c.space, c.setting, c.workload)) return std::nullopt;
  Bounded out{.sized = std::move(sized), .use = {}};
  out.use = use_of(out.sized.candidate, c.space.chips->size());
  out.accelerators = std::accumulate(out.use.begin(), out.use.end(), 0.0);
  // Where the curve has it, of whose points those around will do.
  const std::vector<double> points = points_of(out.sized);
  const auto beyond = std::upper_bound(points.begin() + 1, points.end() - 1, out.sized.most);
  const StepCurve around =
      curve_through({*std::prev(beyond), *beyond}, out.sized, c.space, c.setting);
  out.most_requests = out.sized.most / around.at(std::floor(out.sized.most)).base() *
                      requests_a_step(c) * (1 - c.workload.target.headroom);
  return out;
}

/// With how much it carries. Nothing where first tokens come too late.
std::optional<Sized> sized_by_queue(Sized sized, const SizingCase& c) {
  const Target& target = c.workload.target;
  const Queue queue(step_curve(sized, c.space, c.setting), sized.most);
  const double each = requests_a_step(c);
  double load = queue.capacity(target.percentile);
  if (sized.prompts && target.ttft) {
    const double in_time = first_tokens_in_time(sized, queue, {load, each}, c);
    if (in_time < load) sized.limit = "TTFT";
    load = std::min(load, in_time);
  }
  load *= 1 - target.headroom;
  if (!(load > 0)) return std::nullopt;
  sized.at_capacity = queue.in_flight(load, target.percentile);
  sized.requests_per_s = load * each;
  return sized;
}

/// Whether another, which carries so many requests a second, is better whatever a plan may choose
/// from: that is more than this one can, with no more accelerators of any chip.
bool beats(const Bounded& other, double carried, const Bounded& one) {
  if (!(carried > one.most_requests)) return false;
  const Sized &a = other.sized, &b = one.sized;
  const bool same_choices =
      a.prompts.has_value() == b.prompts.has_value() &&
      (a.candidate.way != Way::disaggregated || b.candidate.way == Way::disaggregated);
  return same_choices && no_more_than(other.use, one.use);
}

/// The shapes of equally many accelerators one after another, and in front of their others those
/// that may carry most of all with the same chips: what these carry spares many a look at the rest.
std::vector<std::vector<size_t>> waves_of(const std::vector<Bounded>& list) {
  std::map<std::vector<double>, size_t> leaders;
  for (size_t i = 0; i < list.size(); ++i) {
    size_t& leader = leaders.try_emplace(list[i].use, i).first->second;
    if (list[i].most_requests > list[leader].most_requests) leader = i;
  }
  std::map<std::pair<double, bool>, std::vector<size_t>> waves;
  for (size_t i = 0; i < list.size(); ++i)
    waves[{list[i].accelerators, leaders.at(list[i].use) != i}].push_back(i);
  std::vector<std::vector<size_t>> out;
  for (auto& [key, wave] : waves) out.push_back(std::move(wave));
  return out;
}

}  // namespace

Evaluation with_in_flight(const Candidate& candidate, double requests, const Space& space,
                          const Setting& setting) {
  Candidate c = candidate;
  c.batch = std::max<std::int64_t>(1, std::llround(requests / real(grain(c))));
  return evaluate(c, space, setting);
}

Seconds Interruptions::of(double requests) const {
  return interruption(prompts * requests / engines, kernels, launches);
}

Seconds step_of(const Sized& sized, double requests, const Space& space, const Setting& setting) {
  return with_in_flight(sized.candidate, requests, space, setting).step +
         sized.interruptions.of(requests);
}

StepCurve step_curve(const Sized& sized, const Space& space, const Setting& setting) {
  return curve_through(points_of(sized), sized, space, setting);
}

double fitting(double even, const StationaryMix& mix, double percentile) {
  // n c + z sqrt(n v) = even c, solved for sqrt(n).
  const double z = normal_quantile(percentile),
               spread = z * std::sqrt(mix.context_variance) / mix.context;
  const double root = (-spread + std::sqrt(spread * spread + 4 * even)) / 2;
  return root * root;
}

Sized decoding(const Candidate& candidate) {
  return {
      .candidate = candidate, .prompts = {}, .interruptions = {}, .limit = {}, .at_capacity = {}};
}

std::optional<Sized> mixed(const Candidate& candidate, const Space& space, const Setting& setting,
                           const Traffic& traffic) {
  if (candidate.way == Way::disaggregated || !has_prompts(traffic)) return std::nullopt;
  Colocated pool = colocated(candidate, space);
  const double engines = real(pool.engines());
  pool.batch = pool.replicas();
  Sized sized = decoding(candidate);
  sized.prompts = prompts_on(pool, setting, traffic);
  sized.interruptions = {
      .engines = engines,
      .prompts = tokens_per_step(setting.speculation) / traffic.mix.output_tokens,
      .kernels = sized.prompts->mean - sized.prompts->time.launches,
      .launches = prompt_launches(setting)};
  return sized;
}

std::vector<double> use_of(const Candidate& c, size_t chips) {
  std::vector<double> use(chips, 0);
  use[c.attention.chip] += real(c.attention.size());
  if (c.way == Way::disaggregated) use[c.ffn.chip] += real(c.ffn.size());
  return use;
}

bool no_more_than(const std::vector<double>& use, const std::vector<double>& other) {
  return std::equal(use.begin(), use.end(), other.begin(), std::less_equal<>());
}

std::vector<Sized> size_all(const std::map<Shape, Candidate>& shapes, const Space& space,
                            const Setting& setting, const Workload& workload) {
  std::vector<Sized> list;
  for (const auto& [shape, candidate] : shapes) {
    list.push_back(decoding(candidate));
    if (std::optional<Sized> both = mixed(candidate, space, setting, workload.traffic))
      list.push_back(std::move(*both));
  }
  const SizingCase c{space, setting, workload};
  std::vector<std::optional<Bounded>> any(list.size());
  for_each_index(list.size(), [&](size_t i) { any[i] = bounded(std::move(list[i]), c); });
  std::vector<Bounded> fitting;
  for (std::optional<Bounded>& one : any) {
    if (one) fitting.push_back(std::move(*one));
  }
  std::vector<std::optional<Sized>> sized(fitting.size());
  std::vector<size_t> known;  // of the waves before
  for (const std::vector<size_t>& wave : waves_of(fitting)) {
    for_each_index(wave.size(), [&](size_t w) {
      const Bounded& one = fitting[wave[w]];
      const bool beaten = std::any_of(known.begin(), known.end(), [&](size_t k) {
        return beats(fitting[k], sized[k]->requests_per_s, one);
      });
      if (!beaten) sized[wave[w]] = sized_by_queue(one.sized, c);
    });
    for (const size_t i : wave) {
      if (sized[i]) known.push_back(i);
    }
  }
  std::vector<Sized> out;
  for (std::optional<Sized>& one : sized) {
    if (one) out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace afford
