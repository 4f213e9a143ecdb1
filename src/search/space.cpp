#include "search/space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <tuple>

#include "deploy/memory.hpp"
#include "search/layouts.hpp"

namespace afford {
namespace {

using Side = Candidate::Side;

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
  const std::int64_t joined = joined_accelerators(hardware);
  std::vector<std::int64_t> sizes;
  for (const std::int64_t wanted : space.instance_sizes) {
    if (wanted <= joined) sizes.push_back(wanted);
  }
  return sizes;
}

/// Those that can be one of two: a network joins them.
std::vector<Side> pools(const Space& space) {
  std::vector<Side> list;
  for (size_t chip = 0; chip < space.chips->size(); ++chip) {
    if (!has_network((*space.chips)[chip])) continue;
    for (const std::int64_t each : instance_sizes(space, chip)) {
      for (std::int64_t n = 1; n * each <= most_of(space, chip); ++n) {
        list.push_back({static_cast<std::uint32_t>(chip), static_cast<std::uint32_t>(n),
                        static_cast<std::uint32_t>(each)});
      }
    }
  }
  return list;
}

/// One attention pool at a time, in the shapes that were seen before it.
class AttentionPools {
 public:
  AttentionPools(Enumeration& out, const Setting& setting) : out_(out), setting_(setting) {}

  void add(const Side& side, AttentionSplit split, Boundary boundary) {
    const bool tensor = split == AttentionSplit::tensor;
    if (tensor && side.accelerators == 1) return;  // the same as data parallel
    if (tensor && !undivided_heads(*setting_.shapes, side.accelerators).empty()) return;
    AttentionPool pool{.side = side,
                       .split = split,
                       .boundary = boundary,
                       .units = tensor ? side.instances : side.size()};
    const auto known = std::find_if(shapes_.begin(), shapes_.end(),
                                    [&](const AttentionPool& shape) { return alike(shape, pool); });
    pool.shape = static_cast<size_t>(known - shapes_.begin());
    if (known == shapes_.end()) shapes_.push_back(pool);
    out_.attention.push_back(pool);
    out_.shapes = shapes_.size();
  }

 private:
  [[nodiscard]] static bool alike(const AttentionPool& a, const AttentionPool& b) {
    return a.side.chip == b.side.chip && a.side.accelerators == b.side.accelerators &&
           a.split == b.split && a.boundary == b.boundary;
  }

