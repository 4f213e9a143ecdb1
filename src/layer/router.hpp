#pragma once
// The router of an MoE layer: a product of every token with one column an expert, top-k, and the
// tokens packed by expert.

#include "kernels/dense.hpp"
#include "kernels/small.hpp"
#include "layer/shape.hpp"

namespace afford {

/// Adds it for `rows` tokens of an accelerator. Its weights stay in BF16: published FP8 checkpoints
/// (DeepSeek-V3, Qwen3-235B-A22B-FP8, MiniMax-M2.5) leave `mlp.gate` unquantised.
template <class Ops>
void add_router(Ops& ops, const ModelSpec& model, const LayerShape& shape, double rows,
                const Machine& machine) {
  const double hidden = real(model.hidden), experts = real(shape.ffn.router_outputs);
  constexpr Dtype format = Dtype::bf16;
  ops.add(dense(
      {.name = "router",
       .rows = rows,
       .inputs = hidden,
       .outputs = experts,
       .weights = format,
       .compute = format,
       .activations = size_of(format, rows * hidden) + size_of(between_kernels, rows * experts)},
      machine));
  ops.add(elementwise({.name = "top-k, pack",
                       .bytes = size_of(between_kernels, 2 * rows * hidden),  // in and out
                       .kernels = machine.engine->kernels.top_k_pack},
                      machine));
}

}  // namespace afford
