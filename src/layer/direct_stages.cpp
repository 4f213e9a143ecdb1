#include "layer/direct_stages.hpp"

#include "layer/attention_side.hpp"
#include "layer/ffn_side.hpp"

namespace afford {
namespace {

const Links& links_of(const Machine& machine) { return machine.measured->calibration->links; }

/// Kernels of every GPU store `bytes` into another's memory: one way between pools, both ways at
/// once where all GPUs do the same.
Seconds stores(Bytes bytes, const DirectLayout& layout, const Machine& machine) {
  if (bytes == Bytes(0)) return Seconds(0);
  const std::string_view operation = layout.pooled ? "copy" : "exchange";
  const LinkCurve* curve = find_link(links_of(machine), operation, 2, bytes.base());
  return curve == nullptr ? Seconds(0) : curve->at(bytes.base());
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
  DrawnExperts drawn{
      .tokens = tokens, .hidden = real(model.hidden), .weights = shape.ffn_weights};
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

/// Placing, packing and summing up: their starts, hidden values read once and written for every
/// copy, BF16 results read and stored.
Seconds around_experts(const DrawnExperts& drawn, Bytes returned, const DirectLayout& layout,
                       const Machine& machine) {
  const DirectRuntime& runtime = machine.engine->runtime;
  const double copies = drawn.experts * drawn.share +
                        (drawn.tokens > 0 ? drawn.shared * drawn.shared_tokens / drawn.tokens : 0);
  const double value = bits_of(drawn.weights) < 9 ? 1 : 2;
  const Bytes moved(drawn.tokens * drawn.hidden * (value * (1 + copies) + 2 * copies));
  constexpr double products = 2;
  return runtime.kernels * Seconds(machine.measured->small_kernel) +
         (runtime.kernels + products) * runtime.change_over +
         moved / ByteRate(machine.measured->read) + stores(returned, layout, machine);
}

}  // namespace

bool runs_direct(const Machine& machine) {
  return machine.engine->runtime.there() && machine.measured != nullptr &&
         !links_of(machine).empty();
}

OpList direct_attention_ops(const ModelSpec& model, const LayerShape& shape,
                            const DirectAttention& work, const DirectLayout& layout,
                            const Machine& machine) {
  return attention_ops(model, shape,
                       {.requests = work.requests,
                        .query_tokens = work.query_tokens,
                        .context = work.context,
                        .partial_results = layout.ffn,
                        .router = shape.ffn.router_outputs > 0,
                        .experts = shape.ffn.router_outputs},
                       machine);
}

Seconds direct_attention_time(const ModelSpec& model, const LayerShape& shape,
                              const DirectAttention& work, const DirectLayout& layout,
                              const Machine& machine) {
  const OpList ops = direct_attention_ops(model, shape, work, layout, machine);
  const double tokens = work.requests * work.query_tokens;
  const Bytes sent = tokens * others(layout) * layout.ffn * dispatch_bytes(model, shape);
  return ops.time() + kernels_of(ops) * machine.engine->runtime.change_over +
         stores(sent, layout, machine);
}

DrawnTime direct_ffn_time(const ModelSpec& model, const LayerShape& shape, double tokens,
                          const DirectLayout& layout, const Machine& machine) {
  const DrawnExperts drawn = experts_of(model, shape, tokens, layout);
  const Bytes returned = tokens * others(layout) * combine_bytes(model);
  const Seconds around = around_experts(drawn, returned, layout, machine);
  const DrawnTime experts = drawn_experts_time(drawn, machine);
  return {around + experts.mean, around + experts.slowest};
}

Seconds direct_edge(const Machine& machine) { return links_of(machine).edge; }

}  // namespace afford
