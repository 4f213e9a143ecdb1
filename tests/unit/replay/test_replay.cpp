#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "replay/run_length.hpp"
#include "unit/replay/replay_support.hpp"

using namespace afford;
using test::list_source;
using test::PlainServer;

namespace {

Replayed replayed(const PlainServer& plain, std::vector<Request> requests,
                  const ReplayLoad& load = {}, std::int64_t instances = 1) {
  Server server = plain.server();
  return replay(server, instances, nullptr, list_source(std::move(requests)), load);
}

std::vector<Request> random_requests(int count, double rate, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(rate);
  std::uniform_int_distribution<std::int64_t> prompt(1, 3000), output(1, 300);
  std::vector<Request> requests;
  double now = 0;
  for (int i = 0; i < count; ++i) {
    now += gap(random);
    requests.push_back({now, prompt(random), output(random), {}});
  }
  return requests;
}

/// Every step by itself: what the replay takes at once.
struct StepByStep {
  double first_tokens = 0, ends = 0;  // sums over all requests

  StepByStep(const PlainServer& plain, const std::vector<Request>& requests, double chunk) {
    struct Job {
      double prompt, left_of_prompt;
      std::int64_t left;
      double context = 0;
    };
    std::vector<Job> running;
    size_t next = 0;
    double now = 0;
    while (next < requests.size() || !running.empty()) {
      if (running.empty()) now = std::max(now, requests[next].arrival_s);
      for (; next < requests.size() && requests[next].arrival_s <= now; ++next) {
        const double prompt = static_cast<double>(requests[next].prompt_tokens);
        running.push_back({prompt, prompt, requests[next].output_tokens});
      }
      double decoding = 0, context = 0, left = chunk, worked = 0;
      for (Job& job : running) {
        if (job.left_of_prompt > 0) continue;
        decoding += 1;
        context += job.context;
      }
      double time = decoding > 0 ? plain.step(decoding, context / decoding) : 0;
      std::vector<bool> decodes;
      for (Job& job : running) {
        decodes.push_back(job.left_of_prompt == 0);
        const double take = std::min(left, job.left_of_prompt);
        job.left_of_prompt -= take;
        left -= take;
        worked += take;
      }
      if (worked > 0) time += plain.p * worked + 2e-3 + (decoding == 0 ? 1e-3 : 0);
      now += time;
      for (size_t i = 0; i < running.size(); ++i) {
        Job& job = running[i];
        if (decodes[i]) {
          --job.left;
          job.context += 1;
        } else if (job.left_of_prompt == 0) {
          first_tokens += now;
          --job.left;
          job.context = job.prompt + 1;
        }
        if (job.left == 0) ends += now;
      }
      std::erase_if(running, [](const Job& job) { return job.left == 0; });
    }
  }
};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("replay: a request alone has its prompt's time and then the steps at batch 1") {
    const PlainServer plain;
    const std::int64_t prompt = 6400, output = 101;
    const Replayed out = replayed(plain, {{3.0, prompt, output, {}}});
    double steps = 0;
    for (int i = 1; i < output; ++i) steps += plain.step(1, prompt + i);
    const double ttft = plain.p * prompt + 3e-3;
    CHECK(out.requests == 1);
    CHECK(out.first_token.quantile(0.5) == doctest::Approx(ttft));
    CHECK(out.token.quantile(0.99) == doctest::Approx(steps / (output - 1)));
    CHECK(out.whole.most() == doctest::Approx(ttft + steps));
    CHECK(out.begin == Seconds(3));
    CHECK(out.span().base() == doctest::Approx(ttft + steps));
  }

  TEST_CASE("replay: what a first token takes besides delays all tokens of its request alike") {
    const PlainServer plain;
    Server prompt = plain.server(), late = plain.server();
    late.first_token = 7;
    const std::vector<Request> requests = {{0, 6400, 101, {}}};
    const Replayed at_once = replay(prompt, 1, nullptr, list_source(requests), {});
    const Replayed after = replay(late, 1, nullptr, list_source(requests), {});
    const double steps = 7 * plain.step(1, 6400);
    CHECK(after.first_token.sum() == doctest::Approx(at_once.first_token.sum() + steps));
    CHECK(after.whole.sum() == doctest::Approx(at_once.whole.sum() + steps));
    CHECK(after.token.sum() == doctest::Approx(at_once.token.sum()));
  }

