#include "search/numbering.hpp"

#include <algorithm>

namespace afford {
namespace {

template <class T>
std::uint64_t place_of(const T& value, const std::vector<T>& list) {
  return static_cast<std::uint64_t>(std::find(list.begin(), list.end(), value) - list.begin());
}

bool is_of(const AttentionPool& pool, const Candidate& c) {
  return pool.side.chip == c.attention.chip && pool.side.instances == c.attention.instances &&
         pool.side.accelerators == c.attention.accelerators && pool.split == c.attention_split &&
         pool.boundary == c.boundary;
}

}  // namespace

Numbering::Numbering(Enumeration enumeration, const Space& space)
    : enumeration_(std::move(enumeration)), space_(space) {
  for (size_t i = 0; i < enumeration_.units.size(); ++i)
    units_.emplace(key_of(first_of(enumeration_.units[i])), i);
}

Numbering::Key Numbering::key_of(const Candidate& c) {
  return {{c.way, c.ffn.chip, c.ffn.instances, c.ffn.accelerators},
          {c.tensor, c.expert, c.attention_tensor, c.context_ways, c.stages}};
}

/// The attention pools that stand before it come first, each with all its batches.
std::uint64_t Numbering::number_of(const Candidate& c, const Unit& ffn) const {
  std::uint64_t number = ffn.first;
  for (const AttentionPool& pool : enumeration_.attention) {
    if (!is_of(pool, c)) {
      number += deployments_of(enumeration_, space_, pool, ffn);
      continue;
    }
    const auto& batches = enumeration_.batches_of(pool.split);
    return number + place_of(c.micro_batches, space_.micro_batches) * batches.size() +
           place_of(c.batch / (pool.units * c.micro_batches), batches);
  }
  return number;
}

std::uint64_t Numbering::number_of(const Candidate& c) const {
  const Unit& unit = enumeration_.units[units_.at(key_of(c))];
  if (c.way == Way::disaggregated) return number_of(c, unit);
  const auto& batches = enumeration_.batches_of(c.way);
  const std::int64_t each = c.way == Way::mixed ? 1 : c.micro_batches;
  std::uint64_t number = unit.first;
  for (const int on_each_stage : space_.colocated_micro_batches) {
    if (micro_batches_of(unit, on_each_stage) == c.micro_batches) break;
    number += batches.size();
  }
  return number + place_of(c.batch / each, batches);
}

}  // namespace afford
