#include "layer/attention_side.hpp"

#include <algorithm>

#include "kernels/collective.hpp"
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
  Ops& ops;
  double n = real(work.instance), others = (n - 1) / n;  // share of a gather that comes from others

  [[nodiscard]] const Machine& machine() const { return ops.machine(); }
  [[nodiscard]] bool has_core() const { return work.scope != AttentionScope::around; }
  [[nodiscard]] bool goes_around() const { return work.scope != AttentionScope::core; }
  /// The hidden state, in and out of as many kernels.
  [[nodiscard]] Moved vectors(double kernels) const {
    return {.values = real(model.hidden), .bytes = 2 * bytes_of(between_kernels) * kernels};
  }
  [[nodiscard]] double tensor() const { return work.split == AttentionSplit::tensor ? n : 1; }
  [[nodiscard]] double ways(const Matrix& matrix) const {
    return work.split == AttentionSplit::tensor
               ? tensor_ways(matrix, shape.attention, work.instance)
               : 1;
  }
  void small(std::string_view name, double kernels, const Moved& moved) {
    ops.add(SmallShape{.name = name, .moved = moved, .kernels = kernels});
  }
  /// Tokens, those of `rows`, through a matrix of which this accelerator has a `shard`th of the
  /// outputs.
  void gemm(const Matrix& matrix, const Rows& rows, double shard) {
    const double outputs = real(matrix.outputs) / shard;
    const Dtype compute = shape.linear_compute;
    ops.add(
        DenseShape{.name = matrix.name,
                   .inputs = real(matrix.inputs),
                   .outputs = outputs,
                   .weights = shape.attention_weights,
                   .compute = compute,
                   .rows = rows,
                   .in = {.rows = rows, .values = values_read(matrix), .bytes = bytes_of(compute)},
                   .out = {.rows = rows, .values = outputs, .bytes = bytes_of(between_kernels)}});
  }
};

/// What reaches this accelerator's core, so many times.
template <class Ops>
Moved core_inputs(const AttentionStage<Ops>& side, double times) {
  return {.rows = {.ways = side.tensor()},
          .values = to_core_bytes(side.shape.attention).base(),
          .bytes = times};
}

/// The two halves of an absorbed matrix: one batched product on each side of the core. Engines keep
/// it in BF16 (DeepSeek's published trace among them), whatever the format of the other weights.
/// Between them and the core every head has a latent of its own, which moves.
template <class Ops>
DenseShape absorbed_products(const Matrix& matrix, const AttentionStage<Ops>& side) {
  const double ways = side.ways(matrix), outputs = real(matrix.outputs);
  return {.name = matrix.name,
          .inputs = real(matrix.inputs),
          .outputs = outputs / ways / 2,
          .weights = Dtype::bf16,
          .compute = Dtype::bf16,
          .kernels = 2,
          .in = {.rows = {.ways = ways},
                 .values = side.shape.attention.core_values + outputs,
                 .bytes = bytes_of(Dtype::bf16)}};
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
  side.gemm(joined, {}, 1);
  for (const Matrix& matrix : side.shape.attention.projections) {
    if (matrix.role == Role::from_rank) {
      const double norms = side.machine().engine->kernels.rank_norm;
      if (norms > 0)
        side.small("norm of the rank", norms,
                   {.values = real(matrix.inputs), .bytes = 2 * bytes_of(between_kernels)});
      side.gemm(matrix, {}, side.ways(matrix));
    }
    if (matrix.role == Role::absorbed) side.ops.add(absorbed_products(matrix, side));
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
    const Rows all{.times = side.n};
    const Moved gathered{
        .rows = all, .values = values, .bytes = bytes_of(side.shape.linear_compute) * side.others};
    side.ops.add(CollectiveShape{"gather for o", gathered, side.work.instance, gather_hidden});
    side.gemm(map, all, side.n);
  }
  const Moved returned{.values = real(side.model.hidden),
                       .bytes = bytes_of(between_kernels) * side.others};
  side.ops.add(CollectiveShape{"return of o", returned, side.work.instance, return_hidden});
}

template <class Ops>
void add_output(AttentionStage<Ops>& side) {
  const bool alone = side.work.instance == 1;
  if (!alone && side.work.split == AttentionSplit::shared_output) return add_shared_output(side);
  for (const Matrix& map : side.shape.attention.projections) {
    if (map.role == Role::output) side.gemm(map, {}, side.tensor());
  }
  if (alone || side.work.split != AttentionSplit::tensor) return;
  side.ops.add(
      GroupShape{.name = "all-reduce of o",
                 .vector = {.values = real(side.model.hidden), .bytes = bytes_of(between_kernels)},
                 .group = group_of(side.work.instance, *side.machine().chip),
                 .hidden = side.work.overlap == Overlap::all});
}

