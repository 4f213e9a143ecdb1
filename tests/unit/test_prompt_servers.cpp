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
    const Seconds kernels = prompt_time(c.model, c.chips[0], load, c.engine.time.prompts);
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
    CHECK(mean_wait(even, 1, 0.25).base() == doctest::Approx(1));  // rho s / (2 (1 - rho))
    const PromptServer exponential{.mean = Seconds(2), .deviation = Seconds(2)};
    CHECK(mean_wait(exponential, 2, 0.5).base() == doctest::Approx(2.0 / 3));  // C = 1/3
    CHECK(std::isinf(mean_wait(even, 2, 1).base()));
  }
}
