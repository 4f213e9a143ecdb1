// One unit of a space (search/space.hpp).

#include <algorithm>

#include "search/space.hpp"

namespace afford {

std::vector<FfnSplit> splits_of(std::int64_t instances, std::int64_t accelerators,
                                std::int64_t experts) {
  std::vector<FfnSplit> splits;
  for (std::int64_t tensor = 1; tensor <= accelerators; ++tensor) {
    if (accelerators % tensor != 0) continue;
    const std::int64_t groups = instances * accelerators / tensor;
    const std::int64_t most = experts == 0 ? 1 : std::min(groups, experts);
    for (std::int64_t expert = 1; expert <= most; ++expert) {
      if (groups % expert == 0) splits.push_back({tensor, expert});
    }
  }
  return splits;
}

Candidate first_of(const Unit& unit) {
  Candidate c{.way = unit.way};
  c.attention = c.ffn = unit.side;
  c.number = unit.first;
  c.tensor = static_cast<std::uint32_t>(unit.split.tensor);
  c.expert = static_cast<std::uint32_t>(unit.split.expert);
  c.attention_tensor = static_cast<std::uint32_t>(unit.attention_tensor);
  c.context_ways = static_cast<std::uint32_t>(unit.context_ways);
  c.stages = static_cast<std::uint32_t>(unit.stages);
  return c;
}

int micro_batches_of(const Unit& unit, int on_each_stage) {
  return static_cast<int>(std::max<std::int64_t>(unit.stages, 1)) * on_each_stage;
}

}  // namespace afford
