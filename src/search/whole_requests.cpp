#include "search/whole_requests.hpp"

#include "deploy/prompts.hpp"

namespace afford {

std::vector<Colocated> prompt_pools(const HardwareSpec& chip, std::int64_t max_gpus,
                                    const Setting& setting, size_t most) {
  const bool experts = has_experts(*setting.model);
  const auto server = static_cast<int>(chip.server_accelerators.value);
  std::vector<Colocated> pools;
  for (int servers = 1; servers * server <= max_gpus && pools.size() < most; servers *= 2) {
    Colocated pool{.pool = {&chip, servers, server}, .batch = 0, .micro_batches = 1};
    pool.layout = experts ? expert_parallel(pool.pool.size()) : tensor_parallel(server);
    pool.batch = pool.replicas();
    const Verdict verdict = evaluate(pool, setting).verdict;
    if (verdict == Verdict::feasible || verdict == Verdict::slow) pools.push_back(pool);
    if (!experts) break;  // shards do not leave the server
  }
  return pools;
}

PrefillPool timed(const Colocated& pool, const Setting& setting, const WholeRequests& requests) {
  const HardwareSpec& chip = *pool.pool.chip;
  PromptLoad load = prompt_load(pool.layout);
  load.cached = requests.cached();
  load.prompt = requests.prompt - load.cached;
  Setting at_prompt = setting;
  at_prompt.context = requests.prompt;
  return {.pool = pool,
          .chip = 0,
          .time = prompt_time(setting, chip, load) + prompt_launches(setting) +
                  evaluate(pool, at_prompt).between,
          .sending = cache_sending(chip, pool.layout.engine(), at_prompt)};
}

}  // namespace afford
