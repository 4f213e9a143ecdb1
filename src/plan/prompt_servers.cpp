#include "plan/prompt_servers.hpp"

#include <algorithm>

#include "deploy/prompts.hpp"

namespace afford {

double prompt_servers(const Traffic& traffic, const HardwareSpec& chip, const Setting& setting) {
  const std::int64_t server = chip.server_accelerators.value;
  const bool experts = has_experts(*setting.model);
  PromptLoad load{
      .gpus = server, .tensor = experts ? 1 : server, .expert_groups = experts ? server : 1};
  const auto time = [&](double tokens) {
    load.prompt = tokens;
    return prompt_time(*setting.model, chip, load, setting.engine.time.prompts).base();
  };
  const double mean = traffic.prompt_tokens, once = time(mean), twice = time(2 * mean);
  const double square = std::max(0.0, (twice - 2 * once) / (2 * mean * mean));
  const double spread = traffic.prompt_square - mean * mean;
  return peak_rate(traffic) * (once + square * spread);
}

}  // namespace afford
