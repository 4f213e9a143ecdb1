#include "layer/launches.hpp"

#include <algorithm>

namespace afford {
namespace {

bool has_indexer(const AttentionCount& attention) {
  const auto walks = attention.core.walks();
  return std::any_of(walks.begin(), walks.end(),
                     [](const Walk& walk) { return walk.by == Walk::By::indexer; });
}

double attention_kernels(const AttentionCount& attention, bool quantised,
                         const LaunchedKernels& kernels) {
  const double gqa_inputs = quantised ? kernels.quantise_gqa : 0;
  if (attention.core.state.elements > 0) return kernels.recurrent + gqa_inputs;
  if (attention.curve != OperationClass::mla_decode) return kernels.gqa + gqa_inputs;
  return kernels.mla + (has_indexer(attention) ? kernels.indexer : 0) +
         (quantised ? kernels.quantise_mla + kernels.mla_blocks : 0);
}

}  // namespace

double attention_launches(const LayerShape& shape, bool router, const LaunchedKernels& kernels) {
  const bool quantised = shape.linear_compute != Dtype::bf16;
  return attention_kernels(shape.attention, quantised, kernels) + (router ? kernels.router : 0);
}

double ffn_launches(const LayerShape& shape, const Machine& machine) {
  if (shape.ffn.mlps.empty()) return 0;
  const LaunchedKernels& kernels = machine.engine->time.kernels;
  const double quantise = shape.ffn_compute != Dtype::bf16 ? kernels.quantise_ffn : 0;
  if (shape.ffn.router_outputs == 0) return kernels.dense + quantise;
  const bool fused = shape.ffn_weights == Dtype::mxfp4 &&
                     widened(*machine.chip, shape.ffn_weights, shape.ffn_compute);
  return std::max(0.0, kernels.moe - (fused ? kernels.mxfp4_fused : 0)) + quantise;
}

double shared_launches(const LayerShape& shape, const LaunchedKernels& kernels) {
  double count = 0;
  for (const Mlp& mlp : shape.ffn.mlps) count += mlp.role == MlpRole::shared ? kernels.shared : 0;
  return count;
}

}  // namespace afford