  Enumeration& out_;
  const Setting& setting_;
  std::vector<AttentionPool> shapes_;
};

void add_attention(Enumeration& out, const Space& space, const Setting& setting) {
  AttentionPools into(out, setting);
  for (const Boundary boundary : space.boundaries) {
    for (const AttentionSplit split : space.attention_splits) {
      for (const Side& side : pools(space)) into.add(side, split, boundary);
    }
  }
  // FFN times depend on boundary and units alone, so pools with equal ones follow each other.
  std::stable_sort(out.attention.begin(), out.attention.end(),
                   [](const AttentionPool& a, const AttentionPool& b) {
                     return std::tie(a.boundary, a.split, a.units) <
                            std::tie(b.boundary, b.split, b.units);
                   });
}

bool within(const Space& space, const Side& attention, const Side& ffn) {
  if (attention.size() + ffn.size() > space.max_gpus) return false;
  if (space.inventory.empty()) return true;
  if (attention.chip == ffn.chip) return attention.size() + ffn.size() <= space.inventory[ffn.chip];
  return attention.size() <= space.inventory[attention.chip] &&
         ffn.size() <= space.inventory[ffn.chip];
}

std::uint64_t disaggregated_count(const Enumeration& e, const Space& space, const Unit& ffn) {
  std::uint64_t count = 0;
  for (const AttentionPool& pool : e.attention) count += deployments_of(e, space, pool, ffn);
  return count;
}

bool wanted(const Space& space, const Side& pool, const FfnSplit& split) {
  switch (space.ffn_choice) {
    case FfnChoice::any:
      return true;
    case FfnChoice::tensor:
      return split.tensor == pool.accelerators && split.expert == 1;
    case FfnChoice::expert:
      return split.tensor == 1 && split.expert == pool.size();
    case FfnChoice::exact:
      break;
  }
  return split.tensor == space.ffn_split.tensor && split.expert == space.ffn_split.expert;
}

/// `deployments`: that it tries, each of which is a candidate for each place of its prompts.
void add_unit(Enumeration& out, const Space& space, Unit unit, std::uint64_t deployments) {
  const std::uint64_t count = deployments * prompt_forms(space, unit.way);
  if (count == 0) return;
  unit.first = out.candidates, unit.count = count;
  out.candidates += count;
  out.units.push_back(unit);
}

/// Every split of an FFN pool of AFD. What goes with it depends on the split by its projections
/// alone.
void add_afd(Enumeration& out, const Space& space, const Side& side, const Setting& setting) {
  std::array<std::optional<std::uint64_t>, 2> counts;  // without projections, with
  for (const FfnSplit& split :
       splits_of(side.instances, side.accelerators, most_experts(*setting.model))) {
    if (!wanted(space, side, split)) continue;
    const Unit unit{.way = Way::disaggregated,
                    .side = side,
                    .split = split,
                    .projects = undivided_heads(*setting.shapes, split.tensor).empty()};
    std::optional<std::uint64_t>& count = counts[unit.projects ? 1 : 0];
    if (!count) count = disaggregated_count(out, space, unit);
    add_unit(out, space, unit, *count);
  }
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
    if (instances > 1 && !has_network(hardware)) return;
    add_unit(out, space,
             {.way = way,
              .side = {static_cast<std::uint32_t>(chip), static_cast<std::uint32_t>(instances),
                       static_cast<std::uint32_t>(accelerators)},
              .split = {.tensor = tensor, .expert = 1}},
             count);
  };
  if (way == Way::tensor_parallel) {
    for (std::int64_t ways = 2; ways <= server; ways *= 2) {
      if (undivided_heads(*setting.shapes, ways).empty()) add(1, ways, ways);
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

/// Every layout that is none of the other ways: one engine on each pool, as more are replicas.
void add_mixed(Enumeration& out, const Space& space, size_t chip, const Setting& setting) {
  constexpr std::int64_t most_stages = 32;  // of two micro-batches each
  const std::uint64_t count = out.mixed_batches.size() * space.colocated_micro_batches.size();
  for (const Pool& pool : pools_of((*space.chips)[chip], most_of(space, chip))) {
    const Side side = {static_cast<std::uint32_t>(chip), static_cast<std::uint32_t>(pool.instances),
                       static_cast<std::uint32_t>(pool.accelerators)};
    for (const Layout& layout : layouts_of(pool, *setting.model, setting.redundant_experts)) {
      if (layout == expert_parallel(pool.size()) || layout.pp > most_stages) continue;
      add_unit(out, space,
               {.way = Way::mixed,
                .side = side,
                .split = {.tensor = layout.expert_tp, .expert = layout.expert_ep},
                .attention_tensor = layout.attention_tp,
                .context_ways = layout.cp,
                .stages = layout.pp},
               count);
    }
  }
}

}  // namespace

bool has_pools(const Space& space) {
  std::vector<Side> instances = pools(space);
  std::erase_if(instances, [](const Side& side) { return side.instances > 1; });
  return std::any_of(instances.begin(), instances.end(), [&](const Side& one) {
    return std::any_of(instances.begin(), instances.end(),
                       [&](const Side& other) { return within(space, one, other); });
  });
}

bool pair_up(const Space& space, const AttentionPool& attention, const Unit& ffn) {
  return (ffn.projects || attention.boundary == Boundary::attention) &&
         within(space, attention.side, ffn.side);
}

std::uint64_t deployments_of(const Enumeration& e, const Space& space, const AttentionPool& pool,
                             const Unit& ffn) {
  if (!pair_up(space, pool, ffn)) return 0;
  return e.batches_of(pool.split).size() * space.micro_batches.size();
}

Enumeration enumerate(const Space& space, const Setting& setting, const std::atomic<bool>* stop) {
  Enumeration out;
  double most = 1, most_in_instance = 1;
  for (size_t chip = 0; chip < space.chips->size(); ++chip) {
    const auto requests = [&](const Engine& engine) {
      return usable_memory_of(engine, (*space.chips)[chip], Bytes(0)).capacity /
             cache_per_request(setting, engine);
    };
    const double fitting = std::max(requests(setting.engine), requests(setting.engine_of_pools()));
    most = std::max(most, fitting);
    for (const std::int64_t each : instance_sizes(space, chip))
      most_in_instance = std::max(most_in_instance, fitting * real(each));
  }
  out.batches = batches_up_to(most, space.batch_steps);
  out.tensor_batches = batches_up_to(most_in_instance, space.batch_steps);
  out.mixed_batches = batches_up_to(most * real(space.max_gpus), space.batch_steps);
  add_attention(out, space, setting);
  for (const Way way : space.ways) {
    if (way == Way::disaggregated) {
      for (const Side& side : pools(space)) {
        if (stop != nullptr && *stop) return {};
        add_afd(out, space, side, setting);
      }
      continue;
    }
    for (size_t chip = 0; chip < space.chips->size(); ++chip) {
      if (stop != nullptr && *stop) return {};
      if (way == Way::mixed) {
        add_mixed(out, space, chip, setting);
      } else {
        add_colocated(out, space, way, chip, setting);
      }
    }
  }
  return out;
}

}  // namespace afford
