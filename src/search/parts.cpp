#include "search/parts.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace afford {
namespace {

/// The attention pools in ranges of some `most` candidates.
std::vector<PoolRange> ranges_of(const Enumeration& e, const Space& space, const Unit& unit,
                                 std::uint64_t most) {
  const std::uint64_t forms = prompt_forms(space, unit.way);
  std::vector<PoolRange> ranges;
  std::uint64_t candidate = unit.first;
  for (size_t first = 0; first < e.attention.size();) {
    PoolRange range{.first = first, .last = first, .candidate = candidate};
    while (range.last < e.attention.size() && candidate - range.candidate < most)
      candidate += forms * deployments_of(e, space, e.attention[range.last++], unit);
    ranges.push_back(range);
    first = range.last;
  }
  return ranges;
}

/// Of each ring, whether the unit has candidates in it.
std::vector<bool> rings_with(const Unit& unit, const Shared& shared) {
  const Bounds& bounds = shared.rings;
  if (!bounds.several()) return {true};
  std::vector<bool> in(bounds.rings());
  const Ring any = bounds.ring(0);
  if (!is_afd(unit)) {
    in[bounds.ring_of(any.taken_by(unit.side))] = true;
    return in;
  }
  for (const AttentionPool& pool : shared.enumeration.attention) {
    if (pair_up(shared.space, pool, unit))
      in[bounds.ring_of(any.taken_by(pool.side) + any.taken_by(unit.side))] = true;
  }
  return in;
}

/// Those of one fan-out one after another, so that few tables of attention stand at a time.
void sort_by_fan_out(std::vector<Part>& parts, const Shared& shared) {
  const auto place = [&](const Part& part) {
    const Unit& unit = shared.enumeration.units[part.units.front()];
    const size_t fan_out =
        is_afd(unit) ? shared.attention.index(unit) : std::numeric_limits<size_t>::max();
    return std::pair(part.ring, fan_out);
  };
  std::stable_sort(parts.begin(), parts.end(),
                   [&](const Part& a, const Part& b) { return place(a) < place(b); });
}

/// Of each ring, the units of every family.
std::vector<std::vector<UnitNumbers>> families_in_rings(const Shared& shared) {
  const Enumeration& all = shared.enumeration;
  std::vector<std::vector<UnitNumbers>> rings(shared.rings.rings());
  for (const UnitNumbers& family : families_of(
           all, shared.options.shard, by_arrays(shared.space, shared.setting, shared.options))) {
    for (std::vector<UnitNumbers>& ring : rings) ring.emplace_back();
    for (const std::uint32_t unit : family) {
      const std::vector<bool> in = rings_with(all.units[unit], shared);
      for (size_t ring = 0; ring < rings.size(); ++ring) {
        if (in[ring]) rings[ring].back().push_back(unit);
      }
    }
  }
  return rings;
}

}  // namespace

PoolRange all_pools(const Enumeration& e, const Unit& unit) {
  return {.first = 0, .last = e.attention.size(), .candidate = unit.first};
}

Bounds rings_of(const Space& space, const Setting& setting, const ExploreOptions& options) {
  constexpr std::int64_t parts = 8, least = 16;
  if (options.bounds.several()) return options.bounds;
  if (!by_arrays(space, setting, options) || space.max_gpus < parts * least) return {};
  return {.chip = {}, .most = {space.max_gpus / parts, space.max_gpus}};
}

std::vector<Part> parts_of(const Shared& shared) {
  constexpr std::uint64_t described_together = 1024;  // some 400 KiB of CSV
  const Enumeration& all = shared.enumeration;
  std::vector<std::vector<UnitNumbers>> rings = families_in_rings(shared);
  std::vector<Part> parts;
  for (size_t ring = 0; ring < rings.size(); ++ring) {
    for (size_t family = 0; family < rings[ring].size(); ++family) {
      UnitNumbers& units = rings[ring][family];
      if (units.empty()) continue;
      const Unit& first = all.units[units.front()];
      if (!shared.options.describe || !is_afd(first)) {
        parts.push_back({.units = std::move(units), .ring = ring, .family = family});
        continue;
      }
      for (const PoolRange& pools : ranges_of(all, shared.space, first, described_together))
        parts.push_back({.units = units, .pools = pools, .ring = ring});
    }
  }
  if (!shared.options.describe) sort_by_fan_out(parts, shared);
  for (const Part& part : parts)
    for_each_afd(part, all, [&](const Unit& unit) { shared.attention.expect(unit); });
  return parts;
}

}  // namespace afford
