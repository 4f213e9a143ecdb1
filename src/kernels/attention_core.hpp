#pragma once
// The core of attention: queries against a cache, or a state brought up to date.

#include "kernels/machine.hpp"
#include "spec/attention/count.hpp"

namespace afford {

/// One kernel's share of the core.
struct CoreWork {
  double requests = 0, query_tokens = 1;  // query tokens of each request: drafts + 1
  double context = 0;
  double ways = 1;      // accelerators that share its heads
  bool uneven = false;  // requests are of unequal length, `context` their mean
  Dtype cache = Dtype::bf16, compute = Dtype::bf16;
};

/// A cache of fewer heads than `ways` is replicated on some accelerators, which share its query
/// heads.
[[nodiscard]] Op attention_core(const AttentionCount& count, const CoreWork& work,
                                const Machine& machine);

/// The core on one machine at one number of requests after another: those of the work are not
/// looked at, and the machine is the same every time.
class CoreKernel {
 public:
  /// It keeps the address of the curve.
  CoreKernel(const AttentionCount& count, const CoreWork& work, const Machine& machine);
  /// attention_core() of it.
  [[nodiscard]] Op op(double requests, const Machine& machine) const;
  /// Its time alone.
  [[nodiscard]] Seconds time(double requests, const Machine& machine) const;

 private:
  [[nodiscard]] Flops flops(double requests) const {
    return Flops(requests * query_tokens_ / ways_ * flops_);
  }
  [[nodiscard]] Bytes cache(double requests) const { return requests / cache_ways_ * cache_; }
  [[nodiscard]] DecodeCore asked(double requests) const;
  [[nodiscard]] double least_seconds(const DecodeCore& asked, const Machine& machine) const;
  [[nodiscard]] OnCurve taken(const OperationWork& work, const Machine& machine) const;
  [[nodiscard]] Op on_roofs(double requests, const Machine& machine) const;

  double query_tokens_, ways_, cache_ways_;
  double flops_ = 0;  // of a query token, by all heads
  Bytes cache_;       // that a request reads
  double kernels_ = 1;
  Dtype compute_;
  const OperationCurve* curve_;
  // On a curve: of a query token; KV heads of an accelerator and the tiles of one.
  double values_ = 0, kv_heads_ = 0, tiles_ = 0, context_ = 0;
  bool uneven_ = false, paged_ = false;
  // On roofs.
  double widened_ = 1;  // bytes read for one of the cache
  Reached reached_;
};

}  // namespace afford
