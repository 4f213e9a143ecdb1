#pragma once
// The router of an MoE layer: a product of every token with one column an expert, top-k, and the
// tokens packed by expert.

#include "kernels/shapes.hpp"
#include "layer/shape.hpp"

namespace afford {

/// Adds it for those rows of an accelerator. Its weights stay in BF16: published FP8 checkpoints
/// (DeepSeek-V3, Qwen3-235B-A22B-FP8, MiniMax-M2.5) leave `mlp.gate` unquantised.
template <class Ops>
void add_router(Ops& ops, const ModelSpec& model, const LayerShape& shape, const Rows& rows) {
  const double hidden = real(model.hidden), experts = real(shape.ffn.router_outputs);
  constexpr Dtype format = Dtype::bf16;
  const double inout = 2;
  ops.add(DenseShape{.name = "router",
                     .inputs = hidden,
                     .outputs = experts,
                     .weights = format,
                     .compute = format,
                     .rows = rows,
                     .in = {.rows = rows, .values = hidden, .bytes = bytes_of(format)},
                     .out = {.rows = rows, .values = experts, .bytes = bytes_of(between_kernels)}});
  ops.add(SmallShape{
      .name = "top-k, pack",
      .moved = {.rows = rows, .values = hidden, .bytes = inout * bytes_of(between_kernels)},
      .kernels = ops.machine().engine->kernels.top_k_pack});
}

}  // namespace afford
