#include "kernels/mlp.hpp"

#include <algorithm>

#include "kernels/dense.hpp"
#include "kernels/small.hpp"

namespace afford {
namespace {

enum class Side { up, down };

double matrices(const MlpGroup& group, Side side) {
  return side == Side::up ? group.matrices_up : 1;
}

/// One MLP's product on this side: outputs of a row, and inputs.
struct Shape {
  double outputs = 0, inputs = 0;
};
Shape shape_of(const MlpGroup& group, double shard, Side side) {
  const double width = group.intermediate / shard;
  return side == Side::up ? Shape{group.matrices_up * width, group.inputs}
                          : Shape{group.inputs, width};
}

const OperationCurve* grouped_curve(const MlpWork& work, const Machine& machine) {
  const Dtype compute = compute_format(*machine.chip, work.compute);
  return machine.curve(OperationClass::grouped_gemm, compute, compute);
}

/// A grouped GEMM on its calibrated curve: the experts alike, each with the whole tiles that its
/// mean number of tokens fills, and the shared ones.
Op on_grouped_curve(Op op, const MlpWork& work, Side side, const Machine& machine) {
  const ChipTiming& chip = *machine.measured;
  const Shape shape = shape_of(work.groups[0], work.shard, side);
  double rows = 0, tiles = 0, of_expert = 0;
  for (const MlpGroup& group : work.groups) {
    if (!(group.rows > 0)) continue;
    const GroupedTiles each = grouped_tiles(group.rows / group.mlps, shape.outputs);
    rows += group.mlps * each.rows;
    if (of_expert == 0) of_expert = each.rows;
    tiles += group.mlps * each.tiles;
  }
  const GroupedGemm asked{.bytes = op.weights.base() + from_l2(op.activations, chip),
                          .flops = 2 * rows * shape.outputs * shape.inputs,
                          .tokens = of_expert,
                          .tiles = tiles,
                          .k = shape.inputs,
                          .follows = side == Side::down};
  return timed(op, *grouped_curve(work, machine), work_of(asked, chip.sms),
               compute_format(*machine.chip, work.compute), machine);
}

/// All MLPs side by side, as one product.
DenseProduct as_dense(const MlpWork& work, Side side) {
  const MlpGroup& mlp = work.groups[1].rows > 0 ? work.groups[1] : work.groups[0];
  const double width = mlp.mlps * mlp.intermediate / work.shard;
  const bool up = side == Side::up;
  return {.rows = mlp.rows,
          .inputs = up ? mlp.inputs : width,
          .outputs = up ? mlp.matrices_up * width : mlp.inputs,
          .compute = work.compute};
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

/// What whole tiles of the experts compute, on one side. They do so at the share of a dense
/// product; kernels that widen weights have small tiles alone.
Flops tile_flops(const MlpWork& work, Side side, const Machine& machine) {
  const Engine& e = *machine.engine;
  if (!work.grouped || e.grouped_tile <= e.gemm_tile || widens(work, machine)) return Flops(0);
  double flops = 0;
  for (const MlpGroup& group : work.groups) {
    if (!(group.rows > 0)) continue;
    const double width = matrices(group, side) * group.intermediate / work.shard;
    flops += 2 * group.mlps * tile_rows(group.rows / group.mlps, e) * group.inputs * width;
  }
  return Flops(flops * e.grouped_compute / e.gemm_compute);
}

Op by_itself(std::string_view name, const MlpWork& work, Side side, const Machine& machine) {
  const Engine& e = *machine.engine;
  Op op{.name = name, .kernels = 1};
  for (const MlpGroup& group : work.groups) {
    const double width = matrices(group, side) * group.intermediate / work.shard;
    const double weights = group.inputs * width;
    op.flops += Flops(2 * computed_rows(group.rows, group.mlps * e.gemm_tile) * weights);
    op.weights += size_of(group.format, group.mlps * weights);
    op.activations += size_of(work.compute, group.rows * (group.inputs + width));
  }
  if (work.grouped && grouped_curve(work, machine) != nullptr)
    return on_grouped_curve(op, work, side, machine);
  if (!work.grouped) {
    if (const DenseCurve measured = dense_curve(work.compute, machine); measured.curve != nullptr) {
      time_on_dense_curve(op, as_dense(work, side), *measured.curve, machine);
      return op;
    }
  }
  op.uncovered = machine.measured != nullptr;
  const double compute = work.grouped ? e.grouped_compute : e.gemm_compute;
  Op computed = op;
  computed.flops = std::max(op.flops, tile_flops(work, side, machine));
  computed = timed(computed, {compute * machine.peak(work.compute), e.gemm_memory * machine.memory},
                   machine);
  computed.flops = op.flops;
  return computed;
}

Op product(std::string_view name, const MlpWork& work, Side side, const Machine& machine) {
  Op op = by_itself(name, work, side, machine);
  op.time = factor_on(work, machine) * op.time;
  return op;
}

/// All MLPs of a layer are gated, or none.
double matrices_up(const MlpWork& work) {
  return (work.groups[0].rows > 0 ? work.groups[0] : work.groups[1]).matrices_up;
}
bool gated(const MlpWork& work) { return matrices_up(work) > 1; }

}  // namespace

Op mlp_up(const MlpWork& work, const Machine& machine) {
  return product(gated(work) ? "gate, up" : "up", work, Side::up, machine);
}

Op mlp_down(const MlpWork& work, const Machine& machine) {
  return product("down", work, Side::down, machine);
}

Op mlp_activation(const MlpWork& work, const Machine& machine) {
  double results = 0;
  for (const MlpGroup& group : work.groups) results += group.rows * group.intermediate;
  const double values = (matrices_up(work) + 1) * results;  // what the GEMM before it made, too
  return elementwise({.name = gated(work) ? "SwiGLU, quantise" : "activation, quantise",
                      .bytes = size_of(between_kernels, values / work.shard),
                      .kernels = machine.engine->kernels.activation},
                     machine);
}

bool fuses_activation(const MlpWork& work, const Machine& machine) {
  return work.grouped && grouped_curve(work, machine) != nullptr;
}

}  // namespace afford
