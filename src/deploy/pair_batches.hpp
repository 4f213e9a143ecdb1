#pragma once
// Two pools of AFD at all batches of a search at once: arrays by batch, and what is the same for
// every batch worked out before the loops. Each number goes through the operations that
// PoolPair::go_round() and outcome() put it through, in their order, so that it is equal to theirs
// to the last bit.

#include <cstdint>
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

/// What the memory of two pools holds at one number of micro-batches, whatever the instances of
/// attention: the batches, as the first of all, that attention has room for, and the requests of a
/// micro-batch, a whole number, that the FFN pool has.
struct PairRoom {
  size_t attention = 0;
  double ffn = 0;
};

/// Two pools: the units of attention's, the accelerators of both, and their price.
struct PairSize {
  double units = 1, gpus = 1, usd_per_s = 0;
};

class PairBatches {
 public:
  /// `each`: requests on a unit of attention in a micro-batch, ascending. Whole numbers.
  PairBatches(std::span<const std::int64_t> each, const Setting& setting);

  /// As memory never shrinks with the batch, not in rounded arithmetic either, those that fit are
  /// the first ones. `most_units`: of attention.
  [[nodiscard]] PairRoom room(const PoolPair& pair, const PairMemory& memory,
                              std::int64_t most_units) const;
  /// Batches that fit where attention has so many units.
  [[nodiscard]] size_t fitting(const PairRoom& room, std::int64_t units) const;
  /// What the first batch that does not fit lacks room for.
  [[nodiscard]] Verdict lacking(const PairRoom& room, std::int64_t units, size_t batch) const;

  /// Faces two pools, whose tables are given and outlive that. None of its batches has gone round
  /// yet.
  void face(const PoolPair& pair, const StageArrays& attention, const StageArrays& ffn);
  [[nodiscard]] PairSize size() const {
    return {facing_.units, facing_.gpus, facing_.pair->price_.base()};
  }
  /// Sends a batch round whose times stand in the tables. Once is enough.
  [[nodiscard]] bool went_round(size_t batch) const { return went_[batch] == pairs_; }
  void go_round(size_t batch);

  /// Requests on a unit, by batch.
  [[nodiscard]] const std::vector<double>& each() const { return each_; }
  /// What the attention pool itself has to do in a step of one micro-batch, whatever stands beside
  /// it, by batch. In seconds.
  [[nodiscard]] std::vector<double> alone(const StageArrays& attention) const;

  // Of batches that went round.

  /// From `first` on `count` of them at so many micro-batches.
  void take_steps(int micro_batches, size_t first, size_t count);
  [[nodiscard]] const BatchOutcomes& outcomes() const { return out_; }
  /// What their tokens cost.
  void price(int micro_batches, size_t first, size_t count);

  /// Where no time of a stage falls from one batch to the next, but for what rounding adds: the
  /// least TPOT of a batch and all larger ones, and the most of it and all smaller ones.
  [[nodiscard]] Seconds least_tpot(int micro_batches, size_t batch) const;
  [[nodiscard]] Seconds most_tpot(int micro_batches, size_t batch) const;
  /// There, an outcome that none of the batches from `first`, which went round, to `last` exceeds
  /// in anything.
  [[nodiscard]] StepOutcome bound(int micro_batches, size_t first, size_t last) const;

  /// Whether the arrays give what outcome() does: a pipeline of one layer has a rule of its own.
  [[nodiscard]] static bool serve(const Setting& setting);

 private:
  /// The same for all batches of the pools at hand, and in one kind of layer.
  struct Facing {
    const PoolPair* pair = nullptr;
    const double *attention_head = nullptr, *ffn_head = nullptr;
    double query_tokens = 1, units = 1, gpus = 1, instances = 1, ffn_instances = 1;
    double attention_rate = 0, ffn_rate = 0, latency = 0;
    bool core = false, in_line = false;
  };
  struct FacingKind {
    double layers = 0;
    const double *attention = nullptr, *ffn = nullptr;
    std::optional<Seconds> edge;
    double out = 0, back = 0;  // bytes of a token
    bool as_before = false;    // what travels, as in the kind before
  };

  /// A batch in one kind of layer: attention's stage, the longest one, all of them.
  struct KindOfRound {
    double attention = 0, longest = 0, sum = 0;
  };

  [[nodiscard]] KindOfRound gone_round(double attention, double out, double ffn, double back) const;
  [[nodiscard]] StepSum laps_of(int micro_batches, size_t batch) const;
  [[nodiscard]] double step_of(double micro_batches, size_t batch) const;

  std::vector<double> each_;
  std::vector<std::uint64_t> went_;  // the last pair that the batch went round
  std::uint64_t pairs_ = 0;
  Facing facing_;
  std::vector<FacingKind> kinds_;
  std::vector<double> heads_;        // of both pools, by batch
  std::vector<KindOfRound> rounds_;  // by batch, then kind
  BatchOutcomes out_;
};

}  // namespace afford