  TEST_CASE("replay: a long prompt goes through in chunks, each a step of its own") {
    const PlainServer plain;
    const Replayed out = replayed(plain, {{0, 20000, 1, {}}});  // 8192 + 8192 + 3616
    CHECK(out.whole.most() == doctest::Approx(plain.p * 20000 + 3 * 3e-3));
    CHECK(out.token.weight() == 0);  // one token has no next
  }

  TEST_CASE("replay: steps taken at once are those taken one by one") {
    const PlainServer plain;
    for (const double rate : {1.0, 8.0, 40.0}) {
      CAPTURE(rate);
      const std::vector<Request> requests = random_requests(300, rate, 5);
      const Replayed out = replayed(plain, requests);
      const StepByStep all(plain, requests, 8192);
      double arrivals = 0;
      for (const Request& request : requests) arrivals += request.arrival_s;
      CHECK(out.requests == 300);
      CHECK(out.first_token.sum() == doctest::Approx(all.first_tokens - arrivals).epsilon(1e-9));
      CHECK(out.whole.sum() == doctest::Approx(all.ends - arrivals).epsilon(1e-9));
    }
  }

  TEST_CASE("replay: preemption loses no token, and the memory is never more than full") {
    PlainServer plain;
    plain.tokens = 12'000;
    const std::vector<Request> requests = random_requests(300, 40, 7);
    const Replayed out = replayed(plain, requests);
    double outputs = 0;
    for (const Request& request : requests) outputs += static_cast<double>(request.output_tokens);
    CHECK(out.usage.preemptions > 0);
    CHECK(out.usage.recomputed > 0);
    CHECK(out.usage.memory.most() <= 1 + 1e-9);
    CHECK(out.requests == 300);
    CHECK(out.output_tokens == outputs);
    // Tokens that came from a prompt, first or worked off again, are no token of a step.
    CHECK(
        out.usage.token.weight() ==
        doctest::Approx(outputs - 300 - static_cast<double>(out.usage.preemptions)).epsilon(0.01));
    const Replayed roomy = replayed(PlainServer{}, requests);
    CHECK(roomy.usage.preemptions == 0);
    CHECK(roomy.usage.token.weight() == doctest::Approx(outputs - 300));
    CHECK(out.whole.mean() > roomy.whole.mean());
  }

  TEST_CASE("replay: what does not fit alone is refused and counted") {
    PlainServer plain;
    plain.tokens = 1000;
    const Replayed out = replayed(plain, {{0, 1000, 1, {}}, {1, 500, 10, {}}});
    CHECK(out.too_long == 1);
    CHECK(out.requests == 1);
    CHECK(out.output_tokens == 10);
  }

  TEST_CASE("replay: Little's law holds for requests in flight") {
    const Replayed out = replayed(PlainServer{}, random_requests(400, 15, 3));
    CHECK(out.usage.in_flight.sum() ==
          doctest::Approx(out.whole.sum() - out.waited.sum()).epsilon(1e-6));
  }

  TEST_CASE("replay: a bound on requests in flight makes the others wait") {
    Server server = PlainServer{}.server();
    server.most_in_flight = 4;
    const Replayed out = replay(server, 1, nullptr, list_source(random_requests(200, 20, 3)), {});
    CHECK(out.usage.in_flight.most() == 4);
    CHECK(out.waiting() > 1);
    CHECK(out.requests == 200);
  }

  TEST_CASE("replay: a closed loop keeps its requests in flight") {
    ReplayLoad load;
    load.concurrency = 16;
    const Replayed out = replayed(PlainServer{}, random_requests(600, 1, 3), load);
    CHECK(out.requests == 600);
    CHECK(out.usage.in_flight.most() == 16);
    CHECK(out.in_flight() + out.waiting() == doctest::Approx(16).epsilon(0.03));
    CHECK(out.begin == Seconds(0));
  }

