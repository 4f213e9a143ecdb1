#include "plan/prompt_servers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "deploy/prompts.hpp"

namespace afford {
namespace {

/// The smallest pool of whole servers that holds the model and a prompt's cache.
std::optional<Colocated> smallest_pool(const HardwareSpec& chip, std::int64_t most,
                                       const Setting& setting) {
  const bool experts = has_experts(*setting.model);
  const auto server = static_cast<int>(chip.server_accelerators.value);
  for (int servers = 1; servers * server <= most; servers *= 2) {
    Colocated pool{.pool = {&chip, servers, server}, .batch = 0, .micro_batches = 1};
    pool.layout = experts ? expert_parallel(pool.pool.size()) : tensor_parallel(server);
    pool.batch = pool.replicas();
    const Verdict verdict = evaluate(pool, setting).verdict;
    if (verdict == Verdict::feasible || verdict == Verdict::slow) return pool;
    if (!experts) break;  // shards do not leave the server
  }
  return std::nullopt;
}

/// Time of a prompt by its length: `linear` a token, `square` a token squared.
struct PromptLaw {
  double linear = 0, square = 0;
};

PromptLaw law_of(const Colocated& pool, const Setting& setting, double mean) {
  PromptLoad load{.gpus = pool.layout.engine(),
                  .tensor = pool.layout.attention_tp,
                  .expert_groups = pool.layout.expert_ep};
  const auto time = [&](double tokens) {
    load.prompt = tokens;
    return prompt_time(*setting.model, *pool.pool.chip, load, setting.engine.time.prompts).base();
  };
  const double once = time(mean), twice = time(2 * mean);
  const double square = std::max(0.0, (twice - 2 * once) / (2 * mean * mean));
  return {once / mean - square * mean, square};
}

PromptServer server_of(const Colocated& pool, const Setting& setting, const Workload& workload) {
  const Traffic& traffic = workload.traffic;
  const double mean = traffic.prompt_tokens, hit = traffic.prefix_hit_rate;
  const PromptLaw law = law_of(pool, setting, mean);
  const double linear = law.linear * (1 - hit), square = law.square * (1 - hit * hit);
  PromptServer server{.gpus = pool.pool.size()};
  const double launches = prompt_launches(setting).base() + evaluate(pool, setting).between.base();
  server.mean = Seconds(launches + linear * mean + square * traffic.prompt_square);
  const double spread = std::sqrt(std::max(0.0, traffic.prompt_square - mean * mean));
  server.deviation = Seconds((linear + 2 * square * mean) * spread);
  Setting sent = setting;
  sent.context = mean;
  server.sending = cache_sending(*pool.pool.chip, server.gpus, sent);
  server.requests_per_s = (1 - workload.target.headroom) / server.mean.base();
  return server;
}

/// The probability that all of `servers` are busy at an offered load of so many of them.
double erlang_c(std::int64_t servers, double offered) {
  double blocked = 1;  // Erlang's B, by its recursion
  for (std::int64_t n = 1; n <= servers; ++n)
    blocked = offered * blocked / (real(n) + offered * blocked);
  const double busy = offered / real(servers);
  return blocked / (1 - busy * (1 - blocked));
}

}  // namespace

std::vector<PromptServer> prompt_servers(const Space& space, const Setting& setting,
                                         const Workload& workload) {
  if (!has_prompts(workload.traffic)) return {};
  std::vector<PromptServer> servers;
  for (size_t c = 0; c < space.chips->size(); ++c) {
    const HardwareSpec& chip = (*space.chips)[c];
    if (!has_network(chip)) continue;
    const std::optional<Colocated> pool = smallest_pool(chip, space.max_gpus, setting);
    if (!pool) continue;
    servers.push_back(server_of(*pool, setting, workload));
    servers.back().chip = c;
  }
  return servers;
}

Seconds mean_wait(const PromptServer& server, std::int64_t servers, double requests_per_s) {
  const double offered = requests_per_s * server.mean.base();
  if (offered >= real(servers)) return Seconds(std::numeric_limits<double>::infinity());
  const double cv = server.deviation / server.mean;
  return erlang_c(servers, offered) / (real(servers) - offered) * (1 + cv * cv) / 2 * server.mean;
}

}  // namespace afford
