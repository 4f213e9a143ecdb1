#include "layer/direct_stages.hpp"

#include "layer/attention_side.hpp"
#include "layer/ffn_side.hpp"

namespace afford {
namespace {

const Links& links_of(const Machine& machine) { return machine.measured->calibration->links; }

/// Kernels of every GPU store `bytes` into another's memory: one way between pools, both ways at
/// once where all GPUs do the same.
Op stores(Bytes bytes, const DirectLayout& layout, const Machine& machine) {
  Op op{.name = "stores to other GPUs", .kernels = 0, .moved = bytes, .bound = Limit::scale_up};
  const std::string_view operation = layout.pooled ? "copy" : "exchange";
  const LinkCurve* curve = find_link(links_of(machine), operation, 2, bytes.base());
  if (bytes > Bytes(0) && curve != nullptr) op.time = curve->at(bytes.base());
  return op;
}

/// Of the FFN GPUs that a token goes to, the share that is not its own.
double others(const DirectLayout& layout) {
  return layout.pooled ? 1 : (layout.ffn - 1) / layout.ffn;
}

double kernels_of(const OpList& ops) {
  double count = 0;
  for (const Op& op : ops) count += op.kernels;
  return count;
}

DrawnExperts experts_of(const ModelSpec& model, const LayerShape& shape, double tokens,
                        const DirectLayout& layout) {
  DrawnExperts drawn{.tokens = tokens, .hidden = real(model.hidden), .weights = shape.ffn_weights};
  drawn.gpus = layout.tensor ? 1 : layout.ffn;
  const double ways = layout.shard * (layout.tensor ? layout.ffn : 1);
  double width = 0;  // of a routed one
  for (const Mlp& mlp : shape.ffn.mlps) {
    if (mlp.role != MlpRole::routed) continue;
    drawn.experts = real(mlp.copies) / drawn.gpus;
    drawn.share = real(mlp.active) / real(mlp.copies);
    width = real(mlp.intermediate);
  }
  for (const Mlp& mlp : shape.ffn.mlps) {
    if (mlp.role == MlpRole::routed) continue;
    if (width == 0) width = real(mlp.intermediate);
    drawn.shared += real(mlp.copies * mlp.intermediate) / width;  // a wide one counts as several
    drawn.shared_tokens = tokens / drawn.gpus;
  }
  drawn.intermediate = width / ways;
  return drawn;
}

/// What unlike kernels take longer to start behind one another.
Op change_over(double kernels, const Machine& machine) {
  return {.name = "changes of kernel",
          .kernels = 0,
          .time = kernels * machine.engine->runtime.change_over};
}

/// Placing, packing and summing up: their starts, hidden values read once and written for every
/// copy, BF16 results read.
Op around_experts(const DrawnExperts& drawn, const Machine& machine) {
  Op op{.name = "place, pack, sum", .kernels = machine.engine->runtime.kernels};
  const double copies = drawn.experts * drawn.share +
                        (drawn.tokens > 0 ? drawn.shared * drawn.shared_tokens / drawn.tokens : 0);
  const double value = bits_of(drawn.weights) < 9 ? 1 : 2;
  op.activations = Bytes(drawn.tokens * drawn.hidden * (value * (1 + copies) + 2 * copies));
  op.time = op.kernels * Seconds(machine.measured->small_kernel) +
            op.activations / ByteRate(machine.measured->read);
  return op;
}

}  // namespace

bool runs_direct(const Machine& machine, const LayerShape& shape) {
  const ChipTiming* measured = machine.measured;
  return machine.engine->runtime.there() && measured != nullptr && !links_of(machine).empty() &&
         measured->find(OperationClass::grouped_gemm, shape.ffn_weights) != nullptr;
}

OpList direct_attention_ops(const ModelSpec& model, const LayerShape& shape,
                            const DirectAttention& work, const DirectLayout& layout,
                            const Machine& machine) {
  OpList ops = attention_ops(model, shape,
                             {.requests = work.requests,
                              .query_tokens = work.query_tokens,
                              .context = work.context,
                              .uneven = work.uneven,
                              .partial_results = layout.ffn,
                              .router = shape.ffn.router_outputs > 0},
                             machine);
  const double tokens = work.requests * work.query_tokens;
  ops.add(change_over(kernels_of(ops), machine));
  ops.add(
      stores(tokens * others(layout) * layout.ffn * dispatch_bytes(model, shape), layout, machine));
  return ops;
}

DirectFfn direct_ffn_ops(const ModelSpec& model, const LayerShape& shape, double tokens,
                         const DirectLayout& layout, const Machine& machine) {
  constexpr double products = 2;
  const DrawnExperts drawn = experts_of(model, shape, tokens, layout);
  const DrawnTime experts = drawn_experts_time(drawn, machine);
  const auto stage = [&](Seconds of_experts) {
    OpList ops;
    ops.add(around_experts(drawn, machine));
    ops.add({.name = "experts", .kernels = products, .time = of_experts, .bound = Limit::memory});
    ops.add(change_over(machine.engine->runtime.kernels + products, machine));
    ops.add(stores(tokens * others(layout) * combine_bytes(model), layout, machine));
    return ops;
  };
  return {stage(experts.mean), stage(experts.slowest)};
}

Seconds direct_edge(const Machine& machine) { return links_of(machine).edge; }

}  // namespace afford
