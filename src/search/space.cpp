#include "search/space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "deploy/memory.hpp"

namespace afford {
namespace {

using Side = Candidate::Side;
std::int64_t size(const Side& side) { return std::int64_t{side.instances} * side.accelerators; }

Pool pool_of(const Side& side, const Space& space) {
  return {&(*space.chips)[side.chip], side.instances, side.accelerators};
}

std::int64_t most_of(const Space& space, size_t chip) {
  return space.inventory.empty() ? space.max_gpus : std::min(space.max_gpus, space.inventory[chip]);
}

/// Whole batches up to `most`: one by one at first, then `steps` of them from each power of two to
/// the next.
std::vector<std::int64_t> batches_up_to(double most, int steps) {
  constexpr double sensible = 65536;
  const auto last = static_cast<std::int64_t>(std::clamp(most, 1.0, sensible));
  std::vector<std::int64_t> batches;
  std::int64_t octave = 1;
  for (std::int64_t batch = 1; batch <= last; batch += std::max<std::int64_t>(1, octave / steps)) {
    while (2 * octave <= batch) octave *= 2;
    batches.push_back(batch);
  }
  return batches;
}

std::vector<std::int64_t> instance_sizes(const Space& space, size_t chip) {
  const HardwareSpec& hardware = (*space.chips)[chip];
  if (space.instance_sizes.empty()) return {hardware.server_accelerators.value};
  const std::int64_t joined =
      std::max(hardware.server_accelerators.value, hardware.scale_up_accelerators.value);
  std::vector<std::int64_t> sizes;
  for (const std::int64_t wanted : space.instance_sizes) {
    if (wanted <= joined) sizes.push_back(wanted);
  }
  return sizes;
}

std::vector<Side> pools(const Space& space) {
  std::vector<Side> list;
  for (size_t chip = 0; chip < space.chips->size(); ++chip) {
    for (const std::int64_t each : instance_sizes(space, chip)) {
      for (std::int64_t n = 1; n * each <= most_of(space, chip); ++n) {
        list.push_back({static_cast<std::uint32_t>(chip), static_cast<std::uint32_t>(n),
                        static_cast<std::uint32_t>(each)});
      }
    }
  }
  return list;
}

void add_attention(Enumeration& out, const Space& space, const Setting& setting) {
  std::vector<AttentionPool> shapes;
  for (const AttentionSplit split : space.attention_splits) {
    for (const Side& side : pools(space)) {
      const bool tensor = split == AttentionSplit::tensor;
      if (tensor && side.accelerators == 1) continue;  // the same as data parallel
      if (tensor && undivided_heads(*setting.shapes, side.accelerators) != 0) continue;
      const auto known =
          std::find_if(shapes.begin(), shapes.end(), [&](const AttentionPool& shape) {
            return shape.side.chip == side.chip && shape.side.accelerators == side.accelerators &&
                   shape.split == split;
          });
      AttentionPool pool{.side = side,
                         .split = split,
                         .units = tensor ? side.instances : size(side),
                         .shape = static_cast<size_t>(known - shapes.begin())};
      if (known == shapes.end()) shapes.push_back(pool);
      out.attention.push_back(pool);
    }
  }
  out.shapes = shapes.size();
  // FFN times depend on the units alone, so pools with equal units follow each other.
  std::stable_sort(out.attention.begin(), out.attention.end(),
                   [](const AttentionPool& a, const AttentionPool& b) {
                     return a.split != b.split ? a.split < b.split : a.units < b.units;
                   });
}

std::uint64_t disaggregated_count(const Enumeration& e, const Space& space, const Side& ffn) {
  std::uint64_t count = 0;
  for (const AttentionPool& pool : e.attention) {
    if (!within(space, pool.side, ffn)) continue;
    count += pool.split == AttentionSplit::tensor ? e.tensor_batches.size() : e.batches.size();
  }
  return count * space.micro_batches.size();
}

bool wanted(const Space& space, const Side& pool, const FfnSplit& split) {
  switch (space.ffn_choice) {
    case FfnChoice::any:
      return true;
    case FfnChoice::tensor:
      return split.tensor == pool.accelerators && split.expert == 1;
    case FfnChoice::expert:
      return split.tensor == 1 && split.expert == size(pool);
    case FfnChoice::exact:
      break;
  }
  return split.tensor == space.ffn_split.tensor && split.expert == space.ffn_split.expert;
}

void add_unit(Enumeration& out, Unit unit, std::uint64_t count) {
  if (count == 0) return;
  unit.first = out.candidates, unit.count = count;
  out.candidates += count;
  out.units.push_back(unit);
}

/// Co-located pools of one chip: part of a server and whole servers for EP (as long as every
/// accelerator has an expert), part of what the fabric joins for TP. More of the same pool is a
/// replica: nothing changes.
void add_colocated(Enumeration& out, const Space& space, Way way, size_t chip,
                   const Setting& setting) {
  const HardwareSpec& hardware = (*space.chips)[chip];
  const std::int64_t server = hardware.server_accelerators.value;
  const std::uint64_t count = out.batches.size() * space.colocated_micro_batches.size();
  const auto add = [&](std::int64_t instances, std::int64_t accelerators, std::int64_t tensor) {
    if (instances * accelerators > most_of(space, chip)) return;
    add_unit(out,
             {.way = way,
              .side = {static_cast<std::uint32_t>(chip), static_cast<std::uint32_t>(instances),
                       static_cast<std::uint32_t>(accelerators)},
              .split = {.tensor = tensor, .expert = 1}},
             count);
  };
  if (way == Way::tensor_parallel) {
    for (std::int64_t ways = 2; ways <= server; ways *= 2) {
      if (undivided_heads(*setting.shapes, ways) == 0) add(1, ways, ways);
    }
    return;
  }
  const std::int64_t experts = most_experts(*setting.model);
  const std::int64_t most =
      experts == 0 ? 1 : experts;  // dense: one accelerator, the rest are replicas
  for (std::int64_t part = 1; part < server && part <= most; part *= 2) add(1, part, 1);
  for (std::int64_t n = 1; n * server <= most && n * server <= most_of(space, chip); ++n)
    add(n, server, 1);
}

}  // namespace

bool within(const Space& space, const Side& attention, const Side& ffn) {
  if (size(attention) + size(ffn) > space.max_gpus) return false;
  if (space.inventory.empty()) return true;
  if (attention.chip == ffn.chip) return size(attention) + size(ffn) <= space.inventory[ffn.chip];
  return size(attention) <= space.inventory[attention.chip] &&
         size(ffn) <= space.inventory[ffn.chip];
}

std::int64_t most_experts(const ModelSpec& model) {
  std::int64_t experts = 0;
  for (const FfnSpec& ffn : model.ffns) {
    if (const Moe* moe = std::get_if<Moe>(&ffn.shape)) experts = std::max(experts, moe->experts);
  }
  return experts;
}

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

Enumeration enumerate(const Space& space, const Setting& setting, const std::atomic<bool>* stop) {
  Enumeration out;
  double most = 1, most_in_instance = 1;
  const Bytes request = cache_per_request(setting, 1);
  const double usable =
      std::max(setting.engine.usable_memory, setting.engine_of_pools().usable_memory);
  for (size_t chip = 0; chip < space.chips->size(); ++chip) {
    const double fitting = usable * (*space.chips)[chip].memory_size.value / request;
    most = std::max(most, fitting);
    for (const std::int64_t each : instance_sizes(space, chip))
      most_in_instance = std::max(most_in_instance, fitting * real(each));
  }
  out.batches = batches_up_to(most, space.batch_steps);
  out.tensor_batches = batches_up_to(most_in_instance, space.batch_steps);
  add_attention(out, space, setting);
  const std::int64_t experts = most_experts(*setting.model);
  for (const Way way : space.ways) {
    if (way == Way::disaggregated) {
      for (const Side& side : pools(space)) {
        if (stop != nullptr && *stop) return {};
        const std::uint64_t count = disaggregated_count(out, space, side);
        for (const FfnSplit& split : splits_of(side.instances, side.accelerators, experts)) {
          if (wanted(space, side, split))
            add_unit(out, {.way = way, .side = side, .split = split}, count);
        }
      }
      continue;
    }
    for (size_t chip = 0; chip < space.chips->size(); ++chip)
      add_colocated(out, space, way, chip, setting);
  }
  return out;
}

Disaggregated disaggregated(const Candidate& c, const Space& space) {
  return {.attention = pool_of(c.attention, space),
          .ffn = pool_of(c.ffn, space),
          .batch = c.batch,
          .micro_batches = c.micro_batches,
          .attention_split = c.attention_split,
          .ffn_split = {c.tensor, c.expert}};
}

Colocated colocated(const Candidate& c, const Space& space) {
  const Pool pool = pool_of(c.attention, space);
  return {.pool = pool,
          .batch = c.batch * pool.size(),
          .micro_batches = c.micro_batches,
          .layout = c.tensor > 1 ? tensor_parallel(c.tensor) : expert_parallel(pool.size())};
}

AnyDeployment deployment_of(const Candidate& c, const Space& space) {
  if (c.way == Way::disaggregated) return disaggregated(c, space);
  return colocated(c, space);
}

Evaluation evaluate(const Candidate& c, const Space& space, const Setting& setting) {
  return c.way == Way::disaggregated ? evaluate(disaggregated(c, space), setting)
                                     : evaluate(colocated(c, space), setting);
}

Goals goals_of(const Evaluation& e) {
  return {.tpot_ms = e.tpot / millisecond,
          .tokens_per_gpu_s = e.tokens_per_gpu.base(),
          .usd_per_mtok = e.cost / usd_per_mtok};
}

std::string label(const Candidate& c) {
  if (c.way == Way::disaggregated)
    return fmt::format("{}A{}F", c.attention.instances, c.ffn.instances);
  return c.way == Way::tensor_parallel ? fmt::format("TP{}", c.tensor)
                                       : fmt::format("EP{}", size(c.attention));
}

std::string parallelism(const Candidate& c) {
  if (c.way == Way::disaggregated) return fmt::format("tp{}ep{}", c.tensor, c.expert);
  return c.way == Way::tensor_parallel ? fmt::format("tp{}", c.tensor)
                                       : fmt::format("ep{}", size(c.attention));
}

}  // namespace afford
