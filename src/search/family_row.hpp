#pragma once
// What the FFN pools of a family take, batch by batch, made when a batch is looked at.

#include <optional>
#include <vector>

#include "deploy/pool_plans.hpp"
#include "search/ffn_times.hpp"
#include "search/trial.hpp"

namespace afford {

/// Whether more tokens never take an FFN pool less time but for rounding, whatever their number: on
/// roofs, which whole tiles and collectives keep to, with experts that are all alike. Measured
/// curves may dip; of unlike groups of experts another may become the busiest; and where tokens
/// choose at random, fewer experts of the busiest group are active once nearly all are.
[[nodiscard]] bool rises_by_formula(const HardwareSpec& chip, const Setting& setting);

/// The FFN times of one unit at the batches of attention pools of so many units. Those of the units
/// of a family share what is made for equal tokens a replica.
class FamilyRow {
 public:
  /// `known`: what other units of the family have made, or none; by boundary.
  FamilyRow(const Shared& shared, const Unit& first, std::vector<FfnTimes>& known);

  /// The row of a candidate's FFN pool beside its attention pool. The same as the last one's where
  /// the units of attention are alike.
  void start(const Candidate& candidate, const AttentionPool& pool);
  [[nodiscard]] const StageArrays& times() const { return times_; }

  /// Makes the times of a batch.
  void make(size_t batch) {
    if (made_[batch] != rows_) add(batch);
  }
  /// Whether no time of the first `count` batches is less than that of one before, but for
  /// rounding. It makes them all where that is not certain from the start.
  [[nodiscard]] bool rises(size_t count);

 private:
  void add(size_t batch);
  [[nodiscard]] FfnPart part_of(const Disaggregated& d);

  const Shared& shared_;
  size_t kinds_;
  std::optional<Placement> placement_;
  bool rises_;  // whatever the tokens
  std::vector<FfnTimes>& known_;
  AttentionPool of_{.side = {}, .units = 0};  // none has no units
  Disaggregated deployment_;                  // of the row, but for its batch
  std::optional<FfnPoolPlan> plan_;           // of all units of the family
  double replicas_ = 1;
  StageArrays times_;
  std::vector<std::uint32_t> made_;  // the last row that the batch was made of
  std::uint32_t rows_ = 0;
};

}  // namespace afford
