#pragma once
// Two pools of AFD at all batches of a search at once: arrays by batch, and what is the same for
// every batch worked out before the loops. Each number goes through the operations that
// PoolPair::go_round() and outcome() put it through, in their order, so that it is equal to theirs
// to the last bit.

#include <span>
#include <vector>

#include "deploy/pool_pair.hpp"
#include "deploy/step_sum.hpp"

namespace afford {

/// What one pool takes, by batch: its stage in each kind of layer, and behind the last layer.
class StageArrays {
 public:
  StageArrays() = default;
  StageArrays(size_t kinds, size_t batches) : batches_(batches), times_((kinds + 1) * batches) {}
  [[nodiscard]] double* stage(size_t kind) { return times_.data() + (kind + 1) * batches_; }
  [[nodiscard]] const double* stage(size_t kind) const {
    return times_.data() + (kind + 1) * batches_;
  }
  [[nodiscard]] double* head() { return times_.data(); }
  [[nodiscard]] const double* head() const { return times_.data(); }
  [[nodiscard]] size_t batches() const { return batches_; }
  [[nodiscard]] size_t kinds() const { return batches_ == 0 ? 0 : times_.size() / batches_ - 1; }
  /// Of the first `count`, how many come before the first in which any time falls. Made anew from
  /// the batch up to which it was known.
  size_t rising(size_t count) {
    while (rising_ < count && rises_at(rising_)) ++rising_;
    return rising_;
  }
  [[nodiscard]] size_t rising() const { return rising_; }
  void start_over() { rising_ = 0; }
  template <class Part>  // AttentionPart or FfnPart
  void set(size_t batch, const Part& part) {
    for (size_t kind = 0; kind < part.stage.size(); ++kind)
      stage(kind)[batch] = part.stage[kind].base();
    head()[batch] = part.head.base();
  }
  [[nodiscard]] AttentionPart attention_part(size_t batch) const {
    AttentionPart part{.stage = KindTimes(kinds()), .head = Seconds(head()[batch])};
    for (size_t kind = 0; kind < kinds(); ++kind) part.stage[kind] = Seconds(stage(kind)[batch]);
    return part;
  }

 private:
  [[nodiscard]] bool rises_at(size_t batch) const {
    if (batch == 0) return true;
    for (size_t at = batch; at < times_.size(); at += batches_) {
      if (times_[at] < times_[at - 1]) return false;
    }
    return true;
  }

  size_t batches_ = 0, rising_ = 0;
  std::vector<double> times_;
};

/// What the batches of one pair of pools come to at one number of micro-batches, by batch.
struct BatchOutcomes {
  std::vector<double> step, tpot;  // seconds
  std::vector<double> tpot_ms, tokens_per_gpu_s, usd_per_mtok;
};

class PairBatches {
 public:
  /// `each`: requests on a unit of attention in a micro-batch, ascending. Whole numbers.
  PairBatches(std::span<const std::int64_t> each, size_t kinds);

  /// Batches that fit: as memory never shrinks with the batch, not in rounded arithmetic either,
  /// they are the first ones.
  [[nodiscard]] size_t fitting(const PoolPair& pair, const PairMemory& memory) const;
  /// What the first batch that does not fit lacks room for.
  [[nodiscard]] Verdict lacking(const PoolPair& pair, const PairMemory& memory, size_t batch) const;

  /// Sends the first `count` batches round the pair, whose tables are given.
  void go_round(const PoolPair& pair, const StageArrays& attention, const StageArrays& ffn,
                size_t count);
  /// From `first` on `count` of those at so many micro-batches.
  void take_steps(const PoolPair& pair, int micro_batches, size_t first, size_t count);
  [[nodiscard]] const BatchOutcomes& outcomes() const { return out_; }
  /// What their tokens cost.
  void price(const PoolPair& pair, int micro_batches, size_t first, size_t count);

  /// Where no time of a stage falls from one batch to the next: the least TPOT of a batch and all
  /// larger ones, and the most of it and all smaller ones.
  [[nodiscard]] Seconds least_tpot(const PoolPair& pair, int micro_batches, size_t batch) const;
  [[nodiscard]] Seconds most_tpot(const PoolPair& pair, int micro_batches, size_t batch) const;
  /// There, an outcome that none of the batches from `first` to `last` exceeds in anything.
  [[nodiscard]] StepOutcome bound(const PoolPair& pair, int micro_batches, size_t first,
                                  size_t last) const;

  /// Whether the arrays give what outcome() does: a pipeline of one layer has a rule of its own.
  [[nodiscard]] static bool serve(const Setting& setting);

 private:
  [[nodiscard]] std::optional<Verdict> room(const PoolPair& pair, const PairMemory& memory,
                                            size_t batch) const;
  [[nodiscard]] StepSum laps_of(int micro_batches, size_t batch) const;
  void travel(const PoolPair& pair, size_t kind, size_t count);
  void add_stages(const PoolPair& pair, size_t kind, const double* attention, const double* ffn,
                  size_t count);

  std::vector<double> each_;
  StageArrays attention_, longest_, sum_;  // of the pools at hand; the head is attention's
  std::vector<double> layers_;
  std::vector<double> at_attention_, at_ffn_, a2f_, f2a_;
  std::vector<double> laps_, alone_, extra_;
  BatchOutcomes out_;
};

}  // namespace afford
