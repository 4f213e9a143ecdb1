#include "search/family_row.hpp"

namespace afford {

bool rises_by_formula(const HardwareSpec& chip, const Setting& setting) {
  return chip.measured == nullptr && setting.routing_of_pools().shares.empty() &&
         setting.redundant_experts == 0 && !setting.engine_of_pools().time.routing_noise;
}

FamilyRow::FamilyRow(const Shared& shared, const Unit& first, std::vector<FfnTimes>& known)
    : shared_(shared),
      kinds_(shared.setting.shapes->size()),
      placement_(
          placement_for(shared.setting, shared.setting.routing_of_pools(), first.split.expert)),
      rises_(rises_by_formula((*shared.space.chips)[first.side.chip], shared.setting)),
      known_(known) {
  while (known_.size() < std::size(boundary_names)) known_.emplace_back(kinds_ + 1);
}

void FamilyRow::start(const Candidate& c, const AttentionPool& pool) {
  const bool same = pool.units == of_.units && pool.split == of_.split &&
                    pool.boundary == of_.boundary && c.ffn.instances == deployment_.ffn.instances;
  if (same) return;
  of_ = pool;
  deployment_ = disaggregated(c, shared_.space);
  deployment_.micro_batches = 1;
  replicas_ = real(deployment_.ffn.size()) / real(c.tensor * c.expert);
  const size_t batches = shared_.enumeration.batches_of(pool.split).size();
  if (times_.batches() != batches) {
    times_ = StageArrays(kinds_, batches);
    made_.assign(batches, rows_);
  }
  times_.start_over();
  ++rows_;
}

bool FamilyRow::rises(size_t count) {
  if (rises_) return true;
  for (size_t batch = 0; batch < count; ++batch) make(batch);
  return times_.rising(count) >= count;
}

FfnPart FamilyRow::part_of(const Disaggregated& d) {
  const Placement* placement = placement_ ? &*placement_ : nullptr;
  if (d.boundary == Boundary::core) return ffn_part(d, shared_.setting, placement);
  if (!plan_) plan_.emplace(d, shared_.setting, placement);
  return plan_->at(shares_of(d, shared_.setting));
}

void FamilyRow::add(size_t batch) {
  Disaggregated& d = deployment_;
  d.batch = shared_.enumeration.batches_of(of_.split)[batch] * of_.units;
  FfnTimes& known = known_[static_cast<size_t>(of_.boundary)];
  const double* times = known.of(real(d.batch) / replicas_, [&](double* made) {
    const FfnPart part = part_of(d);
    for (size_t kind = 0; kind < kinds_; ++kind) made[kind] = part.stage[kind].base();
    made[kinds_] = part.head.base();
  });
  for (size_t kind = 0; kind < kinds_; ++kind) times_.stage(kind)[batch] = times[kind];
  times_.head()[batch] = times[kinds_];
  made_[batch] = rows_;
}

}  // namespace afford
