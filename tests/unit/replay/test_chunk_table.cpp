#include <doctest/doctest.h>

#include <cmath>

#include "calibration/chip_timing.hpp"
#include "calibration_support.hpp"
#include "deploy/prompts.hpp"
#include "load/library.hpp"
#include "replay/chunk_table.hpp"
#include "replay/server.hpp"
#include "unit/replay/replay_support.hpp"

using namespace afford;

namespace {

/// A prompt of the square law: 1 us a token, 1 ns for each pair.
ChunkTable square_law(int* evaluations = nullptr) {
  return {[](double n) { return Seconds(1e-6 * n); },
          [evaluations](double n, double prefix) {
            if (evaluations != nullptr) ++*evaluations;
            return Seconds(1e-9 * n * (prefix + n / 2));
          }};
}

/// DeepSeek-V3 and Llama 3.1 70B on eight H200 with measured kernels, heads shared by all: few on
/// each.
struct Measured {
  ModelSpec model;
  std::vector<LayerShape> shapes;
  HardwareSpec chip = load_hardware({"h200"}).front();
  Setting setting;
  Colocated server;

  Measured(const char* name, const char* engine)
      : model(load_models({name}).front()), shapes(layer_shapes(model)) {
    const HardwareSpec bare = chip;
    chip.measured = chip_timing(test::measured_on(bare, test::known_calibration()), bare);
    setting.model = &model;
    setting.shapes = &shapes;
    setting.engine = load_engines({engine}).front();
    server = {.pool = {&chip, 1, 8}, .batch = 1, .layout = tensor_parallel(8)};
  }
  Measured(const Measured&) = delete;
  Measured& operator=(const Measured&) = delete;

  [[nodiscard]] PromptTime chunk(double tokens, double prefix) const {
    PromptLoad load = prompt_load(server.layout);
    load.prompt = tokens;
    load.cached = prefix;
    return prompt_parts(setting, chip, load);
  }
};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("chunk table: chunks of the square law add up to the whole") {
    ChunkTable table = square_law();
    CHECK(table.tokens(1000).base() == doctest::Approx(1e-3));
    CHECK(table.attention(1000, 0).base() == doctest::Approx(5e-4).epsilon(1e-3));
    CHECK(table.attention(1000, 3000).base() == doctest::Approx(3.5e-3).epsilon(1e-3));
    CHECK(table.alone(1000, 3000).base() == doctest::Approx(4.5e-3).epsilon(1e-3));
    const Seconds parts = table.attention(500, 0) + table.attention(500, 500);
    CHECK(parts.base() == doctest::Approx(table.attention(1000, 0).base()).epsilon(1e-3));
    CHECK(table.tokens(0) == Seconds(0));
    CHECK(table.attention(0, 777) == Seconds(0));
    CHECK(table.attention(1, 64).base() == doctest::Approx(64.5e-9));
  }

  TEST_CASE("chunk table: what was worked out once is not worked out again") {
    int evaluations = 0;
    ChunkTable table = square_law(&evaluations);
    (void)table.attention(700, 5000);
    CHECK(evaluations == 4);  // two numbers of tokens behind two prefixes
    (void)table.attention(690, 5010);
    CHECK(evaluations == 4);
    (void)table.attention(64, 0);
    CHECK(evaluations == 5);
  }

  TEST_CASE("a chunk takes what a prompt of its own behind its prefix takes, not a difference") {
    for (const char* name : {"llama-3.1-70b", "deepseek-v3"}) {
      const Measured m(name, "vllm");
      Server server = server_of(m.server, m.setting, {});
      double worst = 0, by_difference = 0;
      for (const double prefix : {512.0, 3000.0, 17'000.0}) {
        for (const double tokens : {200.0, 512.0, 2048.0}) {
          const Seconds direct = m.chunk(tokens, prefix).total();
          const Seconds whole = m.chunk(prefix + tokens, 0).total() - m.chunk(prefix, 0).total();
          const auto off = [&](Seconds time) { return std::fabs(time / direct - 1); };
          worst = std::max(worst, off(server.prompts.alone(tokens, prefix)));
          by_difference = std::max(by_difference, off(whole));
        }
      }
      CAPTURE(name);
      CHECK(worst < 0.03);
      CHECK(by_difference > 2 * worst);
    }
  }

  TEST_CASE("a step works off its chunks' tokens together and attends chunk by chunk") {
    Server server = test::PlainServer{}.server();
    server.prompts = ChunkTable([](double n) { return Seconds(1e-3 * std::sqrt(n)); },
                                [](double n, double prefix) { return Seconds(1e-6 * n * prefix); });
    server.chunk = 6400;
    const Replayed out =
        replay(server, 1, nullptr, test::list_source({{0, 6400, 2, {}}, {0, 1600, 2, {}}}), {});
    // The second waits for a step of its own, so each is a chunk without a prefix.
    const double first = 1e-3 * 80 + 3e-3;
    CHECK(out.first_token.quantile(0.5) == doctest::Approx(first).epsilon(0.006));
    server.chunk = 8000;
    const Replayed both =
        replay(server, 1, nullptr, test::list_source({{0, 6400, 2, {}}, {0, 1600, 2, {}}}), {});
    CHECK(both.first_token.quantile(0.01) ==
          doctest::Approx(1e-3 * std::sqrt(8000) + 3e-3).epsilon(0.006));
    server.chunk = 4000;
    const Replayed chunks = replay(server, 1, nullptr, test::list_source({{0, 6400, 2, {}}}), {});
    CHECK(chunks.first_token.most() ==
          doctest::Approx(1e-3 * (std::sqrt(4000) + std::sqrt(2400)) + 1e-6 * 2400 * 4000 + 6e-3)
              .epsilon(0.006));
  }
}