  TEST_CASE("replay: instances in turn are as many replays of every second request") {
    const std::vector<Request> all = random_requests(200, 20, 9);
    std::vector<Request> halves[2];
    for (size_t i = 0; i < all.size(); ++i) halves[i % 2].push_back(all[i]);
    const Replayed both = replayed(PlainServer{}, all, {}, 2);
    const Replayed one = replayed(PlainServer{}, halves[0]);
    const Replayed other = replayed(PlainServer{}, halves[1]);
    CHECK(both.whole.sum() == doctest::Approx(one.whole.sum() + other.whole.sum()));
    CHECK(both.requests == 200);
    ReplayLoad load;
    load.routing = RequestRouting::least_loaded;
    CHECK(replayed(PlainServer{}, all, load, 2).whole.mean() <= both.whole.mean());
  }

  TEST_CASE("replay: groups share requests by weight, and each has its own times") {
    Server slow = PlainServer{}.server(), fast = PlainServer{.p = 0}.server();
    const ReplayFleet fleet{.servers = {{.server = &slow, .instances = 2, .weight = 1},
                                        {.server = &fast, .instances = 1, .weight = 4}},
                            .prompts = {}};
    const Replayed out = replay(fleet, list_source(random_requests(600, 5, 7)), {});
    REQUIRE(out.groups.size() == 2);
    CHECK(out.groups[0].first_token.weight() == 200);
    CHECK(out.groups[1].first_token.weight() == 400);
    CHECK(out.groups[0].first_token.mean() > out.groups[1].first_token.mean());
    CHECK(out.times().first_token.mean() == doctest::Approx(out.first_token.mean()));
    CHECK(out.times().token.weight() == out.output_tokens - 600);
    // Of all instances, so beyond what any of them has.
    CHECK(out.in_flight_of_tokens(0.99) > out.usage.in_flight.quantile(0.99));
    CHECK(out.in_flight_of_tokens(0.5) < out.in_flight_of_tokens(0.99));
  }

  TEST_CASE("replay: more tokens a step end a request in fewer") {
    Server server = PlainServer{}.server();
    server.tokens_per_step = 2;
    const Replayed out = replay(server, 1, nullptr, list_source({{0, 64, 101, {}}}), {});
    CHECK(out.token.mean() == doctest::Approx(0.5 * PlainServer{}.step(1, 115)).epsilon(1e-3));
  }

  TEST_CASE("replay: a cached prefix is not worked off again") {
    Server server = PlainServer{}.server();
    server.cache_tokens = 1e6;
    const std::vector<Request> requests = {
        {0, 1100, 2, {1, 2, 3}}, {5, 1100, 2, {1, 2, 4}}, {9, 1024, 2, {1, 2}}};
    const Replayed out = replay(server, 1, nullptr, list_source(requests), {});
    CHECK(out.cached_tokens == 1024 + 1023);  // the last token makes the first of the output
    CHECK(out.first_token.quantile(0.01) == doctest::Approx(1e-5 * 1 + 3e-3).epsilon(0.01));
    ReplayLoad half;
    half.prefix_hit_rate = 0.5;
    CHECK(replayed(PlainServer{}, {{0, 1000, 2, {}}}, half).cached_tokens == 500);
  }

  TEST_CASE("replay: prompts of a pool of their own go one by one, then their cache travels") {
    Server server = PlainServer{}.server();
    server.prompts_here = false;
    PromptPool pool{.instances = 1,
                    .prompts = ChunkTable([](double tokens) { return Seconds(1e-3 * tokens); },
                                          [](double, double) { return Seconds(0); }),
                    .overhead = Seconds(0.1),
                    .transfer = PromptTable([](double tokens) { return Seconds(1e-4 * tokens); })};
    const std::vector<Request> requests = {{0, 640, 2, {}}, {0, 640, 2, {}}};
    const Replayed out = replay(server, 1, &pool, list_source(requests), {});
    CHECK(out.first_token.quantile(0.5) == doctest::Approx(0.804).epsilon(0.006));
    CHECK(out.first_token.most() == doctest::Approx(1.544));
    CHECK(out.waited.sum() == doctest::Approx(0.74));
    CHECK(out.whole.most() == doctest::Approx(1.48 + 0.064 + PlainServer{}.step(1, 641)));
    pool.instances = 2;
    const Replayed two = replay(server, 1, &pool, list_source(requests), {});
    CHECK(two.first_token.most() == doctest::Approx(0.804));
  }

