#include "kernels/attention_core.hpp"

#include <algorithm>

#include "count/core.hpp"

namespace afford {
namespace {

/// The format a cache is read at: engines on a chip without FP8 widen it to BF16 in the core, and
/// that takes what reading BF16 does (vllm-project/vllm#42058: 5 % more tokens a second on an A100
/// for half the bytes).
Dtype read_as(Dtype cache, const Machine& machine) {
  const bool widened =
      machine.launches() && cache == Dtype::fp8 && find_peak(*machine.chip, Dtype::fp8) == nullptr;
  return widened ? Dtype::bf16 : cache;
}

}  // namespace

CoreKernel::CoreKernel(const AttentionCount& count, const CoreWork& work, const Machine& machine)
    : query_tokens_(work.query_tokens),
      ways_(work.ways),
      cache_ways_(std::min<double>(work.ways, count.kv_heads)),
      cache_(core_traffic(count.core, work.cache, work.context).charged()),
      compute_(compute_format(*machine.chip, work.compute)),
      curve_(machine.curve(count.curve, work.cache, compute_)),
      uneven_(work.uneven),
      paged_(machine.engine->paged_cache) {
  const Engine& e = *machine.engine;
  const double rows = count.query_rows * cache_ways_ / work.ways * work.query_tokens;
  // A measured time is that of the measured kernel, tile and all, unless the engine says otherwise.
  const bool measured = curve_ != nullptr;
  const Engine& kernels = measured && !e.tile_on_curves ? *machine.measured->kernels : e;
  const QueryTiles tiles = query_tiles(rows, kernels.attention_tile);
  flops_ = core_flops(count.core, work.context, tiles.rows / rows);
  if (measured) {
    values_ = count.core_values;
    kv_heads_ = count.kv_heads / cache_ways_;
    tiles_ = tiles.count;
    context_ = entries_read(count.core.walk.front(), work.context);
    return;
  }
  kernels_ = count.core.state.elements > 0 ? e.kernels.state_update : e.kernels.core;
  widened_ = size_of(read_as(work.cache, machine), 1) / size_of(work.cache, 1);
  reached_ = {machine.attention_compute * machine.peak(work.compute),
              e.attention_memory / machine.core * machine.memory};
}

/// The measured kernel includes its combine. Queries and outputs pass through memory once, in BF16.
DecodeCore CoreKernel::asked(double requests) const {
  const double values = requests * query_tokens_ / ways_ * values_;
  const double units = requests * kv_heads_ * tiles_;
  return {.units = units,
          .bytes = (cache(requests) + size_of(Dtype::bf16, values)).base(),
          .flops = flops(requests).base(),
          .context = context_,
          .outputs = values / 2 / units,  // half of the values are results
          .paged = paged_,
          .uneven = uneven_};
}

/// It reads as the cache's format does and computes on the roof of the product's.
OnCurve CoreKernel::taken(const OperationWork& work, const Machine& machine) const {
  return on_curve(*curve_, work, compute_, machine, machine.core);
}

/// An engine may pad its batch: more requests never take less time.
double CoreKernel::least_seconds(const DecodeCore& asked, const Machine& machine) const {
  const double sms = machine.measured->sms;
  double least = taken(work_of(asked, sms), machine).seconds;
  for (const double times : faster_sizes(asked, sms)) {
    if (!(times > 1)) continue;
    DecodeCore larger = asked;
    larger.units *= times;
    larger.bytes *= times;
    larger.flops *= times;
    least = std::min(least, taken(work_of(larger, sms), machine).seconds);
  }
  return least;
}

Op CoreKernel::on_roofs(double requests, const Machine& machine) const {
  Op op{.name = "core attention", .kernels = kernels_};
  op.flops = flops(requests);
  op.cache = widened_ * cache(requests);
  op = timed(op, reached_, machine);
  op.cache = cache(requests);
  return op;
}

Seconds CoreKernel::time(double requests, const Machine& machine) const {
  if (curve_ == nullptr) return on_roofs(requests, machine).time;
  return Seconds(least_seconds(asked(requests), machine) * in_interval(*curve_, machine));
}

Op CoreKernel::op(double requests, const Machine& machine) const {
  if (curve_ == nullptr) {
    Op op = on_roofs(requests, machine);
    op.uncovered = machine.measured != nullptr;
    return op;
  }
  Op op{.name = "core attention", .kernels = 1};
  op.flops = flops(requests);
  op.cache = cache(requests);
  op.widened = curve_->precision == OperandPrecision::fp8_cache;
  const OperationWork work = work_of(asked(requests), machine.measured->sms);
  take_time(op, *curve_, work, taken(work, machine), machine);
  op.time = time(requests, machine);
  return op;
}

Op attention_core(const AttentionCount& count, const CoreWork& work, const Machine& machine) {
  return CoreKernel(count, work, machine).op(work.requests, machine);
}

}  // namespace afford
