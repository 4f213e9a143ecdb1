#include "kernels/mlp.hpp"

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

/// A grouped GEMM on its calibrated curve: the experts alike, with their mean number of tokens, and
/// the shared ones.
Op on_grouped_curve(Op op, const MlpWork& work, Side side, const Machine& machine) {
  const ChipTiming& chip = *machine.measured;
  const Shape shape = shape_of(work.groups[0], work.shard, side);
  double rows = 0, tiles = 0;
  for (const MlpGroup& group : work.groups) {
    if (!(group.rows > 0)) continue;
    const GroupedTiles each = grouped_tiles(group.rows / group.mlps, shape.outputs);
    rows += group.mlps * each.rows;
    tiles += group.mlps * each.tiles;
  }
  const GroupedGemm asked{.bytes = op.weights.base() + from_l2(op.activations, chip),
                          .flops = 2 * rows * shape.outputs * shape.inputs,
                          .tokens = work.groups[0].rows / work.groups[0].mlps,
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

Op product(std::string_view name, const MlpWork& work, Side side, const Machine& machine) {
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
    if (const DenseCurve measured = dense_curve(work.compute, machine); measured.curve != nullptr)
      return on_dense_curve(op, as_dense(work, side), *measured.curve, machine);
  }
  const double compute = work.grouped ? e.grouped_compute : e.gemm_compute;
  return timed(op, {compute * machine.peak(work.compute), e.gemm_memory * machine.memory}, machine);
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
