#pragma once
// Servers whose steps are known in closed form.

#include "replay/replay.hpp"

namespace afford::test {

/// A step takes a + b n + c n context seconds, a prompt p a token; the memory holds so many tokens.
struct PlainServer {
  double a = 10e-3, b = 1e-4, c = 1e-8, p = 1e-5, tokens = 1e6;

  [[nodiscard]] double step(double requests, double context) const {
    return a + b * requests + c * requests * context;
  }
  [[nodiscard]] Server server() const {
    const PlainServer plain = *this;
    const auto steps = [plain](std::int64_t requests, double context) {
      const double n = real(requests);
      return StepPoint{Seconds(plain.step(n, context)), n * context / plain.tokens};
    };
    const auto prompts = [plain](double length) { return Seconds(plain.p * length); };
    return {.steps = StepTable(steps),
            .prompts = ChunkTable(prompts, [](double, double) { return Seconds(0); }),
            .outside_graphs = 2 * millisecond,
            .between = 1 * millisecond};
  }
};

[[nodiscard]] inline RequestSource list_source(std::vector<Request> requests) {
  return [requests = std::move(requests), at = size_t{0}]() mutable -> std::optional<Request> {
    if (at == requests.size()) return std::nullopt;
    return requests[at++];
  };
}

}  // namespace afford::test
