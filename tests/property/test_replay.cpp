#include <doctest/doctest.h>

#include "deploy/prompt_products.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "plan/lengths.hpp"
#include "plan/queue.hpp"
#include "unit/replay/replay_support.hpp"

using namespace afford;

namespace {

/// Llama 3.1 70B on a server of eight H200, under vLLM.
struct Llama {
  ModelSpec model = load_models({"llama-3.1-70b"}).front();
  std::vector<LayerShape> shapes = layer_shapes(model);
  HardwareSpec chip = load_hardware({"h200"}).front();
  Setting setting;
  Colocated server;

  explicit Llama(const char* engine = "vllm") {
    setting.model = &model;
    setting.shapes = &shapes;
    setting.engine = load_engines({engine}).front();
    server = {.pool = {&chip, 1, 8}, .batch = 1, .layout = tensor_parallel(8)};
  }
  Llama(const Llama&) = delete;
  Llama& operator=(const Llama&) = delete;

  [[nodiscard]] Evaluation at(std::int64_t batch, double context) const {
    Setting there = setting;
    there.context = context;
    Colocated c = server;
    c.batch = batch;
    return evaluate(c, there);
  }
};

constexpr LengthLaw uniform(double least, double most) {
  return {.kind = LengthLaw::Kind::uniform, .least = least, .most = most};
}

}  // namespace

TEST_SUITE("property") {
  TEST_CASE("replay: one request alone takes its prompt's time and the steps of batch 1") {
    const Llama llama;
    Server server = server_of(llama.server, llama.setting, {});
    const Replayed out = replay(server, 1, nullptr, test::list_source({{0, 4000, 400, {}}}), {});
    const PromptRates& rates = llama.setting.engine.time.prompts;
    const Seconds prompt =
        prompt_time(llama.setting, llama.chip, {.prompt = 4000, .gpus = 8, .tensor = 8});
    const Seconds launched = 80 * rates.outside_graphs;
    const Evaluation first = llama.at(1, 4000);
    REQUIRE(rates.first_token > 0);
    const Seconds after = launched + first.between + rates.first_token * first.step;
    CHECK(out.first_token.mean() == doctest::Approx((prompt + after).base()).epsilon(1e-3));
    CHECK(out.token.mean() == doctest::Approx(llama.at(1, 4200).step.base()).epsilon(1e-3));
  }

  TEST_CASE("replay: a closed loop agrees with the closed form of interruptions within 3 %") {
    for (const bool measured : {false, true}) {
      Llama llama(measured ? "afford" : "vllm");
      if (measured) attach_calibrations({&llama.chip}, "h100");
      REQUIRE(products_on_curves(llama.setting, llama.chip) == measured);
      for (const std::int64_t requests : {8, 32, 96}) {
        CAPTURE(measured);
        CAPTURE(requests);
        Server server = server_of(llama.server, llama.setting, {});
        ReplayLoad load;
        load.concurrency = requests;
        const Replayed out =
            replay(server, 1, nullptr,
                   first_of(drawn(uniform(400, 1200), uniform(100, 700), 3), 4000), load);
        const PromptLoad prompts{.requests = real(requests),
                                 .prompt = 800,
                                 .output = 400,
                                 .gpus = 8,
                                 .tensor = 8,
                                 .expert_tensor = 8};
        const StationaryMix mix = mix_of(uniform_length(400, 1200), uniform_length(100, 700));
        const Seconds closed =
            llama.at(requests, mix.context).step +
            interruption(joining(prompts), prompt_time(llama.setting, llama.chip, prompts),
                         prompt_launches(llama.setting));
        CHECK(out.usage.token.mean() == doctest::Approx(closed.base()).epsilon(0.03));
      }
    }
  }

  TEST_CASE("replay: requests in flight at random arrivals are those of the plan's queue") {
    test::PlainServer plain;
    plain.p = 0;
    Server server = plain.server();
    server.outside_graphs = server.between = Seconds(0);
    const double rate = 20;
    const Replayed out = replay(
        server, 1, nullptr,
        poisson(first_of(drawn(uniform(1000, 1000), uniform(1, 399), 3), 20'000), rate, 4), {});
    std::vector<double> requests;
    std::vector<Seconds> steps;
    for (int n = 1; n <= 2000; ++n) {
      requests.push_back(n);
      steps.emplace_back(plain.step(n, 1133));
    }
    const InFlight queue = Queue(StepCurve(requests, steps), 500).in_flight(rate * 199, 0.99);
    CHECK(out.in_flight() == doctest::Approx(queue.mean).epsilon(0.03));
    CHECK(out.usage.token.quantile(0.99) ==
          doctest::Approx(queue.step_at_percentile.base()).epsilon(0.03));
  }

  // casys-kaist/LLMServingSim, commit 5daddb2, bench/examples/RTXPRO6000/Llama-3.1-8B/vllm: vLLM
  // 0.19 in BF16 on one card, 300 requests of ShareGPT at 10 a second, 128 at once, chunks of 2048.
  // When they came, their prompts and outputs stand in vllm-llama-3.1-8b.csv, as in its
  // requests.jsonl; the measured times here are of the same file.
  TEST_CASE("replay: a published run of vLLM has the same times of tokens and requests") {
    ModelSpec model = load_models({"llama-3.1-8b"}).front();
    const std::vector<LayerShape> shapes = layer_shapes(model);
    const HardwareSpec card = load_hardware({"rtx-pro-6000"}).front();
    Setting setting;
    setting.model = &model;
    setting.shapes = &shapes;
    setting.engine = load_engines({"vllm"}).front();
    const Colocated one{.pool = {&card, 1, 1}, .batch = 1, .layout = tensor_parallel(1)};
    Server server = server_of(one, setting, {.chunk = 2048, .most_in_flight = 128});
    const Replayed out = replay(
        server, 1, nullptr,
        trace_source(std::string(AFFORD_SOURCE) + "/tests/property/vllm-llama-3.1-8b.csv"), {});
    CHECK(out.requests == 300);
    CHECK(1e3 * out.token.quantile(0.5) == doctest::Approx(33.42).epsilon(0.05));
    CHECK(1e3 * out.token.quantile(0.9) == doctest::Approx(36.49).epsilon(0.05));
    CHECK(out.first_token.quantile(0.5) == doctest::Approx(9.46).epsilon(0.1));
    CHECK(out.whole.quantile(0.5) == doctest::Approx(29.64).epsilon(0.05));
    CHECK(out.whole.quantile(0.9) == doctest::Approx(35.47).epsilon(0.1));
  }

  TEST_CASE("replay: more load, longer prompts and smaller chunks are never faster") {
    const Llama llama;
    const auto whole = [&](double rate, double prompt, std::int64_t chunk) {
      ServerOptions options;
      options.chunk = chunk;
      Server server = server_of(llama.server, llama.setting, options);
      return replay(server, 1, nullptr,
                    poisson(first_of(drawn(uniform(prompt, prompt), uniform(50, 250), 3), 500),
                            rate, 4),
                    {})
          .whole.mean();
    };
    const double base = whole(2, 2000, 8192);
    CHECK(whole(4, 2000, 8192) >= base);
    CHECK(whole(2, 4000, 8192) >= base);
    CHECK(whole(2, 2000, 512) >= base);
  }
}
