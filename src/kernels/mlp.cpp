#include "kernels/mlp.hpp"

#include <algorithm>

#include "kernels/dense.hpp"

namespace afford {
namespace {

using Side = MlpProduct::Side;

/// Null where there is none, or nothing is grouped.
const OperationCurve* grouped_curve(const MlpWork& work, const Machine& machine) {
  if (!work.grouped) return nullptr;
  const Dtype compute = compute_format(*machine.chip, work.compute);
  return machine.curve(OperationClass::grouped_gemm, compute, compute);
}

bool widens(const MlpWork& work, const Machine& machine) {
  return widened(*machine.chip, work.groups[0].format, work.compute);
}

/// The engine's factor on what a roof or a curve gives.
double factor_on(const MlpWork& work, const Machine& machine) {
  if (!work.grouped) return machine.dense;
  return machine.grouped * (machine.narrow != 1 && widens(work, machine) ? machine.narrow : 1);
}

/// Rows of the tile that an engine's grouped GEMM takes at `rows` an expert: the smallest one for
/// few, wgmma's for many, and between half of the smallest and the smallest, where engines change
/// over, the mean of both.
double tile_rows(double rows, const Engine& e) {
  const double few = e.gemm_tile / 2;
  const double large = std::clamp((rows - few) / (e.gemm_tile - few), 0.0, 1.0);
  return e.gemm_tile + large * (e.grouped_tile - e.gemm_tile);
}

/// The group of which there is something.
const MlpGroup& first_group(const MlpWork& work) {
  return work.groups[0].rows > 0 ? work.groups[0] : work.groups[1];
}
/// All MLPs of a layer are gated, or none.
double matrices_up(const MlpWork& work) { return first_group(work).matrices_up; }
bool gated(const MlpWork& work) { return matrices_up(work) > 1; }

GroupRows rows_of(const MlpWork& work) {
  return {MlpRows{work.groups[0].rows, work.groups[0].mlps},
          MlpRows{work.groups[1].rows, work.groups[1].mlps}};
}

GroupTilings tilings_of(const GroupRows& rows) {
  GroupTilings tilings;
  for (size_t g = 0; g < rows.size(); ++g) {
    if (rows[g].rows > 0) tilings[g] = grouped_tiling(rows[g].rows / rows[g].mlps);
  }
  return tilings;
}

/// The group that a dense product is of.
size_t dense_group(const MlpWork& work) { return work.groups[1].rows > 0 ? 1 : 0; }

}  // namespace

MlpProduct::MlpProduct(const MlpWork& work, Side side, const Machine& machine)
    : down_(side == Side::down),
      name_(down_         ? "down"
            : gated(work) ? "gate, up"
                          : "up"),
      tile_(machine.engine->gemm_tile),
      factor_(factor_on(work, machine)),
      compute_(work.compute),
      runs_in_(compute_format(*machine.chip, work.compute)),
      grouped_(grouped_curve(work, machine)),
      dense_group_(dense_group(work)) {
  for (size_t g = 0; g < groups_.size(); ++g) {
    const MlpGroup& group = work.groups[g];
    const double width = (down_ ? 1 : group.matrices_up) * group.intermediate / work.shard;
    groups_[g] = {width, group.inputs, group.inputs * width, group.format};
  }
  if (grouped_ != nullptr) {
    const MlpGroup& mlp = work.groups[0];
    const double width = mlp.intermediate / work.shard;
    outputs_ = down_ ? mlp.inputs : mlp.matrices_up * width;
    inputs_ = down_ ? width : mlp.inputs;
    return;
  }
  const DenseCurve measured = dense_curve(work.compute, machine);
  if (!work.grouped && measured.curve != nullptr) {
    // All MLPs side by side, as one product.
    const MlpGroup& mlp = work.groups[dense_group_];
    const double width = mlp.mlps * mlp.intermediate / work.shard;
    const double bytes = totals(rows_of(work)).weights.base();
    dense_.emplace(down_ ? DenseMatrix{width, mlp.inputs, bytes}
                         : DenseMatrix{mlp.inputs, mlp.matrices_up * width, bytes},
                   *measured.curve, measured.compute, machine);
    return;
  }
  const Engine& e = *machine.engine;
  whole_tiles_ = work.grouped && e.grouped_tile > e.gemm_tile && !widens(work, machine);
  const double compute = work.grouped ? e.grouped_compute : e.gemm_compute;
  reached_ = {compute * machine.peak(work.compute), e.gemm_memory * machine.memory};
}

Op MlpProduct::totals(const GroupRows& rows) const {
  Op op{.name = name_, .kernels = 1};
  for (size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    const MlpRows& there = rows[g];
    op.flops += Flops(2 * computed_rows(there.rows, there.mlps * tile_) * group.weights);
    op.weights += size_of(group.format, there.mlps * group.weights);
  }
  op.activations = activations(rows);
  return op;
}

Bytes MlpProduct::activations(const GroupRows& rows) const {
  Bytes sum;
  for (size_t g = 0; g < groups_.size(); ++g)
    sum += size_of(compute_, rows[g].rows * (groups_[g].inputs + groups_[g].width));
  return sum;
}

/// A grouped GEMM on its calibrated curve: the experts alike, each with the whole tiles that its
/// mean number of tokens fills, and the shared ones.
OperationWork MlpProduct::on_tiles(const Op& op, const GroupRows& rows, const GroupTilings& tilings,
                                   const ChipTiming& chip) const {
  double computed = 0, tiles = 0, of_expert = 0;
  for (size_t g = 0; g < rows.size(); ++g) {
    if (!(rows[g].rows > 0)) continue;
    const double mlps = rows[g].mlps;
    const GroupedTiles each = grouped_tiles(tilings[g], rows[g].rows / mlps, outputs_);
    computed += mlps * each.rows;
    if (of_expert == 0) of_expert = each.rows;
    tiles += mlps * each.tiles;
  }
  const GroupedGemm asked{.bytes = op.weights.base() + from_l2(op.activations, chip),
                          .flops = 2 * computed * outputs_ * inputs_,
                          .tokens = of_expert,
                          .tiles = tiles,
                          .k = inputs_,
                          .follows = down_};
  return work_of(asked, chip.sms);
}

/// What whole tiles of the experts compute. They do so at the share of a dense product; kernels
/// that widen weights have small tiles alone.
Flops MlpProduct::tile_flops(const GroupRows& rows, const Engine& e) const {
  if (!whole_tiles_) return Flops(0);
  double flops = 0;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const auto& [there, mlps] = rows[g];
    if (!(there > 0)) continue;
    flops += 2 * mlps * tile_rows(there / mlps, e) * groups_[g].inputs * groups_[g].width;
  }
  return Flops(flops * e.grouped_compute / e.gemm_compute);
}

