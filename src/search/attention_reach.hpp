#pragma once
// What attention pools come to at most, whatever stands beside them: where even that changes
// nothing of what is found, all batches of two pools that keep the limit are counted alone.

#include <vector>

#include "deploy/pair_batches.hpp"
#include "search/bars.hpp"

namespace afford {

/// Of one shape of attention pool at one number of micro-batches. A step takes no less than what
/// attention itself does in it, and what a batch yields in that time clears the bars only where
/// there are few enough accelerators, or dollars, to each unit.
class AttentionReach {
 public:
  /// By batch: requests on a unit, and the seconds that attention needs for one micro-batch.
  struct Batches {
    const std::vector<double>&requests, &seconds;
    double micro_batches = 1, tokens_per_step = 1;
    double limit_ms = 0;  // of the TPOT
  };
  AttentionReach(const Batches& batches, const Bars& bars);

  /// Whether any of the first `count` batches of two pools may change what is found. The bars of
  /// the start stand: they only rise.
  [[nodiscard]] bool clears(size_t count, const PairSize& pools, const KeptBest& best) const;

 private:
  /// Of a batch and all smaller ones.
  struct UpTo {
    double gpus = 0, usd_per_s = 0;  // the most of a unit that clear the bars
    double tokens = 0;               // the most a second of a unit
    double tpot_ms = 0;              // the least
  };
  std::vector<UpTo> up_to_;
  bool money_ = false;
};

}  // namespace afford
