#include "count/ffn.hpp"

#include "units.hpp"

namespace afford {

double inputs_of(const Mlp& mlp, std::int64_t hidden) {
  return real(mlp.inputs > 0 ? mlp.inputs : hidden);
}

double weights_of(const Mlp& mlp, std::int64_t copies, std::int64_t hidden) {
  const double matrices = mlp.matrices_up() + 1;
  return matrices * inputs_of(mlp, hidden) * real(mlp.intermediate) * real(copies);
}

double latent_weights(const FfnCount& ffn, std::int64_t hidden) {
  return 2 * real(hidden) * real(ffn.latent);
}

double adapter_weights(const FfnCount& ffn, std::int64_t hidden) {
  if (ffn.adapter == 0) return 0;
  const Mlp& mlp = ffn.mlps.front();
  return real(ffn.adapter) * (real(hidden) + mlp.matrices_up() * real(mlp.intermediate));
}

double active_weights(const FfnCount& ffn, std::int64_t hidden) {
  double sum = latent_weights(ffn, hidden) + adapter_weights(ffn, hidden);
  for (const Mlp& mlp : ffn.mlps) sum += weights_of(mlp, mlp.active, hidden);
  return sum;
}

double total_weights(const FfnCount& ffn, std::int64_t hidden) {
  double sum = latent_weights(ffn, hidden) + adapter_weights(ffn, hidden);
  for (const Mlp& mlp : ffn.mlps) sum += weights_of(mlp, mlp.copies, hidden);
  return sum;
}

double visited_experts(const FfnCount& ffn) {
  double experts = 0;
  for (const Mlp& mlp : ffn.mlps) experts += mlp.role == MlpRole::routed ? real(mlp.active) : 0;
  return experts;
}

}  // namespace afford
