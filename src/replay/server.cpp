#include "replay/server.hpp"

#include <algorithm>

#include "deploy/memory.hpp"
#include "deploy/prompts.hpp"

namespace afford {
namespace {

/// Far above the memory: where there is no room for any cache, or the FFN pool does not hold the
/// batch.
constexpr double unfit = 1e6;

double memory_of(const Evaluation& e) {
  if (e.ffn_memory.total() > e.ffn_memory.capacity) return unfit;
  const MemoryUse& use = e.attention_memory;
  const Bytes room = use.capacity - use.weights - use.buffers;
  return room > Bytes(0) ? std::min(unfit, use.cache / room) : unfit;
}

AnyDeployment with_requests(const AnyDeployment& deployment, std::int64_t requests) {
  AnyDeployment changed = deployment;
  if (Colocated* c = std::get_if<Colocated>(&changed)) {
    c->batch = requests * c->engines();
  } else {
    std::get<Disaggregated>(changed).batch = requests;
  }
  return changed;
}

StepTable::Evaluate steps_of(const AnyDeployment& deployment, const Setting& setting) {
  return [deployment, setting = setting](std::int64_t requests, double context) mutable {
    setting.context = context;
    const Evaluation e = evaluate(with_requests(deployment, requests), setting);
    return StepPoint{e.step, memory_of(e)};
  };
}

ChunkTable prompts_on(const Colocated& c, const Setting& setting) {
  const auto parts = [load = prompt_load(c.layout), chip = c.pool.chip, setting = setting](
                         double tokens, double prefix) {
    PromptLoad of = load;
    of.prompt = tokens;
    of.cached = prefix;
    return prompt_parts(setting, *chip, of);
  };
  const auto tokens = [parts](double count) {
    const PromptTime time = parts(count, 0);
    return time.total() - time.core;
  };
  const auto attention = [parts](double count, double prefix) { return parts(count, prefix).core; };
  return {tokens, attention};
}

/// Tokens of context whose caches fill the memory.
double tokens_in_memory(StepTable& steps, std::int64_t replicas) {
  constexpr double context = 4096;
  const double share = steps.line(replicas, context).at.memory;
  return share > 0 && share < unfit ? real(replicas) * context / share : 0;
}

}  // namespace

std::int64_t instances_of(const AnyDeployment& deployment) {
  const Colocated* c = std::get_if<Colocated>(&deployment);
  return c == nullptr ? 1 : c->engines();
}

Server server_of(const AnyDeployment& deployment, const Setting& setting,
                 const ServerOptions& options) {
  const Colocated* c = std::get_if<Colocated>(&deployment);
  Server server{.steps = StepTable(steps_of(deployment, setting)),
                .prompts = c != nullptr ? prompts_on(*c, setting)
                                        : ChunkTable([](double) { return Seconds(0); },
                                                     [](double, double) { return Seconds(0); }),
                .prompts_here = c != nullptr,
                .tokens_per_step = tokens_per_step(setting.speculation),
                .first_token = engine_of(deployment, setting).time.prompts.first_token,
                .chunk = options.chunk,
                .most_in_flight = options.most_in_flight};
  if (c == nullptr) return server;
  server.outside_graphs = prompt_launches(setting);
  server.between = evaluate(with_requests(deployment, 1), setting).between;
  if (options.cache_prefixes)
    server.cache_tokens = tokens_in_memory(server.steps, c->layout.replicas());
  return server;
}

PromptPool prompt_pool_of(const Colocated& c, const Setting& setting) {
  Colocated one = c;
  one.batch = c.engines();
  const auto sent = [setting = setting, chip = c.pool.chip,
                     engine = c.layout.engine()](double tokens) mutable {
    setting.context = tokens;
    return cache_sending(*chip, engine, setting);
  };
  return {.instances = c.engines(),
          .prompts = prompts_on(c, setting),
          .overhead = prompt_launches(setting) + evaluate(one, setting).between,
          .transfer = PromptTable(sent)};
}

}  // namespace afford
