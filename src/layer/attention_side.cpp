#include "layer/attention_side.hpp"

#include <algorithm>

#include "kernels/attention_core.hpp"
#include "kernels/collective.hpp"
#include "kernels/dense.hpp"
#include "kernels/small.hpp"
#include "layer/launches.hpp"
#include "layer/router.hpp"

namespace afford {
namespace {

/// One attention side, as its operations are added.
template <class Ops>
struct AttentionStage {
  const ModelSpec& model;
  const LayerShape& shape;
  const AttentionWork& work;
  const Machine& machine;
  double rows = work.requests * work.query_tokens;
  double n = real(work.instance), others = (n - 1) / n;  // share of a gather that comes from others
  Ops ops{};

  [[nodiscard]] bool has_core() const { return work.scope != AttentionScope::around; }
  [[nodiscard]] bool goes_around() const { return work.scope != AttentionScope::core; }
  /// Hidden states in and out.
  [[nodiscard]] Bytes vectors() const {
    return size_of(between_kernels, 2 * rows * real(model.hidden));
  }
  [[nodiscard]] double tensor() const { return work.split == AttentionSplit::tensor ? n : 1; }
  [[nodiscard]] double ways(const Matrix& matrix) const {
    return work.split == AttentionSplit::tensor
               ? tensor_ways(matrix, shape.attention, work.instance)
               : 1;
  }
  void small(std::string_view name, double kernels, Bytes bytes) {
    ops.add(elementwise({.name = name, .bytes = bytes, .kernels = kernels}, machine));
  }
  /// `tokens` through a matrix of which this accelerator has a `shard`th of the outputs.
  void gemm(const Matrix& matrix, double tokens, double shard) {
    const double outputs = real(matrix.outputs) / shard;
    const Dtype compute = shape.linear_compute;
    ops.add(dense({.name = matrix.name,
                   .rows = tokens,
                   .inputs = real(matrix.inputs),
                   .outputs = outputs,
                   .weights = shape.attention_weights,
                   .compute = compute,
                   .activations = size_of(compute, tokens * values_read(matrix)) +
                                  size_of(between_kernels, tokens * outputs)},
                  machine));
  }
};

/// What reaches this accelerator's core.
template <class Ops>
Bytes core_input_bytes(const AttentionStage<Ops>& side) {
  return side.rows / side.tensor() * to_core_bytes(side.shape.attention);
}

/// The two halves of an absorbed matrix: one batched product on each side of the core. Engines keep
/// it in BF16 (DeepSeek's published trace among them), whatever the format of the other weights.
/// Between them and the core every head has a latent of its own, which moves.
template <class Ops>
DenseProduct absorbed_products(const Matrix& matrix, const AttentionStage<Ops>& side) {
  const double ways = side.ways(matrix), outputs = real(matrix.outputs);
  return {.name = matrix.name,
          .rows = side.rows,
          .inputs = real(matrix.inputs),
          .outputs = outputs / ways / 2,
          .weights = Dtype::bf16,
          .compute = Dtype::bf16,
          .activations =
              size_of(Dtype::bf16, side.rows / ways * (side.shape.attention.core_values + outputs)),
          .kernels = 2};
}

/// Projections before the core: those that read the hidden state run as one kernel.
template <class Ops>
void add_projections(AttentionStage<Ops>& side) {
  Matrix joined{.name = "q k v",
                .inputs = side.model.hidden,
                .role = Role::from_hidden,
                .split = Split::whole};
  for (const Matrix& matrix : side.shape.attention.projections) {
    if (matrix.role != Role::from_hidden) continue;
    joined.inputs = matrix.inputs;  // the hidden state, or with the embedding beside it
    joined.outputs += static_cast<std::int64_t>(real(matrix.outputs) / side.ways(matrix));
  }
  side.gemm(joined, side.rows, 1);
  for (const Matrix& matrix : side.shape.attention.projections) {
    if (matrix.role == Role::from_rank) {
      const double norms = side.machine.engine->kernels.rank_norm;
      if (norms > 0)
        side.small("norm of the rank", norms,
                   size_of(between_kernels, 2 * side.rows * real(matrix.inputs)));
      side.gemm(matrix, side.rows, side.ways(matrix));
    }
    if (matrix.role == Role::absorbed)
      side.ops.add(dense(absorbed_products(matrix, side), side.machine));
  }
}

/// The output maps, one after another, sharded over the instance for the tokens of all its
/// accelerators: each gathers what its share of a map reads, and the results return.
template <class Ops>
void add_shared_output(AttentionStage<Ops>& side) {
  const bool gather_hidden = side.work.overlap != Overlap::none;
  const bool return_hidden = side.work.overlap == Overlap::all;
  for (const Matrix& map : side.shape.attention.projections) {
    if (map.role != Role::output) continue;
    // Of a block-diagonal map an accelerator's share of the outputs reads its own blocks.
    const double values = std::max(real(map.inputs), values_read(map) / side.n);
    const Bytes gathered =
        size_of(side.shape.linear_compute, side.n * side.rows * values) * side.others;
    side.ops.add(
        collective({"gather for o", gathered, side.work.instance, gather_hidden}, side.machine));
    side.gemm(map, side.n * side.rows, side.n);
  }
  const Bytes returned =
      size_of(between_kernels, side.rows * real(side.model.hidden)) * side.others;
  side.ops.add(
      collective({"return of o", returned, side.work.instance, return_hidden}, side.machine));
}

template <class Ops>
void add_output(AttentionStage<Ops>& side) {
  const bool alone = side.work.instance == 1;
  if (!alone && side.work.split == AttentionSplit::shared_output) return add_shared_output(side);
  for (const Matrix& map : side.shape.attention.projections) {
    if (map.role == Role::output) side.gemm(map, side.rows, side.tensor());
  }
  if (alone || side.work.split != AttentionSplit::tensor) return;
  side.ops.add(all_reduce({.name = "all-reduce of o",
                           .vector = size_of(between_kernels, side.rows * real(side.model.hidden)),
                           .group = group_of(side.work.instance, *side.machine.chip),
                           .hidden = side.work.overlap == Overlap::all},
                          side.machine));
}

/// What stands before the core, but for combining.
template <class Ops>
void add_before_core(AttentionStage<Ops>& side) {
  const KernelCounts& counts = side.machine.engine->kernels;
  side.small("norm, quantise", counts.norm_quantise, 2 * side.vectors());
  add_projections(side);
}

/// And behind it, but for the router.
template <class Ops>
void add_behind_core(AttentionStage<Ops>& side) {
  const KernelCounts& counts = side.machine.engine->kernels;
  if (side.shape.linear_compute != Dtype::bf16)
    side.small("quantise", counts.quantise,
               size_of(between_kernels, side.rows * side.shape.attention.core_outputs));
  add_output(side);
  side.small("norm", counts.norm, 2 * side.vectors());
}

/// Values of a token that the core gives. Of absorbed attention, whose output maps read them only
/// behind another product, half of what passes through it.
double core_results(const AttentionCount& attention) {
  const bool absorbed =
      std::any_of(attention.projections.begin(), attention.projections.end(),
                  [](const Matrix& matrix) { return matrix.role == Role::absorbed; });
  return absorbed ? attention.core_values / 2 : double{attention.core_outputs};
}

/// Accelerators that share the tokens of a cache gather each other's queries, and add up what each
/// has found.
template <class Ops>
void add_core(AttentionStage<Ops>& side) {
  const AttentionWork& work = side.work;
  const AttentionCount& attention = side.shape.attention;
  const double parts = real(work.context_ways), ways = side.tensor() / parts;
  const Group group = group_of(work.context_ways, *side.machine.chip);
  const double results = core_results(attention), queries = attention.core_values - results;
  if (work.context_ways > 1) {
    side.ops.add(all_gather({.name = "gather of queries",
                             .vector = size_of(between_kernels, side.rows * queries / ways),
                             .group = group},
                            side.machine));
  }
  side.ops.add(attention_core(attention,
                              {.requests = work.requests,
                               .query_tokens = work.query_tokens,
                               .context = work.context / parts,
                               .ways = ways,
                               .uneven = work.uneven,
                               .cache = side.shape.cache,
                               .compute = side.model.precision.attention_compute},
                              side.machine));
  if (work.context_ways > 1) {
    side.ops.add(reduce_scatter({.name = "scatter of results",
                                 .vector = size_of(between_kernels, side.rows * results / ways),
                                 .group = group},
                                side.machine));
  }
}

/// Norms and rope, which read and write what the core gets, run with the projections; the cache is
/// written where it is.
template <class Ops>
void add_cache_write(AttentionStage<Ops>& side) {
  const double kernels = side.machine.engine->kernels.rope_cache_write;
  switch (side.work.scope) {
    case AttentionScope::whole:
      return side.small("norms, rope, cache write", kernels, 2 * core_input_bytes(side));
    case AttentionScope::around:
      return side.small("norms, rope", std::max(0.0, kernels - 1), 2 * core_input_bytes(side));
    case AttentionScope::core:
      return side.small("cache write", std::min(1.0, kernels), core_input_bytes(side));
  }
}

/// Partial results of the layer before.
template <class Ops>
void add_combining(AttentionStage<Ops>& side) {
  const double results = side.work.partial_results;
  if (side.goes_around() && results > 0)
    side.small("combine", side.machine.engine->kernels.combine, (results + 2) / 2 * side.vectors());
}

/// What kinds of layers with like attention have in common.
template <class Ops>
void add_attention(AttentionStage<Ops>& side) {
  if (side.goes_around()) add_before_core(side);
  add_cache_write(side);
  if (side.has_core()) add_core(side);
  if (side.goes_around()) add_behind_core(side);
}

template <class Ops>
void add_routing(AttentionStage<Ops>& side) {
  const bool router = side.work.router;
  if (side.goes_around() && router)
    add_router(side.ops, side.model, side.shape, side.rows, side.machine);
  if (!side.machine.launches()) return;
  const LaunchedKernels& kernels = side.machine.engine->time.kernels;
  side.ops.add(
      launched(side.goes_around() ? attention_launches(side.shape, router, kernels) : kernels.core,
               side.machine));
}

}  // namespace

Bytes to_core_bytes(const AttentionCount& attention) {
  double values = attention.core_values - core_results(attention);
  for (const Walk& walk : attention.core.walks())
    values += walk.kept ? walk.elements / walk.stride : 0;
  return size_of(between_kernels, values);
}

Bytes from_core_bytes(const AttentionCount& attention) {
  return size_of(between_kernels, core_results(attention));
}

OpList attention_ops(const ModelSpec& model, const LayerShape& shape, const AttentionWork& work,
                     const Machine& machine) {
  AttentionStage<OpList> side{model, shape, work, machine};
  add_combining(side);
  add_attention(side);
  add_routing(side);
  return side.ops;
}

Seconds AttentionTimes::of(const LayerShape& shape, const AttentionWork& work,
                           const Machine& machine) {
  if (spec_ != shape.attention_spec) {
    AttentionStage<OpTimes> common{model_, shape, work, machine};
    add_attention(common);
    common_ = common.ops;
    spec_ = shape.attention_spec;
  }
  AttentionStage<OpTime> side{model_, shape, work, machine};
  add_combining(side);
  side.ops.add(common_);
  add_routing(side);
  return side.ops.time();
}

Seconds attention_time(const ModelSpec& model, const LayerShape& shape, const AttentionWork& work,
                       const Machine& machine) {
  return AttentionTimes(model).of(shape, work, machine);
}

}  // namespace afford
