#pragma once
// Both pools of an AFD deployment, at one batch or at many: a search tries hundreds on each pair,
// and most of what an evaluation needs is the same for all of them.

#include <memory>
#include <optional>

#include "deploy/pool_plans.hpp"

namespace afford {

/// A micro-batch in one layer of each kind, and after its last layer.
struct Round {
  PerKind<LayerRun> runs;
  Seconds head;
  double requests_per_unit = 0, tokens_per_replica = 0;  // of Shares
};

/// Memory of both pools at one number of micro-batches.
struct PairMemory {
  PoolMemory attention, ffn;
};

/// Two pools under one setting. The batch of the deployment is not looked at, and its micro-batches
/// only where memory is.
class PoolPair {
 public:
  PoolPair(const Disaggregated& deployment, const Setting& setting, const HeldPart& held);

  /// From here on with so many instances of the attention pool, all else alike.
  void take_attention_instances(std::int64_t instances);

  /// All of it at one batch: what evaluate() says of the deployment with that.
  [[nodiscard]] Evaluation at(std::int64_t batch);

  /// Fills `round` for a micro-batch of so many requests, from parts made for them.
  void go_round(double requests, const AttentionPart& attention, const FfnPart& ffn,
                Round& round) const;

  /// From here on with so many micro-batches in flight.
  void keep_in_flight(int micro_batches);
  /// Of so many, whatever the instances of attention.
  [[nodiscard]] PairMemory memory_of(int micro_batches) const;

  /// `batch`: requests of all micro-batches, each of them the round's.
  [[nodiscard]] StepOutcome outcome(const Round& round, std::int64_t batch) const;
  [[nodiscard]] Evaluation evaluation(const Round& round, std::int64_t batch) const;

 private:
  friend class PairBatches;

  /// Of a token: bytes from attention and back, of one layer kind.
  struct Message {
    Bytes out, back;
    bool operator==(const Message&) const = default;
  };

  [[nodiscard]] Seconds network_time(double at_attention, double at_ffn, Bytes each_token) const;
  void go_round(const Shares& shares, const AttentionPart& attention, const FfnPart& ffn,
                Round& round) const;
  [[nodiscard]] PairMemory memory_of(const Round& round) const;
  void join();

  Disaggregated deployment_;
  const Setting& setting_;
  HeldPart held_;
  Shares shares_;  // but for what depends on the batch
  PerKind<Message> messages_;
  /// In place of messages: what a direct runtime waits between stages, or nothing where all of a
  /// layer is on the attention pool.
  PerKind<std::optional<Seconds>> edges_;
  size_t main_kind_ = 0;
  ByteRate attention_rate_, ffn_rate_;  // of an instance, on what joins the pools
  double tokens_per_step_ = 1;
  UsdRate price_;
  PairMemory memory_;
  /// What at() works out by, made when it is first asked.
  struct Plans {
    AttentionPoolPlan attention;
    std::optional<FfnPoolPlan> ffn;  // none where AFD is cut at the core
  };
  std::unique_ptr<Plans> plans_;
};

/// What lacks room in the memory of either pool, if any.
[[nodiscard]] std::optional<Verdict> without_room(const MemoryUse& attention, const MemoryUse& ffn);

}  // namespace afford
