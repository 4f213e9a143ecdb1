#include "kernels/attention_core.hpp"

#include <algorithm>

#include "count/core.hpp"

namespace afford {
namespace {

/// The measured kernel includes its combine. Queries and outputs pass through memory once, in BF16.
/// It reads as the cache's format does and computes on the roof of the product's.
Op on_core_curve(Op op, const AttentionCount& count, const CoreWork& work, double units,
                 const Machine& machine) {
  const Dtype compute = compute_format(*machine.chip, work.compute);
  const OperationCurve& curve = *machine.curve(count.curve, work.cache, compute);
  const double values = work.requests * work.query_tokens / work.ways * count.core_values;
  const DecodeCore asked{.units = units,
                         .bytes = (op.cache + size_of(Dtype::bf16, values)).base(),
                         .flops = op.flops.base(),
                         .context = entries_read(count.core.walk.front(), work.context),
                         .outputs = values / 2 / units,  // half of the values are results
                         .paged = machine.engine->paged_cache,
                         .uneven = work.uneven};
  op.kernels = 1;
  op.widened = curve.precision == OperandPrecision::fp8_cache;
  const double sms = machine.measured->sms;
  const auto as_large_as = [&](double times) {
    DecodeCore larger = asked;
    larger.units *= times;
    larger.bytes *= times;
    larger.flops *= times;
    return timed(op, curve, work_of(larger, sms), compute, machine, machine.core);
  };
  Op best = as_large_as(1);
  // An engine may pad its batch: more requests never take less time.
  for (const double times : faster_sizes(asked, sms)) {
    if (times > 1) best.time = std::min(best.time, as_large_as(times).time);
  }
  return best;
}

/// The format a cache is read at: engines on a chip without FP8 widen it to BF16 in the core, and
/// that takes what reading BF16 does (vllm-project/vllm#42058: 5 % more tokens a second on an A100
/// for half the bytes).
Dtype read_as(Dtype cache, const Machine& machine) {
  const bool widened =
      machine.launches() && cache == Dtype::fp8 && find_peak(*machine.chip, Dtype::fp8) == nullptr;
  return widened ? Dtype::bf16 : cache;
}

}  // namespace

Op attention_core(const AttentionCount& count, const CoreWork& work, const Machine& machine) {
  const Engine& e = *machine.engine;
  const Dtype compute = compute_format(*machine.chip, work.compute);
  const bool measured = machine.curve(count.curve, work.cache, compute) != nullptr;
  const double cache_ways = std::min<double>(work.ways, count.kv_heads);
  const double rows = count.query_rows * cache_ways / work.ways * work.query_tokens;
  // A measured time is that of the measured kernel, tile and all, unless the engine says otherwise.
  const Engine& kernels = measured && !e.tile_on_curves ? *machine.measured->kernels : e;
  const QueryTiles tiles = query_tiles(rows, kernels.attention_tile);
  const bool has_state = count.core.state.elements > 0;
  Op op{.name = "core attention", .kernels = has_state ? e.kernels.state_update : e.kernels.core};
  op.flops = Flops(work.requests * work.query_tokens / work.ways *
                   core_flops(count.core, work.context, tiles.rows / rows));
  op.cache =
      work.requests / cache_ways * core_traffic(count.core, work.cache, work.context).charged();
  if (measured) {
    const double units = work.requests * (count.kv_heads / cache_ways) * tiles.count;
    return on_core_curve(op, count, work, units, machine);
  }
  op.uncovered = machine.measured != nullptr;
  Op read = op;
  read.cache = size_of(read_as(work.cache, machine), 1) / size_of(work.cache, 1) * op.cache;
  read = timed(read,
               {machine.attention_compute * machine.peak(work.compute),
                e.attention_memory / machine.core * machine.memory},
               machine);
  read.cache = op.cache;
  return read;
}

}  // namespace afford
