#include "search/attention_tables.hpp"

#include <algorithm>

#include "deploy/pool_plans.hpp"

namespace afford {
namespace {

double fan(const Unit& unit, const Space& space) {
  return fan_out(unit.split,
                 {&(*space.chips)[unit.side.chip], unit.side.instances, unit.side.accelerators});
}

}  // namespace

AttentionTables::AttentionTables(const Enumeration& e, const Space& space, const Setting& setting)
    : enumeration_(e), space_(space), setting_(setting), shapes_(e.shapes) {
  for (const AttentionPool& pool : e.attention) shapes_[pool.shape] = &pool;
  for (const Unit& unit : e.units) {
    if (unit.way == Way::disaggregated) fans_.push_back(fan(unit, space));
  }
  std::sort(fans_.begin(), fans_.end());
  fans_.erase(std::unique(fans_.begin(), fans_.end()), fans_.end());
  tables_ = std::vector<OfFanOut>(fans_.size());
  for (const Unit& unit : e.units) {
    if (unit.way == Way::disaggregated) tables_[index(unit)].unit = &unit;
  }
}

StageArrays AttentionTables::table(const AttentionPool& shape, const Unit& unit) const {
  Candidate c{.way = Way::disaggregated};
  c.attention = shape.side;
  c.attention.instances = 1;
  c.attention_split = shape.split;
  c.boundary = shape.boundary;
  c.places = space_.places;
  c.ffn = unit.side;
  c.micro_batches = 1;
  c.tensor = static_cast<std::uint32_t>(unit.split.tensor);
  c.expert = static_cast<std::uint32_t>(unit.split.expert);
  const std::int64_t units =
      shape.split == AttentionSplit::tensor ? 1 : std::int64_t{c.attention.accelerators};
  const std::vector<std::int64_t>& batches = enumeration_.batches_of(shape.split);
  StageArrays table(setting_.shapes->size(), batches.size());
  Disaggregated d = disaggregated(c, space_);
  AttentionPoolPlan plan(d, setting_);
  for (size_t b = 0; b < batches.size(); ++b) {
    d.batch = batches[b] * units;
    table.set(b, plan.at(shares_of(d, setting_)));
  }
  table.rising(batches.size());
  return table;
}

const AttentionTables::ByShape& AttentionTables::beside(const Unit& unit) {
  OfFanOut& of = tables_[index(unit)];
  const std::lock_guard lock(of.mutex);
  if (of.tables.empty()) {
    for (const AttentionPool* shape : shapes_) of.tables.push_back(table(*shape, *of.unit));
  }
  return of.tables;
}

void AttentionTables::done_with(const Unit& unit) {
  OfFanOut& of = tables_[index(unit)];
  const std::lock_guard lock(of.mutex);
  if (--of.awaited == 0) of.tables = ByShape();
}

size_t AttentionTables::index(const Unit& unit) const {
  return static_cast<size_t>(std::lower_bound(fans_.begin(), fans_.end(), fan(unit, space_)) -
                             fans_.begin());
}

}  // namespace afford