/// What stands before the core, but for combining.
template <class Ops>
void add_before_core(AttentionStage<Ops>& side) {
  const KernelCounts& counts = side.machine().engine->kernels;
  side.small("norm, quantise", counts.norm_quantise, side.vectors(2));
  add_projections(side);
}

/// And behind it, but for the router.
template <class Ops>
void add_behind_core(AttentionStage<Ops>& side) {
  const KernelCounts& counts = side.machine().engine->kernels;
  if (side.shape.linear_compute != Dtype::bf16)
    side.small("quantise", counts.quantise,
               {.values = side.shape.attention.core_outputs, .bytes = bytes_of(between_kernels)});
  add_output(side);
  side.small("norm", counts.norm, side.vectors(2));
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
  const Group group = group_of(work.context_ways, *side.machine().chip);
  const double results = core_results(attention), queries = attention.core_values - results;
  const auto shared = [&](double values) {
    return Moved{.values = values, .over = ways, .bytes = bytes_of(between_kernels)};
  };
  if (work.context_ways > 1) {
    side.ops.add(GroupShape{.kind = all_gather,
                            .name = "gather of queries",
                            .vector = shared(queries),
                            .group = group});
  }
  side.ops.add(CoreShape{&attention,
                         {.query_tokens = work.query_tokens,
                          .context = work.context / parts,
                          .ways = ways,
                          .uneven = work.uneven,
                          .cache = side.shape.cache,
                          .compute = side.model.precision.attention_compute}});
  if (work.context_ways > 1) {
    side.ops.add(GroupShape{.kind = reduce_scatter,
                            .name = "scatter of results",
                            .vector = shared(results),
                            .group = group});
  }
}

/// Norms and rope, which read and write what the core gets, run with the projections; the cache is
/// written where it is.
template <class Ops>
void add_cache_write(AttentionStage<Ops>& side) {
  const double kernels = side.machine().engine->kernels.rope_cache_write;
  switch (side.work.scope) {
    case AttentionScope::whole:
      return side.small("norms, rope, cache write", kernels, core_inputs(side, 2));
    case AttentionScope::around:
      return side.small("norms, rope", std::max(0.0, kernels - 1), core_inputs(side, 2));
    case AttentionScope::core:
      return side.small("cache write", std::min(1.0, kernels), core_inputs(side, 1));
  }
}

/// Partial results of the layer before.
template <class Ops>
void add_combining(AttentionStage<Ops>& side) {
  const double results = side.work.partial_results;
  if (side.goes_around() && results > 0)
    side.small("combine", side.machine().engine->kernels.combine, side.vectors((results + 2) / 2));
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
  if (side.goes_around() && router) add_router(side.ops, side.model, side.shape, {});
  if (!side.machine().launches()) return;
  const LaunchedKernels& kernels = side.machine().engine->time.kernels;
  side.ops.add(
      launched(side.goes_around() ? attention_launches(side.shape, router, kernels) : kernels.core,
               side.machine()));
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
  OpMaker ops({work.requests, work.requests * work.query_tokens}, machine);
  AttentionStage<OpMaker> side{model, shape, work, ops};
  add_combining(side);
  add_attention(side);
  add_routing(side);
  return ops.ops();
}

void AttentionPlan::times(double requests, const Machine& machine, KindTimes& times) {
  KernelTimes common;
  for (size_t kind = 0; kind < kinds_.size(); ++kind) {
    Kind& own = kinds_[kind];
    const LayerShape& shape = *own.shape;
    const StageLoad load{requests, requests * own.work.query_tokens};
    const auto build = [&](const auto& part) {
      return [&](auto& ops) {
        AttentionStage<std::remove_reference_t<decltype(ops)>> side{model_, shape, own.work, ops};
        part(side);
      };
    };
    if (kind == 0 || shape.attention_spec != kinds_[kind - 1].shape->attention_spec) {
      common = {};
      TimeMaker all(load, machine, &common);
      own.common.add_to(all, build([](auto& side) { add_attention(side); }));
    }
    TimeMaker all(load, machine);
    own.combining.add_to(all, build([](auto& side) { add_combining(side); }));
    for (const Seconds time : common) all.take(time);
    own.routing.add_to(all, build([](auto& side) { add_routing(side); }));
    times[kind] = all.time();
  }
}

}  // namespace afford
