#include "search/attention_reach.hpp"

#include <algorithm>
#include <limits>

namespace afford {

AttentionReach::AttentionReach(const Batches& batches, const Bars& bars)
    : money_(bars.count_money()) {
  constexpr double more = 1 + StepSum::rounding, less = 1 - StepSum::rounding;
  UpTo up_to{.tpot_ms = std::numeric_limits<double>::infinity()};
  for (size_t b = 0; b < batches.seconds.size(); ++b) {
    const double tokens = more * batches.requests[b] * batches.tokens_per_step / batches.seconds[b];
    const double tpot_ms = less * batches.micro_batches * batches.seconds[b] /
                           batches.tokens_per_step / millisecond.base();
    if (tpot_ms > batches.limit_ms) break;  // nor do larger ones
    const Goals& bar = bars.before(tpot_ms);
    if (bars.count_tokens()) {
      up_to.gpus = bar.tokens_per_gpu_s > 0
                       ? std::max(up_to.gpus, more * tokens / bar.tokens_per_gpu_s)
                       : std::numeric_limits<double>::infinity();
    }
    if (money_)
      up_to.usd_per_s =
          std::max(up_to.usd_per_s, more * tokens * bar.usd_per_mtok * usd_per_mtok.base());
    up_to.tokens = std::max(up_to.tokens, tokens);
    up_to.tpot_ms = std::min(up_to.tpot_ms, tpot_ms);
    up_to_.push_back(up_to);
  }
}

bool AttentionReach::clears(size_t count, const PairSize& pools, const KeptBest& best) const {
  if (count > up_to_.size()) return true;  // a smaller batch took longer
  const UpTo& most = up_to_[count - 1];
  if (pools.gpus <= pools.units * most.gpus || pools.usd_per_s <= pools.units * most.usd_per_s)
    return true;
  const double tokens = pools.units * most.tokens;
  return best.reached_by({.tpot_ms = most.tpot_ms,
                          .tokens_per_gpu_s = tokens / pools.gpus,
                          .usd_per_mtok = pools.usd_per_s / tokens / usd_per_mtok.base()},
                         money_);
}

}  // namespace afford
