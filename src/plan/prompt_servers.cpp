#include "plan/prompt_servers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "deploy/prompts.hpp"

namespace afford {
namespace {

PromptLaw law_of(const Colocated& pool, const Setting& setting, const Traffic& traffic) {
  PromptLoad load = prompt_load(pool.layout);
  const auto time = [&](double tokens) {
    load.cached = traffic.prefix_hit_rate * tokens;
    load.prompt = tokens - load.cached;
    return prompt_time(setting, *pool.pool.chip, load).base();
  };
  const double mean = traffic.prompt_tokens;
  const double once = time(mean), twice = time(2 * mean);
  const double square = std::max(0.0, (twice - 2 * once) / (2 * mean * mean));
  const double linear = once / mean - square * mean;
  return {.launches = prompt_launches(setting) + evaluate(pool, setting).between,
          .linear = linear,
          .square = square};
}

PromptServer server_of(const Colocated& pool, const Setting& setting, const Workload& workload) {
  PromptServer server = prompts_on(pool, setting, workload.traffic);
  Setting sent = setting;
  sent.context = workload.traffic.prompt_tokens;
  server.sending =
      cache_sending(*pool.pool.chip, server.gpus, sent) + server.first_token * workload.target.tpot;
  server.requests_per_s = (1 - workload.target.headroom) / server.mean.base();
  return server;
}

/// The probability that all of `servers` are busy at an offered load of so many of them.
double erlang_c(std::int64_t servers, double offered) {
  // Erlang's B by its recursion. What it starts from is forgotten by exp(-k^2 / 2) over the last k
  // roots of the load below it.
  constexpr double roots = 10;
  const double below = std::floor(offered - roots * std::sqrt(offered));
  double blocked = 1;
  for (auto n = static_cast<std::int64_t>(std::max(1.0, below)); n <= servers; ++n)
    blocked = offered * blocked / (real(n) + offered * blocked);
  const double busy = offered / real(servers);
  return blocked / (1 - busy * (1 - blocked));
}

/// The fewest servers that have the first tokens of the whole peak in time, where any number has.
std::int64_t fewest_in_time(const PromptServer& server, const Workload& workload) {
  const double peak = peak_rate(workload.traffic);
  auto low = static_cast<std::int64_t>(peak * server.mean.base());
  std::int64_t high = low + 1;
  while (!in_time(server, {high, peak}, workload)) high = low + 2 * (high - low);
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (in_time(server, {middle, peak}, workload) ? high : low) = middle;
  }
  return high;
}

/// The most requests a second that so many of a server have in time.
double most_in_time(const PromptServer& server, std::int64_t servers, const Workload& workload) {
  double low = 0, high = real(servers) / server.mean.base();
  constexpr int halvings = 30;
  for (int i = 0; i < halvings; ++i) {
    const double middle = (low + high) / 2;
    (in_time(server, {servers, middle}, workload) ? low : high) = middle;
  }
  return low;
}

/// With what each carries of those that the peak needs, as more of them share a queue better;
/// nothing where prompts take too long on it without any waiting.
std::optional<PromptServer> with_ttft(PromptServer server, const Workload& workload) {
  if (!in_time(server, {1, 0}, workload)) return std::nullopt;
  const std::int64_t servers = fewest_in_time(server, workload);
  server.requests_per_s =
      (1 - workload.target.headroom) / real(servers) * most_in_time(server, servers, workload);
  return server;
}

}  // namespace

bool in_time(const PromptServer& server, const SharedLoad& load, const Workload& workload) {
  const Waiting queue = waiting(server, load.servers, load.requests_per_s);
  return share_later(server, queue, workload.traffic, *workload.target.ttft) <=
         1 - workload.target.percentile;
}

PromptServer with_law(PromptServer server, const PromptLaw& law, const Traffic& traffic) {
  const double mean = traffic.prompt_tokens;
  server.time = law;
  server.mean = law.launches + Seconds(law.linear * mean + law.square * traffic.prompt_square);
  const double spread = std::sqrt(std::max(0.0, traffic.prompt_square - mean * mean));
  server.deviation = Seconds((law.linear + 2 * law.square * mean) * spread);
  return server;
}

PromptServer prompts_on(const Colocated& pool, const Setting& setting, const Traffic& traffic) {
  return with_law({.pool = pool,
                   .gpus = pool.pool.size(),
                   .first_token = setting.engine.time.prompts.first_token},
                  law_of(pool, setting, traffic), traffic);
}

std::vector<PromptServer> prompt_servers(const Space& space, const Setting& setting,
                                         const Workload& workload) {
  if (!has_prompts(workload.traffic)) return {};
  std::vector<PromptServer> servers;
  for (size_t c = 0; c < space.chips->size(); ++c) {
    const HardwareSpec& chip = (*space.chips)[c];
    if (!has_network(chip)) continue;
    const size_t most = workload.target.ttft ? pools_for_ttft : 1;
    for (const Colocated& pool : prompt_pools(chip, space.max_gpus, setting, most)) {
      std::optional<PromptServer> server = server_of(pool, setting, workload);
      server->chip = c;
      if (workload.target.ttft) server = with_ttft(*server, workload);
      if (server) servers.push_back(*server);
    }
  }
  return servers;
}

Waiting waiting(const PromptServer& server, std::int64_t servers, double requests_per_s) {
  const double offered = requests_per_s * server.mean.base();
  if (offered >= real(servers)) return {1, Seconds(std::numeric_limits<double>::infinity())};
  const double cv = server.deviation / server.mean, share = erlang_c(servers, offered);
  return {share, share / (real(servers) - offered) * (1 + cv * cv) / 2 * server.mean};
}

double share_later(const PromptServer& server, const Waiting& queue, const Traffic& traffic,
                   Seconds limit) {
  if (!std::isfinite(queue.mean.base())) return 1;
  double later = 0;
  for (const double tokens : traffic.prompt_lengths) {
    const Seconds left = limit - server.time.of(tokens) - server.sending;
    if (left < Seconds(0)) {
      later += 1;
    } else if (queue.share > 0) {
      later += queue.share * std::exp(-(queue.share * left / queue.mean));
    }
  }
  return later / real(std::ssize(traffic.prompt_lengths));
}

FirstToken first_token(const std::vector<PromptShare>& shares, const Workload& workload) {
  double all = 0;
  Seconds mean;
  for (const PromptShare& s : shares) {
    all += s.requests_per_s;
    mean += s.requests_per_s * (s.waiting.mean + s.server.mean + s.server.sending);
  }
  if (!(all > 0)) return {};
  mean = mean / all;
  if (!std::isfinite(mean.base())) return {mean, mean};
  const auto too_short = [&](Seconds limit) {
    double later = 0;
    for (const PromptShare& s : shares)
      later += s.requests_per_s * share_later(s.server, s.waiting, workload.traffic, limit);
    return later > (1 - workload.target.percentile) * all;
  };
  Seconds low(0), high = mean;
  while (too_short(high)) high = 2 * high;
  constexpr int halvings = 40;
  for (int i = 0; i < halvings; ++i) {
    const Seconds middle = 0.5 * (low + high);
    (too_short(middle) ? low : high) = middle;
  }
  return {mean, high};
}

}  // namespace afford
