#include "layer/stages.hpp"

#include <cmath>

namespace afford {
namespace {

constexpr Dtype between_kernels = Dtype::bf16;

/// Rows a GEMM computes: one tile at least. What partly filled tiles waste beyond the first is in
/// the measured efficiencies.
double computed_rows(double rows, double tile) { return std::max(rows, tile); }

/// A dense product (m x k) (k x n) in `dtype` on its calibrated curve, or nothing to go by.
const OperationCurve* dense_curve(const Machine& machine, Dtype dtype) {
  if (machine.measured == nullptr || !(machine.measured->tensor(dtype) > 0)) return nullptr;
  return machine.measured->find(OperationClass::dense, dtype);
}
Op dense(Op op, double m, double n, double k, Dtype dtype, const OperationCurve& curve,
         const Machine& machine) {
  const ChipTiming& chip = *machine.measured;
  const double bytes = (op.weights.base() + from_l2(op.activations, chip)) / op.kernels;
  return timed(op, curve, dense_work(bytes, m, n, k, chip.sms), chip.tensor(dtype), machine);
}

/// Many tokens through one weight matrix (or a shard of it): inputs and outputs move once.
Op gemm(std::string_view name, const ModelSpec& model, const Matrix& matrix, double rows,
        double shard, const Machine& machine) {
  const Engine& e = *machine.engine;
  const double weights = weights_of(matrix) / shard;
  Op op{.name = name, .kernels = 1};
  op.flops = Flops(2 * weights * computed_rows(rows, e.gemm_tile));
  op.weights = size_of(model.precision.attention_weights, weights);
  op.activations = size_of(model.precision.linear_compute, rows * values_read(matrix)) +
                   size_of(between_kernels, rows * real(matrix.outputs) / shard);
  const Dtype run = compute_format(*machine.chip, model.precision.linear_compute);
  if (const OperationCurve* curve = dense_curve(machine, run))
    return dense(op, rows, real(matrix.outputs) / shard, real(matrix.inputs), run, *curve, machine);
  return timed(op, e.gemm_compute * machine.peak(model.precision.linear_compute),
               e.gemm_memory * machine.memory, e.kernel);
}

/// The two halves of MLA's absorbed kv_up: one batched product on each side of the core. Engines
/// keep it in BF16 (DeepSeek's published trace among them), whatever the format of the other
/// weights.
Op absorbed_products(const Matrix& matrix, double rows, double shard, const Machine& machine) {
  const Engine& e = *machine.engine;
  Op op{.name = matrix.name, .kernels = 2};
  op.flops = Flops(2 * weights_of(matrix) / shard * computed_rows(rows, e.gemm_tile));
  op.weights = size_of(Dtype::bf16, weights_of(matrix) / shard);
  if (const OperationCurve* curve = dense_curve(machine, Dtype::bf16))
    return dense(op, rows, weights_of(matrix) / shard / 2 / real(matrix.inputs),
                 real(matrix.inputs), Dtype::bf16, *curve, machine);
  return timed(op, e.gemm_compute * machine.peak(Dtype::bf16), e.gemm_memory * machine.memory,
               e.kernel);
}

/// Small elementwise kernels over `rows` vectors of the hidden size: norms, quantisation, rope,
/// packing.
Op elementwise(std::string_view name, double kernels, Bytes bytes, const Machine& machine) {
  const Engine& e = *machine.engine;
  Op op{.name = name, .kernels = kernels};
  op.activations = bytes;
  if (const ChipTiming* chip = machine.measured; chip != nullptr && chip->small_kernel > 0) {
    op.time = Seconds(kernels * chip->small_kernel + from_l2(bytes, *chip) / chip->read);
    return op;
  }
  return timed(op, machine.peak(Dtype::bf16), e.gemm_memory * machine.memory, e.kernel);
}

/// A collective of the scale-up fabric: `bytes` in and out of each accelerator, each way at the
/// same time.
Op collective(std::string_view name, Bytes bytes, bool hidden, const Machine& machine) {
  const Engine& e = *machine.engine;
  Op op{.name = name, .kernels = 1};
  op.moved = bytes;
  op.time = bytes / (e.scale_up * machine.scale_up) + e.collective;
  op.bound = Limit::scale_up;
  op.hidden = hidden;
  return op;
}

/// The curve of a core: reading as the cache's format does, computing on the roof of the product's.
struct CoreCurve {
  const OperationCurve* curve = nullptr;
  double tensor = 0;
};
CoreCurve calibrated_core(const ModelSpec& model, const LayerShape& shape, const Machine& machine) {
  if (machine.measured == nullptr) return {};
  const double tensor =
      machine.measured->tensor(compute_format(*machine.chip, model.precision.attention_compute));
  return {tensor > 0 ? machine.measured->find(shape.attention.curve, shape.cache) : nullptr,
          tensor};
}

/// The measured kernel includes its combine. Queries and outputs pass through memory once, in BF16.
Op on_curve(Op op, const LayerShape& shape, const AttentionWork& work, double ways,
            const CoreCurve& core, const Machine& machine) {
  const AttentionCount& a = shape.attention;
  const double kv_heads = std::max(1.0, a.kv_heads / ways);
  const double rows = a.query_rows * work.query_tokens / (a.kv_heads > 1 ? 1 : ways);
  const double units = work.requests * kv_heads * row_tiles(rows);
  const double values = work.requests * work.query_tokens / ways * a.core_values;
  const double bytes = (op.cache + size_of(Dtype::bf16, values)).base();
  op.kernels = 1;
  const double context = entries_read(a.core.walk.front(), work.context);
  const double outputs = values / 2 / units;
  OperationWork asked =
      attention_work(bytes, op.flops.base(), units, outputs, context, false, machine.measured->sms);
  asked.paged = true;  // as serving engines hold their cache
  return timed(op, *core.curve, asked, core.tensor, machine);
}

/// Query rows of whole tiles: few rows take the smallest one, more wgmma's 64.
double query_tile_rows(double rows, double smallest) {
  constexpr double few = 16, wgmma_rows = 64;
  const double tile = rows <= few ? smallest : std::max(smallest, wgmma_rows);
  return std::ceil(rows / tile) * tile;
}

Op core(const ModelSpec& model, const LayerShape& shape, const AttentionWork& work,
        const Machine& machine) {
  const Engine& e = *machine.engine;
  const AttentionCount& a = shape.attention;
  const double ways = work.split == AttentionSplit::tensor ? real(work.instance) : 1;
  // A cache of fewer heads than accelerators is replicated on some of them, which share its query
  // heads.
  const double cache_ways = std::min<double>(ways, a.kv_heads);
  const double rows = a.query_rows * cache_ways / ways * work.query_tokens;
  const double padding = query_tile_rows(rows, e.attention_tile) / rows;
  const bool has_state = a.core.state.elements > 0;
  Op op{.name = "core attention", .kernels = has_state ? 1.0 : 2.0};  // split-KV and its combine
  op.flops =
      Flops(work.requests * work.query_tokens / ways * core_flops(a.core, work.context, padding));
  op.cache = work.requests / cache_ways * core_traffic(a.core, shape.cache, work.context).charged();
  if (const CoreCurve calibrated = calibrated_core(model, shape, machine);
      calibrated.curve != nullptr)
    return on_curve(op, shape, work, ways, calibrated, machine);
  return timed(op, e.attention_compute * machine.peak(model.precision.attention_compute),
               e.attention_memory * machine.memory, e.kernel);
}

/// Projections before the core: those that read the hidden state run as one kernel.
template <class Ops>
void add_projections(Ops& ops, const ModelSpec& model, const LayerShape& shape,
                     const AttentionWork& work, double rows, const Machine& machine) {
  const std::int64_t group = work.split == AttentionSplit::tensor ? work.instance : 1;
  const auto ways = [&](const Matrix& matrix) {
    return tensor_ways(matrix, shape.attention, group);
  };
  Matrix joined{
      .name = "q k v", .inputs = model.hidden, .role = Role::from_hidden, .split = Split::whole};
  for (const Matrix& matrix : shape.attention.projections) {
    if (matrix.role != Role::from_hidden) continue;
    joined.outputs += static_cast<std::int64_t>(real(matrix.outputs) / ways(matrix));
  }
  ops.add(gemm(joined.name, model, joined, rows, 1, machine));
  for (const Matrix& matrix : shape.attention.projections) {
    if (matrix.role == Role::from_rank)
      ops.add(gemm(matrix.name, model, matrix, rows, ways(matrix), machine));
    if (matrix.role == Role::absorbed)
      ops.add(absorbed_products(matrix, rows, ways(matrix), machine));
  }
}

/// The output maps, one after another, sharded over the instance for the tokens of all its
/// accelerators: each gathers what its share of a map reads, and the results return.
template <class Ops>
void add_shared_output(Ops& ops, const ModelSpec& model, const LayerShape& shape,
                       const AttentionWork& work, double rows, const Machine& machine) {
  const double n = real(work.instance), others = (n - 1) / n;
  for (const Matrix& map : shape.attention.projections) {
    if (map.role != Role::output) continue;
    // Of a block-diagonal map an accelerator's share of the outputs reads its own blocks.
    const double values = std::max(real(map.inputs), values_read(map) / n);
    const Bytes gathered = size_of(model.precision.linear_compute, n * rows * values) * others;
    ops.add(collective("gather for o", gathered, work.overlap != Overlap::none, machine));
    ops.add(gemm(map.name, model, map, n * rows, n, machine));
  }
  const Bytes returned = size_of(between_kernels, rows * real(model.hidden)) * others;
  ops.add(collective("return of o", returned, work.overlap == Overlap::all, machine));
}

template <class Ops>
void add_output(Ops& ops, const ModelSpec& model, const LayerShape& shape,
                const AttentionWork& work, double rows, const Machine& machine) {
  const double n = real(work.instance), others = (n - 1) / n;
  if (work.instance > 1 && work.split == AttentionSplit::shared_output)
    return add_shared_output(ops, model, shape, work, rows, machine);
  const bool tensor = work.split == AttentionSplit::tensor;
  for (const Matrix& map : shape.attention.projections) {
    if (map.role == Role::output)
      ops.add(gemm(map.name, model, map, rows, tensor ? n : 1, machine));
  }
  if (tensor && work.instance > 1) {
    const Bytes reduced = 2 * others * size_of(between_kernels, rows * real(model.hidden));
    ops.add(collective("all-reduce of o", reduced, work.overlap == Overlap::all, machine));
  }
}

}  // namespace

std::vector<LayerShape> layer_shapes(const ModelSpec& model) {
  std::vector<LayerShape> shapes;
  for (const LayerKind& kind : model.layer_kinds) {
    const AttentionSpec& attention = model.attentions[kind.attention];
    const FfnSpec& ffn = model.ffns[kind.ffn];
    shapes.push_back(
        {.attention = count_attention(attention.shape, model.hidden, Convention::exact),
         .ffn = count_ffn(ffn.shape),
         .cache = cache_format(model, attention),
         .ffn_weights = ffn.weights.value_or(model.precision.ffn_weights),
         .shared_weights =
             ffn.shared_weights.value_or(ffn.weights.value_or(model.precision.ffn_weights)),
         .layers = kind.layers});
  }
  return shapes;
}

double tensor_ways(const Matrix& projection, const AttentionCount& attention, std::int64_t group) {
  switch (projection.split) {
    case Split::query_heads:
      return real(group);
    case Split::kv_heads:
      return std::min<double>(real(group), attention.kv_heads);
    case Split::groups:
      return std::min(real(group), attention.groups);
    case Split::whole:
      break;
  }
  return 1;
}

namespace {

template <class Ops>
Ops attention_side(const ModelSpec& model, const LayerShape& shape, const AttentionWork& work,
                   const Machine& machine) {
  const double rows = work.requests * work.query_tokens;
  const Bytes vectors = size_of(between_kernels, 2 * rows * real(model.hidden));  // in and out
  Ops ops;
  if (work.partial_results > 0) {
    ops.add(elementwise("combine", 1, (work.partial_results + 2) / 2 * vectors, machine));
  }
  ops.add(elementwise("norm, quantise", 2, 2 * vectors, machine));
  add_projections(ops, model, shape, work, rows, machine);
  ops.add(elementwise("norms, rope, cache write", 3, vectors, machine));
  ops.add(core(model, shape, work, machine));
  ops.add(elementwise("quantise", 1, size_of(between_kernels, rows * shape.attention.core_outputs),
                      machine));
  add_output(ops, model, shape, work, rows, machine);
  ops.add(elementwise("norm", 1, 2 * vectors, machine));
  if (work.router) {
    ops.add(gemm("router", model,
                 {"router", model.hidden, work.experts, Role::from_hidden, Split::whole}, rows, 1,
                 machine));
    ops.add(elementwise("top-k, pack", 2, vectors, machine));
  }
  return ops;
}

/// Rows, distinct MLPs and width of a group of gated MLPs that run as one grouped GEMM.
struct MlpGroup {
  double rows = 0, mlps = 0, intermediate = 0;
  double inputs = 0;  // the hidden state, or the latent that experts work on
  double up = 2;      // matrices into the intermediate
  Dtype format = Dtype::fp8;
};

MlpGroup mlp_group(const ModelSpec& model, const LayerShape& shape, const Mlp& mlp, double rows,
                   double mlps) {
  return {.rows = rows,
          .mlps = mlps,
          .intermediate = real(mlp.intermediate),
          .inputs = inputs_of(mlp, model.hidden),
          .up = mlp.matrices_up(),
          .format = mlp.role == MlpRole::shared ? shape.shared_weights : shape.ffn_weights};
}

/// The matrices between the hidden state and the latent of the routed experts, both ways.
template <class Ops>
void add_latent(Ops& ops, const ModelSpec& model, const LayerShape& shape, double rows,
                double shard, const Machine& machine) {
  const double weights = latent_weights(shape.ffn, model.hidden) / shard;
  if (weights == 0) return;
  const Engine& e = *machine.engine;
  Op op{.name = "latent in, out", .kernels = 2};
  op.flops = Flops(2 * computed_rows(rows, e.gemm_tile) * weights);
  op.weights = size_of(shape.ffn_weights, weights);
  const Dtype run = compute_format(*machine.chip, model.precision.ffn_compute);
  if (const OperationCurve* curve = dense_curve(machine, run)) {
    const double hidden = real(model.hidden);
    return ops.add(dense(op, rows, weights / 2 / hidden, hidden, run, *curve, machine));
  }
  ops.add(timed(op, e.gemm_compute * machine.peak(model.precision.ffn_compute),
                e.gemm_memory * machine.memory, e.kernel));
}

const OperationCurve* grouped_curve(const Machine& machine, Dtype dtype) {
  if (machine.measured == nullptr || !(machine.measured->tensor(dtype) > 0)) return nullptr;
  return machine.measured->find(OperationClass::grouped_gemm, dtype);
}

/// A grouped GEMM on its calibrated curve: the experts alike, with their mean number of tokens, and
/// the shared ones.
Op on_curve(Op op, const std::array<MlpGroup, 2>& groups, double matrices, double shard, Dtype run,
            const OperationCurve& curve, const Machine& machine) {
  const ChipTiming& chip = *machine.measured;
  const double width = groups[0].intermediate / shard, inputs = groups[0].inputs;
  const double outputs = matrices == 2 ? 2 * width : inputs, k = matrices == 2 ? inputs : width;
  double rows = 0, tiles = 0;
  for (const MlpGroup& group : groups) {
    if (!(group.rows > 0)) continue;
    const GroupedTiles each = grouped_tiles(group.rows / group.mlps, outputs);
    rows += group.mlps * each.rows, tiles += group.mlps * each.tiles;
  }
  const OperationWork asked{
      .bytes = op.weights.base() + from_l2(op.activations, chip),
      .flops = 2 * rows * outputs * k,
      .memory_size = (op.weights.base() + from_l2(op.activations, chip)) / chip.sms,
      .compute_size = groups[0].rows / groups[0].mlps,
      .idle_tail = idle_tail(whole_up(tiles), chip.sms),
      .k = k,
      .follows = matrices == 1};
  return timed(op, curve, asked, chip.tensor(run), machine);
}

/// One of the two GEMMs of gated MLPs: `matrices` of hidden x intermediate for each, sharded
/// `shard` ways.
Op mlp_gemm(std::string_view name, const ModelSpec& model, const std::array<MlpGroup, 2>& groups,
            double matrices, double shard, bool grouped, const Machine& machine) {
  const Engine& e = *machine.engine;
  Op op{.name = name, .kernels = 1};
  for (const MlpGroup& group : groups) {
    const double weights = matrices * group.inputs * group.intermediate / shard;
    op.flops += Flops(2 * computed_rows(group.rows, group.mlps * e.gemm_tile) * weights);
    op.weights += size_of(group.format, group.mlps * weights);
    op.activations += size_of(model.precision.ffn_compute,
                              group.rows * (group.inputs + matrices * group.intermediate / shard));
  }
  const Dtype run = compute_format(*machine.chip, model.precision.ffn_compute);
  if (!grouped) {
    if (const OperationCurve* curve = dense_curve(machine, run)) {
      const MlpGroup& mlp = groups[1].rows > 0 ? groups[1] : groups[0];
      const double width = mlp.mlps * mlp.intermediate / shard;
      return matrices == 2 ? dense(op, mlp.rows, 2 * width, mlp.inputs, run, *curve, machine)
                           : dense(op, mlp.rows, mlp.inputs, width, run, *curve, machine);
    }
  } else if (const OperationCurve* curve = grouped_curve(machine, run)) {
    return on_curve(op, groups, matrices, shard, run, *curve, machine);
  }
  const double compute = grouped ? e.grouped_compute : e.gemm_compute;
  return timed(op, compute * machine.peak(model.precision.ffn_compute),
               e.gemm_memory * machine.memory, e.kernel);
}

template <class Ops>
void add_mlps(Ops& ops, const ModelSpec& model, const std::array<MlpGroup, 2>& groups, double shard,
              bool grouped, const Machine& machine) {
  const Bytes between = size_of(
      between_kernels,
      3 * (groups[0].rows * groups[0].intermediate + groups[1].rows * groups[1].intermediate) /
          shard);
  ops.add(mlp_gemm("gate, up", model, groups, 2, shard, grouped, machine));
  // The measured grouped kernel ends with SwiGLU and its quantisation.
  const bool fused =
      grouped &&
      grouped_curve(machine, compute_format(*machine.chip, model.precision.ffn_compute)) != nullptr;
  if (!fused) ops.add(elementwise("SwiGLU, quantise", 1, between, machine));
  ops.add(mlp_gemm("down", model, groups, 1, shard, grouped, machine));
}

/// Share of the tokens for which one expert group has any work: a routed expert hit (experts drawn
/// without repetition, evenly), or the token's turn in the shared ones. The others need no gather
/// and no scatter.
double share_with_work(const FfnCount& ffn, std::int64_t groups, bool shares_rest) {
  double missed = shares_rest ? 1 - 1 / real(groups) : 1;
  for (const Mlp& mlp : ffn.mlps) {
    if (mlp.role != MlpRole::routed) continue;
    const double elsewhere = real(mlp.copies) * (1 - 1 / real(groups));
    for (std::int64_t i = 0; i < mlp.active; ++i) {
      missed *= std::max(0.0, elsewhere - real(i)) / (real(mlp.copies) - real(i));
    }
  }
  return 1 - missed;
}

template <class Ops>
Ops ffn_side(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
             const Machine& machine) {
  const double n = real(work.instance), others = (n - 1) / n, hidden = real(model.hidden);
  MlpGroup routed, rest;
  for (const Mlp& mlp : shape.ffn.mlps) {
    if (mlp.role == MlpRole::routed) {
      const ExpertLayout layout{mlp.copies, mlp.active, work.groups,
                                work.groups > 1 ? work.redundant : 0};
      const ExpertLoad load = work.placement != nullptr
                                  ? placed_load(layout, work.total_tokens, *work.placement)
                                  : expected_load(layout, work.total_tokens, *work.routing);
      routed = mlp_group(model, shape, mlp, load.busiest_group, load.busiest_group_active);
    } else if (mlp.role == MlpRole::dense || work.shared == SharedExperts::fused) {
      // Shared experts and dense layers split the tokens over the groups.
      rest = mlp_group(model, shape, mlp, work.total_tokens / real(work.groups) * real(mlp.active),
                       real(mlp.copies));
    }
  }
  const double seen = work.tokens * share_with_work(shape.ffn, work.groups, rest.rows > 0);
  Ops ops;
  const bool collectives = work.collectives && work.instance > 1;
  if (collectives) {
    const Bytes gathered = seen * others * dispatch_bytes(model, shape);
    ops.add(collective("all-gather", gathered, work.overlap != Overlap::none, machine));
  }
  add_latent(ops, model, shape, seen, real(work.tensor), machine);
  add_mlps(ops, model, {routed, rest}, real(work.tensor), routed.rows > 0, machine);
  if (collectives) {
    const Bytes scattered = size_of(between_kernels, seen * hidden) * others;
    ops.add(collective("reduce-scatter", scattered, work.overlap == Overlap::all, machine));
  }
  return ops;
}

template <class Ops>
Ops shared_side(const ModelSpec& model, const LayerShape& shape, double tokens, std::int64_t tensor,
                const Machine& machine) {
  Ops ops;
  for (const Mlp& mlp : shape.ffn.mlps) {
    if (mlp.role != MlpRole::shared) continue;
    const MlpGroup shared =
        mlp_group(model, shape, mlp, tokens * real(mlp.active), real(mlp.copies));
    add_mlps(ops, model, {shared, MlpGroup{}}, real(tensor), false, machine);
  }
  return ops;
}

template <class Ops>
Ops head_side(const ModelSpec& model, double tokens, std::int64_t instance,
              const Machine& machine) {
  const Engine& e = *machine.engine;
  const double n = real(instance), hidden = real(model.hidden), vocab = real(model.vocab);
  Ops ops;
  ops.add(elementwise("embedding", 1, size_of(Dtype::bf16, 2 * tokens * hidden), machine));
  Op head{.name = "LM head", .kernels = 2};
  // The tokens of n instances over an nth of the vocabulary.
  const double rows = computed_rows(n * tokens, e.gemm_tile);
  head.flops = Flops(2 * hidden * vocab / n * rows);
  head.weights = size_of(Dtype::bf16, hidden * vocab / n);
  head.activations = size_of(Dtype::bf16, tokens * (n * hidden + vocab));
  if (const OperationCurve* curve = dense_curve(machine, Dtype::bf16)) {
    head.kernels = 1;
    ops.add(dense(head, n * tokens, vocab / n, hidden, Dtype::bf16, *curve, machine));
  } else {
    ops.add(timed(head, e.gemm_compute * machine.peak(Dtype::bf16), e.gemm_memory * machine.memory,
                  e.kernel));
  }
  ops.add(elementwise("sampling", 3, size_of(Dtype::fp32, 2 * tokens * vocab), machine));
  return ops;
}

}  // namespace

OpList attention_ops(const ModelSpec& model, const LayerShape& shape, const AttentionWork& work,
                     const Machine& machine) {
  return attention_side<OpList>(model, shape, work, machine);
}
Seconds attention_time(const ModelSpec& model, const LayerShape& shape, const AttentionWork& work,
                       const Machine& machine) {
  return attention_side<OpTime>(model, shape, work, machine).time();
}
OpList ffn_ops(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
               const Machine& machine) {
  return ffn_side<OpList>(model, shape, work, machine);
}
Seconds ffn_time(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
                 const Machine& machine) {
  return ffn_side<OpTime>(model, shape, work, machine).time();
}
OpList shared_ops(const ModelSpec& model, const LayerShape& shape, double tokens,
                  std::int64_t tensor, const Machine& machine) {
  return shared_side<OpList>(model, shape, tokens, tensor, machine);
}
OpList head_ops(const ModelSpec& model, double tokens, std::int64_t instance,
                const Machine& machine) {
  return head_side<OpList>(model, tokens, instance, machine);
}
Seconds head_time(const ModelSpec& model, double tokens, std::int64_t instance,
                  const Machine& machine) {
  return head_side<OpTime>(model, tokens, instance, machine).time();
}

Bytes dispatch_bytes(const ModelSpec& model, const LayerShape& shape) {
  constexpr double scale_block = 128, bytes_of_scale = 4, bytes_of_expert = 8;  // id and weight
  const double hidden = real(model.hidden), experts = visited_experts(shape.ffn);
  return Bytes(hidden + hidden / scale_block * bytes_of_scale + experts * bytes_of_expert);
}

Bytes combine_bytes(const ModelSpec& model) { return size_of(Dtype::bf16, real(model.hidden)); }

namespace {

void add_attention(OpList& ops, const ModelSpec& model, const Kernel& kernel,
                   const Machine& machine) {
  // The hidden size is of the projections alone.
  const LayerShape shape{.attention = count_attention(kernel.attention, 1, Convention::exact),
                         .ffn = {},
                         .cache = kernel.storage};
  const AttentionWork work{.requests = kernel.requests, .context = kernel.context};
  ops.add(core(model, shape, work, machine));
}

}  // namespace

OpList kernel_ops(const Kernel& kernel, const Machine& machine) {
  ModelSpec model;
  model.precision.attention_compute = model.precision.linear_compute = model.precision.ffn_compute =
      kernel.compute;
  model.precision.attention_weights = kernel.storage;
  const std::array<MlpGroup, 2> groups{MlpGroup{.rows = kernel.tokens,
                                                .mlps = kernel.experts,
                                                .intermediate = kernel.intermediate,
                                                .inputs = kernel.hidden,
                                                .format = kernel.storage}};
  OpList ops;
  switch (kernel.kind) {
    case Kernel::Kind::attention:
      add_attention(ops, model, kernel, machine);
      break;
    case Kernel::Kind::experts:
      add_mlps(ops, model, groups, 1, true, machine);
      break;
    case Kernel::Kind::gate_up:
      ops.add(mlp_gemm("gate, up", model, groups, 2, 1, true, machine));
      break;
    case Kernel::Kind::down:
      ops.add(mlp_gemm("down", model, groups, 1, 1, true, machine));
      break;
    case Kernel::Kind::dense:
      ops.add(gemm("dense", model,
                   {.name = "dense",
                    .inputs = static_cast<std::int64_t>(kernel.k),
                    .outputs = static_cast<std::int64_t>(kernel.n),
                    .role = Role::from_hidden,
                    .split = Split::whole},
                   kernel.m, 1, machine));
  }
  return ops;
}

}  // namespace afford
