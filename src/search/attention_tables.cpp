#include "search/attention_tables.hpp"

#include <algorithm>

#include "search/parallel.hpp"

namespace afford {
namespace {

double fan(const Unit& unit, const Space& space) {
  return fan_out(unit.split,
                 {&(*space.chips)[unit.side.chip], unit.side.instances, unit.side.accelerators});
}

}  // namespace

AttentionTables::AttentionTables(const Enumeration& e, const Space& space, const Setting& setting) {
  for (const Unit& unit : e.units) {
    if (unit.way == Way::disaggregated) fans_.push_back(fan(unit, space));
  }
  std::sort(fans_.begin(), fans_.end());
  fans_.erase(std::unique(fans_.begin(), fans_.end()), fans_.end());
  std::vector<const AttentionPool*> shapes(e.shapes);
  for (const AttentionPool& pool : e.attention) shapes[pool.shape] = &pool;
  // One FFN unit of each fan-out stands for all.
  std::vector<const Unit*> units(fans_.size());
  for (const Unit& unit : e.units) {
    if (unit.way == Way::disaggregated) units[index(unit, space)] = &unit;
  }
  tables_.resize(shapes.size() * fans_.size());
  for_each_index(tables_.size(), [&](size_t i) {
    const AttentionPool& shape = *shapes[i / fans_.size()];
    const Unit& unit = *units[i % fans_.size()];
    const bool tensor = shape.split == AttentionSplit::tensor;
    Candidate c{.way = Way::disaggregated};
    c.attention = shape.side;
    c.attention.instances = 1;
    c.attention_split = shape.split;
    c.boundary = shape.boundary;
    c.places = space.places;
    c.ffn = unit.side;
    c.micro_batches = 1;
    c.tensor = static_cast<std::uint32_t>(unit.split.tensor);
    c.expert = static_cast<std::uint32_t>(unit.split.expert);
    const std::vector<std::int64_t>& batches = e.batches_of(shape.split);
    tables_[i] = StageArrays(setting.shapes->size(), batches.size());
    for (size_t b = 0; b < batches.size(); ++b) {
      c.batch = batches[b] * (tensor ? 1 : c.attention.accelerators);
      tables_[i].set(b, attention_part(disaggregated(c, space), setting));
    }
    tables_[i].rising(batches.size());
  });
}

size_t AttentionTables::index(const Unit& unit, const Space& space) const {
  return static_cast<size_t>(std::lower_bound(fans_.begin(), fans_.end(), fan(unit, space)) -
                             fans_.begin());
}

}  // namespace afford
