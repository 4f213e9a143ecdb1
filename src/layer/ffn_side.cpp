#include "layer/ffn_side.hpp"

#include "kernels/collective.hpp"
#include "kernels/dense.hpp"
#include "kernels/mlp.hpp"
#include "layer/launches.hpp"
#include "layer/router.hpp"

namespace afford {
namespace {

template <class Ops>
struct FfnStage {
  const ModelSpec& model;
  const LayerShape& shape;
  const Machine& machine;
  Ops ops{};

  [[nodiscard]] MlpGroup group(const Mlp& mlp, double rows, double mlps) const {
    return {.rows = rows,
            .mlps = mlps,
            .intermediate = real(mlp.intermediate),
            .inputs = inputs_of(mlp, model.hidden),
            .matrices_up = mlp.matrices_up(),
            .format = mlp.role == MlpRole::shared ? shape.shared_weights : shape.ffn_weights};
  }
  void add_mlps(const MlpWork& work) {
    ops.add(mlp_up(work, machine));
    if (!fuses_activation(work, machine)) ops.add(mlp_activation(work, machine));
    ops.add(mlp_down(work, machine));
  }
};

/// The matrices between the hidden state and the latent of the routed experts, both ways.
template <class Ops>
void add_latent(FfnStage<Ops>& side, double rows, double shard) {
  if (side.shape.ffn.latent == 0) return;
  side.ops.add(dense({.name = "latent in, out",
                      .rows = rows,
                      .inputs = real(side.model.hidden),
                      .outputs = real(side.shape.ffn.latent) / shard,
                      .weights = side.shape.ffn_weights,
                      .compute = side.shape.ffn_compute,
                      .kernels = 2},  // one each way
                     side.machine));
}

/// What a layer adds to the first matrices of an MLP whose weights it shares: two thin products.
template <class Ops>
void add_adapter(FfnStage<Ops>& side, double rows, double shard) {
  const FfnCount& ffn = side.shape.ffn;
  if (ffn.adapter == 0) return;
  const Mlp& mlp = ffn.mlps.front();
  const auto product = [&](std::string_view name, double inputs, double outputs) {
    side.ops.add(dense({.name = name,
                        .rows = rows,
                        .inputs = inputs,
                        .outputs = outputs,
                        .weights = side.shape.ffn_weights,
                        .compute = side.shape.ffn_compute},
                       side.machine));
  };
  product("adapter in", real(side.model.hidden), real(ffn.adapter));
  product("adapter out", real(ffn.adapter), mlp.matrices_up() * real(mlp.intermediate) / shard);
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

GroupLoad load_of(const Mlp& routed, const FfnWork& work, const Machine& machine) {
  const ExpertLayout layout{routed.copies, routed.active, work.groups,
                            work.groups > 1 ? work.redundant : 0};
  const auto groups = machine.engine->time.routing_noise ? chosen_groups : placed_groups;
  if (work.placement != nullptr) return groups(layout, work.total_tokens, *work.placement);
  return groups(layout, work.total_tokens, place_experts(layout, *work.routing));
}

/// Of the busiest group, at least `balance` times the mean where that is more than one.
double busiest_pairs(const GroupLoad& load, double balance) {
  return balance > 1 ? std::max(load.busiest_group, balance * load.mean_group) : load.busiest_group;
}

/// The routed experts of the busiest group, and what runs beside them or alone: shared experts and
/// dense layers split the tokens over the groups.
template <class Ops>
MlpWork mlps_of(const FfnStage<Ops>& side, const FfnWork& work) {
  MlpWork mlps{.groups = {}, .shard = real(work.tensor), .compute = side.shape.ffn_compute};
  for (const Mlp& mlp : side.shape.ffn.mlps) {
    if (mlp.role == MlpRole::routed) {
      const GroupLoad load = load_of(mlp, work, side.machine);
      mlps.groups[0] =
          side.group(mlp, busiest_pairs(load, work.balance), load.busiest_group_active);
    } else if (mlp.role == MlpRole::dense || work.shared == SharedExperts::fused) {
      const double rows = work.total_tokens / real(work.groups) * real(mlp.active);
      mlps.groups[1] = side.group(mlp, rows, real(mlp.copies));
    }
  }
  mlps.grouped = mlps.groups[0].rows > 0;
  return mlps;
}

/// What the engine launches, shared experts included where they run in the experts' kernels.
template <class Ops>
void add_launches(FfnStage<Ops>& side, const FfnWork& work) {
  if (!side.machine.launches()) return;
  const LaunchedKernels& kernels = side.machine.engine->time.kernels;
  const bool fused = work.shared == SharedExperts::fused;
  side.ops.add(launched(ffn_launches(side.shape, side.machine) +
                            (fused ? shared_launches(side.shape, kernels) : 0) +
                            (work.router ? kernels.router : 0),
                        side.machine));
}

template <class Ops>
Ops ffn_side(FfnStage<Ops> side, const FfnWork& work) {
  if (side.shape.ffn.mlps.empty()) return side.ops;
  const double n = real(work.instance), others = (n - 1) / n;
  const MlpWork mlps = mlps_of(side, work);
  const double seen =
      work.tokens * share_with_work(side.shape.ffn, work.groups, mlps.groups[1].rows > 0);
  const bool collectives = work.collectives && work.instance > 1;
  if (work.router) add_router(side.ops, side.model, side.shape, work.tokens / n, side.machine);
  if (collectives) {
    const Bytes gathered = seen * others * dispatch_bytes(side.model, side.shape);
    side.ops.add(collective({"all-gather", gathered, work.instance, work.overlap != Overlap::none},
                            side.machine));
  }
  add_latent(side, seen, real(work.tensor));
  add_adapter(side, seen, real(work.tensor));
  side.add_mlps(mlps);
  add_launches(side, work);
  if (collectives) {
    const Bytes scattered = size_of(between_kernels, seen * real(side.model.hidden)) * others;
    side.ops.add(collective(
        {"reduce-scatter", scattered, work.instance, work.overlap == Overlap::all}, side.machine));
  }
  return side.ops;
}

}  // namespace

OpList ffn_ops(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
               const Machine& machine) {
  return ffn_side(FfnStage<OpList>{model, shape, machine}, work);
}

Seconds ffn_time(const ModelSpec& model, const LayerShape& shape, const FfnWork& work,
                 const Machine& machine) {
  return ffn_side(FfnStage<OpTime>{model, shape, machine}, work).time();
}

namespace {

template <class Ops>
Ops mlps_alone(FfnStage<Ops> side, const MlpsWork& work) {
  const LayerShape& shape = side.shape;
  const Machine& machine = side.machine;
  double launches = 0;
  for (const Mlp& mlp : shape.ffn.mlps) {
    if (mlp.role != work.role) continue;
    const MlpGroup group = side.group(mlp, work.tokens * real(mlp.active), real(mlp.copies));
    if (work.role == MlpRole::dense) add_adapter(side, work.tokens, work.tensor);
    side.add_mlps({.groups = {group}, .shard = work.tensor, .compute = shape.ffn_compute});
    launches = work.role == MlpRole::shared ? shared_launches(shape, machine.engine->time.kernels)
                                            : ffn_launches(shape, machine);
  }
  if (machine.launches() && launches > 0) side.ops.add(launched(launches, machine));
  return side.ops;
}

}  // namespace

OpList mlp_ops(const ModelSpec& model, const LayerShape& shape, const MlpsWork& work,
               const Machine& machine) {
  return mlps_alone(FfnStage<OpList>{model, shape, machine}, work);
}

Seconds mlp_time(const ModelSpec& model, const LayerShape& shape, const MlpsWork& work,
                 const Machine& machine) {
  return mlps_alone(FfnStage<OpTime>{model, shape, machine}, work).time();
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