  TEST_CASE("replay: what was there over time adds up to what it was on average") {
    const Replayed out = replayed(PlainServer{}, random_requests(400, 15, 3));
    const TimeSeries& series = out.series;
    REQUIRE(series.size() > TimeSeries::most / 4);
    const Load four = series.at(1, 4);
    CHECK(4 * four.tokens == doctest::Approx(series.at(4).tokens + series.at(5).tokens +
                                             series.at(6).tokens + series.at(7).tokens));
    const double width = series.begin(1).base();
    double in_flight = 0, tokens = 0;
    for (size_t i = 0; i < series.size(); ++i) {
      in_flight += width * series.at(i).in_flight;
      tokens += width * series.at(i).tokens;
      CHECK(series.at(i).memory <= 1);
    }
    CHECK(in_flight == doctest::Approx(out.usage.in_flight.sum()));
    CHECK(tokens == doctest::Approx(out.usage.token.weight()));
  }

  TEST_CASE("as many steps as a time takes, whether they grow, shrink or stay") {
    for (const double growth : {0.0, 1e-4, 3e-2, -1e-5}) {
      const Steps steps{Seconds(0.01), Seconds(growth)};
      for (const std::int64_t count : {1, 2, 3, 10, 77, 400}) {
        CAPTURE(growth);
        CAPTURE(count);
        const Seconds time = time_of(steps, count);
        CHECK(steps_for(steps, time, 1000) == count);
        CHECK(steps_for(steps, time * 0.999, 1000) == count);
        CHECK(steps_for(steps, time, count / 2 + 1) <= count / 2 + 1);
      }
      CHECK(steps_for(steps, Seconds(0), 1000) == 1);
    }
  }

  TEST_CASE("the least recently used blocks go first, of a prefix its end") {
    PrefixCache cache;
    const std::vector<std::int64_t> first = {1, 2, 3}, second = {1, 7}, other = {8, 9};
    cache.keep(first, 4);
    cache.keep(second, 4);
    CHECK(cache.size() == 4);
    CHECK(cache.cached(first) == 3);
    cache.keep(other, 4);  // 8, 9, 1, 7
    CHECK(cache.cached(first) == 1);
    CHECK(cache.cached(second) == 2);
    CHECK(cache.cached(other) == 2);
    cache.shrink_to(0);
    CHECK(cache.size() == 0);
    CHECK(cache.cached(second) == 0);
  }

  TEST_CASE("quantiles of a histogram are within half a percent") {
    Histogram histogram;
    for (int i = 1; i <= 10'000; ++i) histogram.add(i * 1e-3);
    CHECK(histogram.quantile(0.5) == doctest::Approx(5).epsilon(0.006));
    CHECK(histogram.quantile(0.99) == doctest::Approx(9.9).epsilon(0.006));
    CHECK(histogram.quantile(1) == doctest::Approx(10).epsilon(0.006));
    CHECK(histogram.mean() == doctest::Approx(5.0005));
    CHECK(histogram.share_up_to(2.5) == doctest::Approx(0.25).epsilon(0.01));
    CHECK(histogram.share_up_to(1e6) == 1);
    Histogram weighted;
    weighted.add(0, 3);
    weighted.add(7, 1);
    CHECK(weighted.quantile(0.7) == 0);
    CHECK(weighted.quantile(0.8) == 7);
    weighted.add(histogram);
    CHECK(weighted.weight() == 10'004);
  }
}
