#include <doctest/doctest.h>

#include <cmath>

#include "deploy/prompts.hpp"
#include "load/library.hpp"
#include "plan/prompt_servers.hpp"

using namespace afford;

namespace {

/// One model and chip with a traffic of prompts of these moments.
struct PromptCase {
  std::vector<HardwareSpec> chips;
  ModelSpec model = load_model("qwen3-8b");
  std::vector<LayerShape> shapes = layer_shapes(model);
  Engine engine = load_engine("vllm", {});
  Space space;
  Setting setting;
  Workload workload;

  void fix_lengths(double tokens) { workload.traffic.prompt_lengths = {tokens}; }

  explicit PromptCase(const std::string& chip = "h800") : chips{load_chip(chip, {})} {
    space.chips = &chips;
    setting.model = &model;
    setting.shapes = &shapes;
    setting.context = 4096;
    setting.engine = engine;
    workload.traffic.requests_per_s = 1;
    workload.traffic.prompt_tokens = 4000;
    workload.traffic.prompt_square = 4000.0 * 4000;
  }
  PromptCase(const PromptCase&) = delete;
  PromptCase& operator=(const PromptCase&) = delete;

  [[nodiscard]] PromptServer only() const {
    const std::vector<PromptServer> servers = prompt_servers(space, setting, workload);
    REQUIRE(servers.size() == 1);
    return servers.front();
  }
};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("a prompt server takes the time of prompts of one length, and of their launches") {
    const PromptCase c;
    const PromptServer server = c.only();
    CHECK(server.gpus == 8);
    const PromptLoad load{.prompt = 4000, .gpus = 8, .tensor = 8};
    const Seconds kernels = prompt_time(c.setting, c.chips[0], load);
    CHECK(server.mean > kernels);
    CHECK(server.mean < kernels + 2 * prompt_launches(c.setting) + Seconds(0.01));
    CHECK(server.deviation == Seconds(0));
    CHECK(server.requests_per_s == doctest::Approx(1 / server.mean.base()));
  }

  TEST_CASE("longer prompts cost by their square too; headroom and cached prefixes spare time") {
    PromptCase c;
    const PromptServer even = c.only();
    c.workload.traffic.prompt_square *= 2;
    const PromptServer uneven = c.only();
    CHECK(uneven.mean > even.mean);
    CHECK(uneven.deviation > Seconds(0));
    c.workload.target.headroom = 0.25;
    CHECK(c.only().requests_per_s == doctest::Approx(0.75 * uneven.requests_per_s));
    c.workload.traffic.prefix_hit_rate = 0.5;
    CHECK(c.only().mean > 0.5 * uneven.mean);  // what is left attends to what is cached
    CHECK(c.only().mean < 0.8 * uneven.mean);
    c.workload.traffic.prefix_hit_rate = 1;
    CHECK(prompt_servers(c.space, c.setting, c.workload).empty());
  }

  TEST_CASE("what has no NICs sends no caches") {
    PromptCase c("rtx-4090");
    REQUIRE_FALSE(has_network(c.chips[0]));
    CHECK(prompt_servers(c.space, c.setting, c.workload).empty());
  }

  TEST_CASE("a model that one server does not hold is spread over more") {
    PromptCase c("a800");
    c.model = load_model("deepseek-v3");
    c.shapes = layer_shapes(c.model);
    CHECK(c.only().gpus == 16);  // 671 GB in FP8 beside 8 x 80 GB
    c.space.max_gpus = 8;
    CHECK(prompt_servers(c.space, c.setting, c.workload).empty());
  }

  TEST_CASE("waiting: one server of even prompts is M/D/1, two of exponential ones M/M/2") {
    const PromptServer even{.mean = Seconds(2)};
    CHECK(waiting(even, 1, 0.25).mean.base() == doctest::Approx(1));  // rho s / (2 (1 - rho))
    const PromptServer exponential{.mean = Seconds(2), .deviation = Seconds(2)};
    CHECK(waiting(exponential, 2, 0.5).mean.base() == doctest::Approx(2.0 / 3));  // C = 1/3
    CHECK(std::isinf(waiting(even, 2, 1).mean.base()));
  }

  TEST_CASE("first tokens: waiting, the prompt and the sending, on average and at a percentile") {
    PromptCase c;
    c.workload.target.percentile = 0.9;
    c.workload.traffic.prompt_lengths = {1000, 2000, 3000, 4000};
    const PromptServer server{.time = {.launches = Seconds(0.5), .linear = 1e-3},
                              .mean = Seconds(3),
                              .sending = Seconds(0.25)};
    const FirstToken idle = first_token({{.server = server, .requests_per_s = 1}}, c.workload);
    CHECK(idle.mean.base() == doctest::Approx(3.25));
    CHECK(idle.at_percentile.base() == doctest::Approx(4.75).epsilon(1e-6));  // the longest
    // Half of all wait, 2 s each; of one length the rest is exponential: 0.5 e^(-t / 2) = 0.1.
    const Waiting half{.share = 0.5, .mean = Seconds(1)};
    c.fix_lengths(1000);
    const FirstToken busy =
        first_token({{.server = server, .waiting = half, .requests_per_s = 1}}, c.workload);
    CHECK(busy.mean.base() == doctest::Approx(4.25));
    CHECK(busy.at_percentile.base() == doctest::Approx(1.75 + 2 * std::log(5)).epsilon(1e-6));
    CHECK(share_later(server, half, c.workload.traffic, Seconds(1.75)) == doctest::Approx(0.5));
    CHECK(share_later(server, half, c.workload.traffic, Seconds(1.7)) == 1);
  }

  TEST_CASE("a target for the first token bounds how busy servers are, and asks for larger ones") {
    PromptCase c;
    c.model = load_model("deepseek-v3");
    c.shapes = layer_shapes(c.model);
    c.chips = {load_chip("h200", {})};
    c.fix_lengths(4000);
    c.workload.traffic.requests_per_s = 50;
    const PromptServer any = c.only();
    c.workload.target.ttft = 20 * any.mean;
    const std::vector<PromptServer> servers = prompt_servers(c.space, c.setting, c.workload);
    REQUIRE(servers.size() == 4);  // 8, 16, 32 and 64 GPUs
    CHECK(servers[1].mean < servers[0].mean);
    CHECK(servers[0].requests_per_s < any.requests_per_s);
    const auto late = [&](const PromptServer& server, double rate) {
      constexpr std::int64_t count = 40;
      return share_later(server, waiting(server, count, count * rate), c.workload.traffic,
                         *c.workload.target.ttft);
    };
    CHECK(late(servers[0], 0.99 * servers[0].requests_per_s) <= 0.01);
    c.workload.target.ttft = 0.9 * any.mean + any.sending;
    const std::vector<PromptServer> larger = prompt_servers(c.space, c.setting, c.workload);
    REQUIRE_FALSE(larger.empty());
    CHECK(larger.front().gpus > 8);
    c.workload.target.ttft = Seconds(1e-3);
    CHECK(prompt_servers(c.space, c.setting, c.workload).empty());
  }
}
