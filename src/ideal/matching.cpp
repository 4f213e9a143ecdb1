#include "ideal/matching.hpp"

namespace afford {

double min_ffn_batch(FlopsPerByte ridge, Dtype weights, double sparsity) {
  const FlopsPerByte flops_per_weight_byte = 2 * flop / size_of(weights, 1);  // at a batch of one
  return ridge / flops_per_weight_byte / sparsity;
}

double min_sparsity(const ModelSpec& model, FlopsPerByte ridge, ByteRate server_network,
                    const PipelineBudget& budget) {
  constexpr double dispatch_and_combine_bytes = 1 + 2;
  const Bytes each_token = Bytes(dispatch_and_combine_bytes * static_cast<double>(model.hidden));
  const Seconds each_layer =
      budget.tpot / static_cast<double>(budget.stages) / static_cast<double>(layer_count(model));
  const double most_tokens = server_network * each_layer / each_token;
  return min_ffn_batch(ridge, model.precision.ffn_weights, 1) / most_tokens;
}

}  // namespace afford
