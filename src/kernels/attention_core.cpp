#include "kernels/attention_core.hpp"

#include <cmath>

#include "count/core.hpp"

namespace afford {
namespace {

/// Query rows of whole tiles: few rows take the smallest one, more wgmma's 64.
double query_tile_rows(double rows, double smallest) {
  constexpr double few = 16, wgmma_rows = 64;
  const double tile = rows <= few ? smallest : std::max(smallest, wgmma_rows);
  return std::ceil(rows / tile) * tile;
}

/// The measured kernel includes its combine. Queries and outputs pass through memory once, in BF16.
/// It reads as the cache's format does and computes on the roof of the product's.
Op on_curve(Op op, const AttentionCount& count, const CoreWork& work, const Machine& machine) {
  const Dtype compute = compute_format(*machine.chip, work.compute);
  const OperationCurve& curve = *machine.curve(count.curve, work.cache, compute);
  const double kv_heads = std::max(1.0, count.kv_heads / work.ways);
  const double rows = count.query_rows * work.query_tokens / (count.kv_heads > 1 ? 1 : work.ways);
  const double units = work.requests * kv_heads * row_tiles(rows);
  const double values = work.requests * work.query_tokens / work.ways * count.core_values;
  const double bytes = (op.cache + size_of(Dtype::bf16, values)).base();
  const double context = entries_read(count.core.walk.front(), work.context);
  const double outputs = values / 2 / units;  // half of the values are results
  op.kernels = 1;
  OperationWork asked =
      attention_work(bytes, op.flops.base(), units, outputs, context, false, machine.measured->sms);
  asked.paged = true;  // as serving engines hold their cache
  return timed(op, curve, asked, compute, machine);
}

}  // namespace

Op attention_core(const AttentionCount& count, const CoreWork& work, const Machine& machine) {
  const Engine& e = *machine.engine;
  const double cache_ways = std::min<double>(work.ways, count.kv_heads);
  const double rows = count.query_rows * cache_ways / work.ways * work.query_tokens;
  const double padding = query_tile_rows(rows, e.attention_tile) / rows;
  const bool has_state = count.core.state.elements > 0;
  Op op{.name = "core attention", .kernels = has_state ? 1.0 : 2.0};  // split-KV and its combine
  op.flops = Flops(work.requests * work.query_tokens / work.ways *
                   core_flops(count.core, work.context, padding));
  op.cache =
      work.requests / cache_ways * core_traffic(count.core, work.cache, work.context).charged();
  const Dtype compute = compute_format(*machine.chip, work.compute);
  if (machine.curve(count.curve, work.cache, compute) != nullptr)
    return on_curve(op, count, work, machine);
  return timed(
      op, {e.attention_compute * machine.peak(work.compute), e.attention_memory * machine.memory},
      machine);
}

}  // namespace afford
