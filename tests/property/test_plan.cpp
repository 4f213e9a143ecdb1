#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "load/library.hpp"
#include "plan/plan.hpp"
#include "replay/replay.hpp"
#include "search/prompt_forms.hpp"

using namespace afford;

namespace {

/// A workload on two chips, sized by a search over few accelerators.
struct Planned {
  ModelSpec model = load_models({"step-3"}).front();
  std::vector<LayerShape> shapes = layer_shapes(model);
  std::vector<HardwareSpec> chips = load_hardware({"h800", "h20"});
  Space space;
  Setting setting;
  Workload workload;
  std::vector<Offer> offers;
  std::vector<PromptServer> servers;
  std::vector<Sized> sized;

  /// Prompts of this law, whose mean it is, and of the output that the mix has; sizes anew.
  void with_prompts(const LengthLaw& law, double mean) {
    workload.traffic.prompt_tokens = mean;
    workload.traffic.prompt_lengths = equally_likely(law);
    workload.traffic.prompt_square = 0;
    for (const double tokens : workload.traffic.prompt_lengths)
      workload.traffic.prompt_square += tokens * tokens / 400;
    servers = prompt_servers(space, setting, workload);
    size();
  }

  explicit Planned(const StationaryMix& mix, double percentile = 0.99) {
    space.chips = &chips;
    space.max_gpus = 48;
    space.batch_steps = 4;
    setting.model = &model;
    setting.shapes = &shapes;
    setting.context = mix.context;
    workload.traffic = {.requests_per_s = 20, .mix = mix, .origin = {}};
    workload.target.percentile = percentile;
    for (const HardwareSpec& chip : chips) {
      Offer& offer = offers.emplace_back();
      offer.chip = chip.name;
      offer.contracts.push_back({.reserved = false, .price = chip.price.value, .limit = {}});
    }
    size();
    REQUIRE(sized.size() > 10);
  }
  [[nodiscard]] std::map<Shape, Candidate> shapes_found() const {
    ExploreOptions options;
    options.shapes = true;
    return explore(space, setting, options).shapes;
  }
  void size() { sized = size_all(shapes_found(), space, setting, workload); }
  Planned(const Planned&) = delete;
  Planned& operator=(const Planned&) = delete;
  [[nodiscard]] PlanInput input() const { return {&space, &setting, &workload, offers, servers}; }
  [[nodiscard]] Plan best() const { return make_plan(sized, input(), {}); }
};

/// Requests one by one: Poisson arrivals join at the next step, every one in flight makes a token a
/// step, the context grows. Nothing of the closed form is used but the step time.
struct Simulation {
  double mean = 0, kv_mean = 0, kv_at_percentile = 0;  // over time; KV in context tokens
  double step_mean = 0, step_at_percentile = 0;        // over tokens
};

Simulation simulate(const StepCurve& curve, double rate, const std::vector<Request>& classes,
                    double percentile) {
  constexpr int steps = 150'000, warm_up = 20'000;
  std::mt19937_64 random(3);
  std::exponential_distribution<double> gap(rate);
  std::uniform_int_distribution<size_t> pick(0, classes.size() - 1);
  struct Ending {
    double requests = 0, context = 0;
  };
  std::vector<Ending> endings(steps +
                              10'000);  // by step: who ends there, and the contexts they then have
  double active = 0;
  double now = 0, next = gap(random), context = 0, time = 0, in_flight = 0, kv = 0, tokens = 0,
         token_time = 0;
  std::vector<std::pair<double, double>> by_kv, by_step;  // value and weight
  for (std::int64_t step = 0; step < steps; ++step) {
    for (; next <= now; next += gap(random)) {
      const Request& r = classes[pick(random)];
      Ending& end = endings[static_cast<size_t>(step + r.output_tokens)];
      end.requests += 1, end.context += static_cast<double>(r.prompt_tokens + r.output_tokens);
      active += 1;
      context += static_cast<double>(r.prompt_tokens);
    }
    if (active == 0) {
      now = next;
      continue;
    }
    const double n = active, length = curve.at(n).base();
    if (step >= warm_up) {
      time += length, in_flight += n * length, kv += context * length;
      tokens += n, token_time += n * length;
      by_kv.emplace_back(context, length), by_step.emplace_back(length, n);
    }
    now += length;
    context += n;
    const Ending& end = endings[static_cast<size_t>(step + 1)];
    active -= end.requests, context -= end.context;
  }
  const auto quantile = [&](std::vector<std::pair<double, double>> values) {
    std::sort(values.begin(), values.end());
    double total = 0, seen = 0;
    for (const auto& [value, weight] : values) total += weight;
    for (const auto& [value, weight] : values) {
      if ((seen += weight) >= percentile * total) return value;
    }
    return values.back().first;
  };
  return {.mean = in_flight / time,
          .kv_mean = kv / time,
          .kv_at_percentile = quantile(by_kv),
          .step_mean = token_time / tokens,
          .step_at_percentile = quantile(by_step)};
}

std::vector<Request> mixed_requests() {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> prompt(7.0, 1.0), output(5.0, 0.8);
  std::vector<Request> requests;
  for (int i = 0; i < 4000; ++i) {
    requests.push_back({static_cast<double>(i),
                        1 + std::llround(std::min(prompt(random), 32768.0)),
                        1 + std::llround(std::min(output(random), 4096.0)),
                        {}});
  }
  return requests;
}

/// The queue of src/plan/queue.cpp by its definition: every number in flight, every halving.
class PlainQueue {
 public:
  PlainQueue(const StepCurve& curve, double most) : most_(most) {
    double sum = 0;
    for (size_t i = 0; i < static_cast<size_t>(2 * most) + 2; ++i) {
      steps_.push_back(curve.at(real(static_cast<std::int64_t>(i))).base());
      if (i > 0) sum += std::log(steps_[i] / static_cast<double>(i));
      log_product_.push_back(sum);
    }
  }
  [[nodiscard]] bool has_dips() const {
    for (size_t i = 2; i < steps_.size(); ++i) {
      const auto n = static_cast<double>(i);
      if (steps_[i] / n > steps_[i - 1] / (n - 1)) return true;
    }
    return false;
  }
  [[nodiscard]] InFlight in_flight(double load, double percentile) const {
    const double log_load = std::log(load);
    const auto exponent = [&](size_t n) {
      return static_cast<double>(n) * log_load + log_product_[n];
    };
    double peak = 0;
    for (size_t n = 0; n < steps_.size(); ++n) peak = std::max(peak, exponent(n));
    double total = 0, first = 0, square = 0, tokens = 0, beyond = 0, time = 0;
    std::vector<std::pair<double, double>> made;
    for (size_t n = 0; n < steps_.size(); ++n) {
      if (exponent(n) - peak < -40) continue;
      const double p = std::exp(exponent(n) - peak), number = static_cast<double>(n),
                   rate = p * number / steps_[n];
      total += p;
      first += p * number;
      square += p * number * number;
      tokens += rate;
      time += rate * steps_[n];
      if (number > most_) beyond += rate;
      made.emplace_back(number, rate);
    }
    InFlight out{.mean = first / total,
                 .step_mean = Seconds(time / tokens),
                 .share_beyond = beyond / tokens};
    out.variance = square / total - out.mean * out.mean;
    double seen = 0;
    for (const auto& [number, rate] : made) {
      seen += rate;
      out.at_percentile = number;
      if (seen >= percentile * tokens) break;
    }
    return out;
  }
  [[nodiscard]] double capacity(double percentile) const {
    double high = most_ / steps_[static_cast<size_t>(most_)], low = 0;
    for (int i = 0; i < 40 && high - low > 1e-9 * high; ++i) {
      const double middle = (low + high) / 2;
      (in_flight(middle, percentile).share_beyond <= 1 - percentile ? low : high) = middle;
    }
    return low;
  }

 private:
  double most_;
  std::vector<double> steps_, log_product_;
};

}  // namespace

TEST_SUITE("property") {
  TEST_CASE(
      "the closed form of requests in flight, TPOT and KV agrees with single requests within 3 %") {
    const auto requests = mixed_requests();
    MixOfTrace trace;
    for (const Request& request : requests) trace.add(request);
    const StationaryMix mix = trace.mix();
    Planned planned(mix);
    const Sized& sized = *std::max_element(
        planned.sized.begin(), planned.sized.end(),
        [](const Sized& a, const Sized& b) { return a.requests_per_s < b.requests_per_s; });
    const StepCurve curve = step_curve(sized, planned.space, planned.setting);
    const Queue queue(curve, sized.most);
    for (const double share : {0.5, 0.9, 1.0}) {
      CAPTURE(share);
      const double rate = share * sized.requests_per_s;
      const InFlight closed = queue.in_flight(rate * mix.output_tokens, 0.99);
      const Simulation single = simulate(curve, rate, requests, 0.99);
      CHECK(closed.mean == doctest::Approx(single.mean).epsilon(0.03));
      CHECK(closed.step_mean.base() == doctest::Approx(single.step_mean).epsilon(0.03));
      CHECK(closed.step_at_percentile.base() ==
            doctest::Approx(single.step_at_percentile).epsilon(0.03));
      CHECK(closed.mean * mix.context == doctest::Approx(single.kv_mean).epsilon(0.03));
      const double deviation = std::sqrt(closed.mean * mix.context_variance +
                                         closed.variance * mix.context * mix.context);
      const double kv = closed.mean * mix.context + normal_quantile(0.99) * deviation;
      CHECK(kv == doctest::Approx(single.kv_at_percentile).epsilon(0.03));
    }
    // The mean of prompts and outputs is not what is in flight: long requests are seen more often.
    double prompts = 0;
    for (const Request& r : requests)
      prompts += static_cast<double>(r.prompt_tokens) / static_cast<double>(requests.size());
    CHECK(mix.context > 1.02 * (prompts + mix.output_tokens / 2));
  }

  // The plan rents whole servers for a load; the ratio of a search is that of many.
  TEST_CASE("plan and search agree on accelerators for prompts by those that decode") {
    const StationaryMix mix = mix_of(fixed_length(4096), fixed_length(1024));
    Planned p(mix, 0.5);
    p.workload.traffic.requests_per_s = 2000;
    p.with_prompts({.kind = LengthLaw::Kind::fixed, .mean = 4096}, 4096);
    const PlanInput input = p.input();
    const Plan plan = make_plan(p.sized, input, {.prompts = PromptsOn::own, .only_chip = {}});
    REQUIRE(plan.impossible.empty());
    REQUIRE(plan.prompts.size() == 1);
    const PromptServer& server = *plan.prompts.front().prompts;
    WholeRequests requests{.prompt = 4096, .output = 1024, .pools = {}};
    requests.pools = {timed(server.pool, p.setting, requests)};
    CHECK(requests.pools[0].time.base() == doctest::Approx(server.mean.base()).epsilon(1e-9));
    p.space.requests = requests;
    double prompt_gpus = 0;
    for (const Rented& r : plan.rented) {
      Candidate c = r.sized->candidate;
      const double grain = c.way == Way::disaggregated ? 1 : real(c.attention.size());
      c.batch = std::llround(r.sized->at_capacity.mean / grain);
      c.prompts = Prompts::apart;
      prompt_gpus += real(r.instances) * whole_outcome(c, p.space, p.setting).prompt_gpus;
    }
    REQUIRE(plan.prompt_gpus > 20 * server.gpus);
    CHECK(real(plan.prompt_gpus) == doctest::Approx(prompt_gpus).epsilon(0.01));
  }

  TEST_CASE("Little's law holds between the closed form's own numbers") {
    const StepCurve curve({1, 100, 1000}, {Seconds(0.01), Seconds(0.02), Seconds(0.08)});
    const Queue queue(curve, 400);
    for (const double load : {100.0, 2000.0, 6000.0}) {
      const InFlight f = queue.in_flight(load, 0.9);
      CHECK(f.mean == doctest::Approx(load * f.step_mean.base()).epsilon(1e-9));
      CHECK(f.step_mean <= f.step_at_percentile);
    }
    const double most = queue.capacity(0.99);
    CHECK(queue.in_flight(most, 0.99).share_beyond == doctest::Approx(0.01).epsilon(1e-3));
    CHECK(queue.in_flight(most, 0.99).at_percentile <= 400);
    CHECK(queue.capacity(0.5) > most);
  }

  TEST_CASE("a queue's window and shortcuts give what sums and halvings over all numbers give") {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> any(0, 1);
    int with_dips = 0;
    for (int trial = 0; trial < 40; ++trial) {
      // Some steps grow faster than their requests, so that probabilities rise a second time.
      const bool dips = trial % 4 == 3;
      std::vector<double> requests, steps;
      double at = 1, step = 0.002 + 0.02 * any(random);
      for (int i = 0; i < 12; ++i) {
        requests.push_back(std::floor(at));
        steps.push_back(step);
        const double next = std::floor(at) * (1.3 + 1.5 * any(random)) + 1;
        step *= dips ? 0.6 + 5 * any(random) : std::pow(next / at, any(random));
        at = next;
      }
      std::vector<Seconds> times(steps.begin(), steps.end());
      const double most = std::min(4000.0, std::floor(requests[8] * (0.5 + any(random))));
      const StepCurve curve(requests, times);
      const Queue queue(curve, most);
      const PlainQueue plain(curve, most);
      with_dips += dips && plain.has_dips() ? 1 : 0;
      for (const double percentile : {0.5, 0.9, 0.99, 0.99999}) {
        CHECK(queue.capacity(percentile) ==
              doctest::Approx(plain.capacity(percentile)).epsilon(2e-9));
        const double load = plain.capacity(percentile) * (0.2 + any(random));
        const InFlight a = queue.in_flight(load, percentile), b = plain.in_flight(load, percentile);
        CHECK(a.mean == doctest::Approx(b.mean).epsilon(1e-12));
        CHECK(a.variance == doctest::Approx(b.variance).epsilon(1e-9));
        CHECK(a.at_percentile == b.at_percentile);
        CHECK(a.step_mean.base() == doctest::Approx(b.step_mean.base()).epsilon(1e-12));
        CHECK(a.share_beyond == doctest::Approx(b.share_beyond).epsilon(1e-12));
      }
    }
    CHECK(with_dips > 0);
  }

  TEST_CASE("one class in a trace gives the plan of fixed lengths, and both the closed form") {
    MixOfTrace trace;
    for (int i = 0; i <= 100; ++i) trace.add({0.05 * i, 3000, 500, {}});
    const StationaryMix of_trace = trace.mix(),
                        fixed = mix_of(fixed_length(3000), fixed_length(500));
    CHECK(of_trace.context == doctest::Approx(3000 + 499.0 / 2));
    CHECK(of_trace.context == doctest::Approx(fixed.context));
    CHECK(of_trace.context_variance == doctest::Approx((500.0 * 500 - 1) / 12));
    CHECK(fixed.context_variance == doctest::Approx(of_trace.context_variance));
    Planned a(of_trace), b(fixed);
    const Plan one = a.best(), two = b.best();
    REQUIRE(one.impossible.empty());
    CHECK(one.monthly_usd == doctest::Approx(two.monthly_usd));
    CHECK(one.gpus == two.gpus);
    CHECK(one.requests_in_flight == doctest::Approx(two.requests_in_flight));
    // Requests in flight by Little's law: arrivals a second, times steps of a request, times the
    // step.
    CHECK(one.requests_in_flight == doctest::Approx(20 * 500 * one.tpot_mean.base()).epsilon(1e-6));
    double usd_an_hour = 0;
    for (const Rented& r : one.rented) {
      const Candidate& c = r.sized->candidate;
      const auto hour = [&](const Candidate::Side& side) {
        return a.chips[side.chip].price.value / usd_per_hour * side.instances * side.accelerators;
      };
      usd_an_hour += static_cast<double>(r.instances) *
                     (hour(c.attention) + (c.way == Way::disaggregated ? hour(c.ffn) : 0));
    }
    CHECK(one.monthly_usd == doctest::Approx(730 * usd_an_hour));
    CHECK(one.usd_per_mtok == doctest::Approx(one.monthly_usd / (20.0 * 500 * 730 * 3600 / 1e6)));
  }

  TEST_CASE("more traffic never lowers the bill; nor do spares, headroom or a higher percentile") {
    const StationaryMix mix =
        mix_of(lognormal_length(3000, 1, 32768), lognormal_length(600, 1, 8192));
    Planned planned(mix);
    double last = 0;
    for (double rate = 1; rate < 3000; rate *= 2) {
      planned.workload.traffic.requests_per_s = rate;
      const Plan plan = planned.best();
      REQUIRE(plan.impossible.empty());
      CHECK(plan.monthly_usd >= last);
      last = plan.monthly_usd;
    }
    planned.workload.traffic.requests_per_s = 50;
    const double plain = planned.best().monthly_usd;
    planned.workload.target.spares = 1;
    CHECK(planned.best().monthly_usd > plain);
    planned.workload.target.spares = 0;
    for (Offer& offer : planned.offers) offer.limit = 64;
    const Plan limited = planned.best();
    if (limited.impossible.empty()) CHECK(limited.monthly_usd >= plain);
    planned.workload.traffic.requests_per_s = 1e5;
    CHECK(planned.best().impossible.starts_with("the inventory carries "));
  }

  TEST_CASE("a plan without AFD or on one chip is never cheaper than the best") {
    Planned planned(mix_of(fixed_length(8000), fixed_length(800)));
    const double best = planned.best().monthly_usd;
    for (const Choice& choice :
         {Choice{.afd = false, .only_chip = {}}, Choice{.only_chip = 0}, Choice{.only_chip = 1}}) {
      const Plan plan = make_plan(planned.sized, planned.input(), choice);
      if (plan.impossible.empty()) CHECK(plan.monthly_usd >= best * (1 - 1e-9));
    }
  }

  TEST_CASE("shapes left unsized are those that no plan takes") {
    for (const bool limited : {false, true}) {
      Planned planned(mix_of(fixed_length(2000), fixed_length(400)));
      planned.with_prompts({.kind = LengthLaw::Kind::fixed, .mean = 2000}, 2000);
      if (limited) planned.offers.front().limit = 24;
      std::vector<Sized> each_alone;  // so that none is beaten
      for (const auto& shape : planned.shapes_found()) {
        const std::vector<Sized> alone =
            size_all({shape}, planned.space, planned.setting, planned.workload);
        each_alone.insert(each_alone.end(), alone.begin(), alone.end());
      }
      CHECK(planned.sized.size() < each_alone.size() * 3 / 4);
      for (const Choice& choice :
           {Choice{.only_chip = {}}, Choice{.afd = false, .only_chip = {}}, Choice{.only_chip = 1},
            Choice{.prompts = PromptsOn::decoding, .only_chip = {}, .growth = {}}}) {
        const Plan some = make_plan(planned.sized, planned.input(), choice),
                   all = make_plan(each_alone, planned.input(), choice);
        CHECK(some.impossible == all.impossible);
        CHECK(some.monthly_usd == all.monthly_usd);
        CHECK(some.utilisation == all.utilisation);
        CHECK(some.tpot_mean == all.tpot_mean);
      }
    }
  }

  TEST_CASE("prompts apart or beside the tokens are never cheaper than the best of both") {
    Planned planned(mix_of(fixed_length(2000), fixed_length(400)));
    planned.with_prompts({.kind = LengthLaw::Kind::fixed, .mean = 2000}, 2000);
    for (const double rate : {2.0, 30.0, 200.0}) {
      CAPTURE(rate);
      planned.workload.traffic.requests_per_s = rate;
      const Plan best = planned.best();
      REQUIRE(best.impossible.empty());
      CHECK(best.first_token.at_percentile >= best.first_token.mean * 0.9);
      for (const PromptsOn prompts : {PromptsOn::own, PromptsOn::decoding}) {
        const Plan plan = make_plan(planned.sized, planned.input(),
                                    {.prompts = prompts, .only_chip = {}, .growth = {}});
        REQUIRE(plan.impossible.empty());
        CHECK(plan.monthly_usd >= best.monthly_usd * (1 - 1e-9));
        CHECK((plan.prompt_gpus > 0) == (prompts == PromptsOn::own));
        CHECK((plan.mixed_gpus > 0) == (prompts == PromptsOn::decoding));
        CHECK(plan.prompt_usd > 0);
        CHECK(plan.prompt_usd < plan.monthly_usd);
      }
    }
  }

  TEST_CASE("a replay of servers that work off prompts too agrees with the closed form") {
    const LengthLaw prompt{.kind = LengthLaw::Kind::uniform, .least = 500, .most = 3500};
    const LengthLaw output{.kind = LengthLaw::Kind::uniform, .least = 200, .most = 600};
    Planned planned(mix_of(uniform_length(500, 3500), uniform_length(200, 600)));
    planned.with_prompts(prompt, 2000);
    const auto both = std::find_if(planned.sized.begin(), planned.sized.end(), [](const Sized& s) {
      return s.prompts.has_value() && s.candidate.attention.size() == 16;
    });
    REQUIRE(both != planned.sized.end());
    const double rate = 0.5 * both->requests_per_s;
    const AnyDeployment way = deployment_of(both->candidate, planned.space);
    Server server = server_of(way, planned.setting, {});
    const Replayed out = replay(server, instances_of(way), nullptr,
                                poisson(first_of(drawn(prompt, output, 3), 3000), rate, 4), {});
    const Queue queue(step_curve(*both, planned.space, planned.setting), both->most);
    const InFlight closed = queue.in_flight(rate * 400, 0.99);
    CHECK(out.usage.token.mean() == doctest::Approx(closed.step_mean.base()).epsilon(0.03));
    const Seconds decoding =
        with_in_flight(both->candidate, closed.mean, planned.space, planned.setting).step;
    const PromptServer engine = beside_decoding(*both, decoding, planned.workload.traffic);
    const FirstToken first =
        first_token({{.server = engine,
                      .waiting = waiting(engine, 1, rate / both->interruptions.engines),
                      .requests_per_s = rate}},
                    planned.workload);
    CHECK(out.first_token.mean() == doctest::Approx(first.mean.base()).epsilon(0.15));
  }

  TEST_CASE("quantiles of a law are those of what is drawn from it") {
    const LengthLaw laws[] = {
        {.kind = LengthLaw::Kind::fixed, .mean = 700},
        {.kind = LengthLaw::Kind::uniform, .least = 10, .most = 500},
        {.kind = LengthLaw::Kind::geometric, .mean = 200},
        {.kind = LengthLaw::Kind::lognormal, .mean = 1000, .cv = 1.5, .most = 4000}};
    for (const LengthLaw& law : laws) {
      CAPTURE(static_cast<int>(law.kind));
      Histogram seen;
      RequestSource source = drawn(law, law, 5);
      for (int i = 0; i < 20'000; ++i) seen.add(static_cast<double>(source()->prompt_tokens));
      for (const double share : {0.1, 0.5, 0.9, 0.99})
        CHECK(quantile(law, share) == doctest::Approx(seen.quantile(share)).epsilon(0.05));
      const std::vector<double> likely = equally_likely(law);
      CHECK(std::is_sorted(likely.begin(), likely.end()));
    }
  }

  TEST_CASE("moments of the length distributions are those of samples") {
    std::mt19937_64 random(9);
    const auto check = [&](const Moments& m, auto draw) {
      double first = 0, second = 0, third = 0;
      constexpr int draws = 400'000;
      for (int i = 0; i < draws; ++i) {
        const double x = draw();
        first += x / draws, second += x * x / draws, third += x * x * x / draws;
      }
      CHECK(m.first == doctest::Approx(first).epsilon(0.01));
      CHECK(m.second == doctest::Approx(second).epsilon(0.02));
      CHECK(m.third == doctest::Approx(third).epsilon(0.05));
    };
    const double sigma2 = std::log(2.0), mu = std::log(1000.0) - sigma2 / 2;
    std::lognormal_distribution<double> lognormal(mu, std::sqrt(sigma2));
    check(lognormal_length(1000, 1, 4000), [&] { return std::min(4000.0, lognormal(random)); });
    std::uniform_int_distribution<int> uniform(10, 50);
    check(uniform_length(10, 50), [&] { return static_cast<double>(uniform(random)); });
    std::geometric_distribution<int> geometric(1 / 200.0);
    check(geometric_length(200), [&] { return 1.0 + geometric(random); });
    CHECK(fixed_length(7).third == 343);
  }

  TEST_CASE("a rate that one instance carries with ease is carried by one, however small it is") {
    Planned planned({.output_tokens = 200, .context = 4096, .context_variance = 0});
    planned.workload.traffic.peak_factor = 1.6;
    planned.workload.traffic.peak_hours = 8;
    for (const double rate : {0.1, 1e-3, 1e-6}) {
      CAPTURE(rate);
      planned.workload.traffic.requests_per_s = rate;
      for (const int spares : {0, 1}) {
        planned.workload.target.spares = spares;
        const Plan plan = planned.best();
        std::int64_t instances = 0;
        for (const Rented& rented : plan.rented) instances += rented.instances;
        CHECK(instances == 1 + spares);
      }
    }
  }

  TEST_CASE("a rate off the peak that is rounding alone asks for nothing") {
    FleetProblem problem;
    problem.options = {{.kind = 0, .capacity = 5, .cost = 1, .off_peak = false, .uses = {}}};
    problem.peak_load = 3;
    problem.off_peak_load = 1e-15;
    REQUIRE(cheapest_fleet(problem).has_value());
    problem.off_peak_load = 0.5;
    CHECK_FALSE(cheapest_fleet(problem).has_value());
  }
}
