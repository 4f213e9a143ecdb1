#include "search/layouts.hpp"

#include <algorithm>

namespace afford {
namespace {

std::vector<std::int64_t> divisors(std::int64_t of) {
  std::vector<std::int64_t> list;
  for (std::int64_t n = 1; n <= of; ++n) {
    if (of % n == 0) list.push_back(n);
  }
  return list;
}

/// Of one stage; attention `tensor` ways.
std::vector<Layout> expert_layouts(std::int64_t stage, std::int64_t tensor, std::int64_t server) {
  std::vector<Layout> list;
  for (const std::int64_t ways : {std::int64_t{1}, tensor, server, stage}) {
    if (stage % ways != 0) continue;
    const Layout layout{.attention_tp = tensor, .expert_tp = ways, .expert_ep = stage / ways};
    if (std::find(list.begin(), list.end(), layout) == list.end()) list.push_back(layout);
  }
  return list;
}

}  // namespace

std::vector<Layout> layouts_of(const Pool& pool, const ModelSpec& model, std::int64_t redundant) {
  const bool routed = has_experts(model);
  const std::int64_t server = pool.chip->server_accelerators.value;
  std::vector<Layout> list;
  const auto add = [&](Layout layout, std::int64_t stages) {
    layout.pp = stages;
    for (const std::int64_t ways : divisors(layout.attention_tp)) {
      layout.cp = ways;
      if (!objection(layout, pool) && !objection(layout, model, redundant)) list.push_back(layout);
    }
  };
  for (const std::int64_t stages : divisors(pool.size())) {
    const std::int64_t stage = pool.size() / stages;
    if (!routed) {
      add(tensor_parallel(stage), stages);
      continue;
    }
    for (const std::int64_t tensor : divisors(stage)) {
      if (tensor > server && tensor < stage) continue;
      for (const Layout& layout : expert_layouts(stage, tensor, server)) add(layout, stages);
    }
  }
  return list;
}

std::vector<Pool> pools_of(const HardwareSpec& chip, std::int64_t most) {
  const std::int64_t server = chip.server_accelerators.value;
  if (!has_network(chip)) most = std::min(most, joined_accelerators(chip));
  std::vector<Pool> list;
  for (std::int64_t part = 1; part < server && part <= most; part *= 2)
    list.push_back({&chip, 1, part});
  for (std::int64_t n = 1; n * server <= most; ++n) list.push_back({&chip, n, server});
  return list;
}

}  // namespace afford
