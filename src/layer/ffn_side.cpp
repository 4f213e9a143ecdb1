#include "layer/ffn_side.hpp"

#include "kernels/collective.hpp"
#include "layer/launches.hpp"
#include "layer/router.hpp"

namespace afford {
namespace {

template <class Ops>
struct FfnStage {
  const ModelSpec& model;
  const LayerShape& shape;
  Ops& ops;

  [[nodiscard]] const Machine& machine() const { return ops.machine(); }
  [[nodiscard]] MlpGroup group(const Mlp& mlp) const {
    return {.intermediate = real(mlp.intermediate),
            .inputs = inputs_of(mlp, model.hidden),
            .matrices_up = mlp.matrices_up(),
            .format = mlp.role == MlpRole::shared ? shape.shared_weights : shape.ffn_weights};
  }
  /// A thin product beside the MLPs.
  void product(DenseShape thin) {
    thin.weights = shape.ffn_weights;
    thin.compute = shape.ffn_compute;
    ops.add(thin);
  }
};

/// The matrices between the hidden state and the latent of the routed experts, both ways.
template <class Ops>
void add_latent(FfnStage<Ops>& side, const Rows& rows, double shard) {
  if (side.shape.ffn.latent == 0) return;
  side.product({.name = "latent in, out",
                .inputs = real(side.model.hidden),
                .outputs = real(side.shape.ffn.latent) / shard,
                .kernels = 2,  // one each way
                .rows = rows});
}

/// What a layer adds to the first matrices of an MLP whose weights it shares: two thin products.
template <class Ops>
void add_adapter(FfnStage<Ops>& side, const Rows& rows, double shard) {
  const FfnCount& ffn = side.shape.ffn;
  if (ffn.adapter == 0) return;
  const Mlp& mlp = ffn.mlps.front();
  side.product({.name = "adapter in",
                .inputs = real(side.model.hidden),
                .outputs = real(ffn.adapter),
                .rows = rows});
  side.product({.name = "adapter out",
                .inputs = real(ffn.adapter),
                .outputs = mlp.matrices_up() * real(mlp.intermediate) / shard,
                .rows = rows});
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

MlpLoad::Routed routed_load(const Mlp& routed, const FfnWork& work, const Machine& machine) {
  const ExpertLayout layout{routed.copies, routed.active, work.groups,
                            work.groups > 1 ? work.redundant : 0};
  MlpLoad::Routed load{.layout = layout,
                       .noise = machine.engine->time.routing_noise,
                       .balance = work.balance,
                       .known = work.placement,
                       .placed = {}};
  if (load.known == nullptr) load.placed = place_experts(layout, *work.routing);
  return load;
}

/// The routed experts of the busiest group, and what runs beside them or alone: shared experts and
/// dense layers split the tokens over the groups.
template <class Ops>
MlpShape mlps_of(const FfnStage<Ops>& side, const FfnWork& work) {
  MlpShape mlps{
      .work = {.groups = {}, .shard = real(work.tensor), .compute = side.shape.ffn_compute},
      .load = {}};
  for (const Mlp& mlp : side.shape.ffn.mlps) {
    if (mlp.role == MlpRole::routed) {
      mlps.work.groups[0] = side.group(mlp);
      mlps.load.routed = routed_load(mlp, work, side.machine());
    } else if (mlp.role == MlpRole::dense || work.shared == SharedExperts::fused) {
      mlps.work.groups[1] = side.group(mlp);
      mlps.load.even = {
          .ways = real(work.groups), .active = real(mlp.active), .mlps = real(mlp.copies)};
    }
  }
  mlps.work.grouped = mlps.load.routed.has_value();
  return mlps;
}

/// What the engine launches, shared experts included where they run in the experts' kernels.
template <class Ops>
void add_launches(FfnStage<Ops>& side, const FfnWork& work) {
  const Machine& machine = side.machine();
  if (!machine.launches()) return;
  const LaunchedKernels& kernels = machine.engine->time.kernels;
  const bool fused = work.shared == SharedExperts::fused;
  side.ops.add(launched(ffn_launches(side.shape, machine) +
                            (fused ? shared_launches(side.shape, kernels) : 0) +
                            (work.router ? kernels.router : 0),
                        machine));
}

template <class Ops>
void add_ffn(FfnStage<Ops> side, const FfnWork& work) {
  if (side.shape.ffn.mlps.empty()) return;
  const double n = real(work.instance), others = (n - 1) / n;
  const MlpShape mlps = mlps_of(side, work);
  Rows seen{.times = share_with_work(side.shape.ffn, work.groups, mlps.load.even.has_value())};
  const bool collectives = work.collectives && work.instance > 1;
  if (work.router) add_router(side.ops, side.model, side.shape, {.ways = n});
  if (collectives) {
    const Moved gathered{.rows = {.times = seen.times, .part = others},
                         .values = dispatch_bytes(side.model, side.shape).base()};
    side.ops.add(
        CollectiveShape{"all-gather", gathered, work.instance, work.overlap != Overlap::none});
  }
  add_latent(side, seen, real(work.tensor));
  add_adapter(side, seen, real(work.tensor));
  side.ops.add(mlps);
  add_launches(side, work);
  if (collectives) {
    const Moved scattered{.rows = seen,
                          .values = real(side.model.hidden),
                          .bytes = bytes_of(between_kernels) * others};
    side.ops.add(
        CollectiveShape{"reduce-scatter", scattered, work.instance, work.overlap == Overlap::all});
  }
}

}  // namespace

OpList ffn_ops(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
               const Machine& machine) {
  OpMaker ops({.tokens = work.tokens}, machine);
  add_ffn(FfnStage<OpMaker>{model, shape, ops}, work);
  return ops.ops();
}

Seconds FfnPlan::time(double tokens, const Machine& machine) {
  return stage_.time({.tokens = tokens}, machine, [&](auto& ops) {
    add_ffn(FfnStage<std::remove_reference_t<decltype(ops)>>{model_, shape_, ops}, work_);
  });
}

Seconds ffn_time(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
                 const Machine& machine) {
  return FfnPlan(model, shape, work).time(work.tokens, machine);
}

namespace {

template <class Ops>
void add_mlps(FfnStage<Ops> side, const MlpsWork& work) {
  const LayerShape& shape = side.shape;
  const Machine& machine = side.machine();
  double launches = 0;
  for (const Mlp& mlp : shape.ffn.mlps) {
    if (mlp.role != work.role) continue;
    if (work.role == MlpRole::dense) add_adapter(side, {}, work.tensor);
    side.ops.add(MlpShape{
        .work = {.groups = {side.group(mlp)}, .shard = work.tensor, .compute = shape.ffn_compute},
        .load = {.routed = {},
                 .even = MlpLoad::Even{
                     .group = 0, .active = real(mlp.active), .mlps = real(mlp.copies)}}});
    launches = work.role == MlpRole::shared ? shared_launches(shape, machine.engine->time.kernels)
                                            : ffn_launches(shape, machine);
  }
  if (machine.launches() && launches > 0) side.ops.add(launched(launches, machine));
}

}  // namespace

OpList mlp_ops(const ModelSpec& model, const LayerShape& shape, const MlpsWork& work,
               const Machine& machine) {
  OpMaker ops({.tokens = work.tokens}, machine);
  add_mlps(FfnStage<OpMaker>{model, shape, ops}, work);
  return ops.ops();
}

void MlpsPlan::add_to(TimeMaker& times) {
  stage_.add_to(times, [&](auto& ops) {
    add_mlps(FfnStage<std::remove_reference_t<decltype(ops)>>{model_, shape_, ops}, work_);
  });
}

Seconds mlp_time(const ModelSpec& model, const LayerShape& shape, const MlpsWork& work,
                 const Machine& machine) {
  return MlpsPlan(model, shape, work).time(work.tokens, machine);
}

Bytes hidden_bytes(const ModelSpec& model) {
  constexpr double scale_block = 128, bytes_of_scale = 4;
  const double hidden = real(model.hidden);
  return Bytes(hidden + hidden / scale_block * bytes_of_scale);
}

Bytes dispatch_bytes(const ModelSpec& model, const LayerShape& shape) {
  constexpr double bytes_of_expert = 8;  // id and weight
  return hidden_bytes(model) + Bytes(visited_experts(shape.ffn) * bytes_of_expert);
}

Bytes combine_bytes(const ModelSpec& model) { return size_of(between_kernels, real(model.hidden)); }

}  // namespace afford