Op MlpProduct::on_roofs(const Op& op, const GroupRows& rows, const Machine& machine) const {
  Op computed = op;
  computed.flops = std::max(op.flops, tile_flops(rows, *machine.engine));
  computed = timed(computed, reached_, machine);
  computed.flops = op.flops;
  return computed;
}

Op MlpProduct::op(const GroupRows& rows, const Machine& machine) {
  Op op = totals(rows);
  if (grouped_ != nullptr) {
    const OperationWork work = on_tiles(op, rows, tilings_of(rows), *machine.measured);
    op = timed(op, *grouped_, work, runs_in_, machine);
  } else if (dense_) {
    dense_->fill(op, rows[dense_group_].rows, machine);
  } else {
    op.uncovered = machine.measured != nullptr;
    op = on_roofs(op, rows, machine);
  }
  op.time = factor_ * op.time;
  return op;
}

Seconds MlpProduct::time(const GroupRows& rows, const GroupTilings& tilings,
                         const Machine& machine) {
  if (dense_) return factor_ * dense_->time(rows[dense_group_].rows, activations(rows));
  const Op op = totals(rows);
  if (grouped_ != nullptr) {
    const OperationWork work = on_tiles(op, rows, tilings, *machine.measured);
    return factor_ * timed(op, *grouped_, work, runs_in_, machine).time;
  }
  return factor_ * on_roofs(op, rows, machine).time;
}

Op mlp_up(const MlpWork& work, const Machine& machine) {
  return MlpProduct(work, Side::up, machine).op(rows_of(work), machine);
}

Op mlp_down(const MlpWork& work, const Machine& machine) {
  return MlpProduct(work, Side::down, machine).op(rows_of(work), machine);
}

MlpActivation::MlpActivation(const MlpWork& work, const Machine& machine)
    : intermediate_{work.groups[0].intermediate, work.groups[1].intermediate},
      values_(matrices_up(work) + 1),
      shard_(work.shard),
      kernel_(machine.engine->kernels.activation, machine) {}

Bytes MlpActivation::moved(const GroupRows& rows) const {
  double results = 0;
  for (size_t g = 0; g < rows.size(); ++g) results += rows[g].rows * intermediate_[g];
  return size_of(between_kernels, values_ * results / shard_);
}

Op mlp_activation(const MlpWork& work, const Machine& machine) {
  return elementwise({.name = gated(work) ? "SwiGLU, quantise" : "activation, quantise",
                      .bytes = MlpActivation(work, machine).moved(rows_of(work)),
                      .kernels = machine.engine->kernels.activation},
                     machine);
}

bool fuses_activation(const MlpWork& work, const Machine& machine) {
  return grouped_curve(work, machine) != nullptr;
}

MlpKernels::MlpKernels(const MlpWork& work, const Machine& machine)
    : up_(work, Side::up, machine),
      down_(work, Side::down, machine),
      activation_(work, machine),
      on_tiles_(fuses_activation(work, machine)) {}

MlpKernels::Times MlpKernels::times(const GroupRows& rows, const Machine& machine) {
  const GroupTilings tilings = on_tiles_ ? tilings_of(rows) : GroupTilings{};
  return {.up = up_.time(rows, tilings, machine),
          .activation = on_tiles_ ? Seconds(0) : activation_.time(rows),
          .down = down_.time(rows, tilings, machine)};
}

}  // namespace afford
