#include "deploy/weak_card.hpp"

#include <cmath>

namespace afford {

WeakCard weak_card(const ModelSpec& model, const HardwareSpec& chip, Seconds stage,
                   double context) {
  constexpr double ffn_share_of_bandwidth = 0.5;
  const auto shapes = layer_shapes(model);
  const AttentionCount& attention = shapes.front().attention;
  const double server = static_cast<double>(chip.server_accelerators.value);
  const Seconds layer_time = stage / static_cast<double>(layer_count(model));
  double weights = 0, ffn_weights = 0;
  for (const Matrix& matrix : attention.projections) {
    weights += weights_of(matrix) / (matrix.role == Role::output ? server : 1);
  }
  for (const LayerShape& shape : shapes) {
    ffn_weights += static_cast<double>(shape.layers) * total_weights(shape.ffn, model.hidden);
  }
  WeakCard card;
  card.layer = chip.memory_bandwidth.value * layer_time;
  card.projections = size_of(shapes.front().attention_weights, weights);
  card.kv = card.layer - card.projections;
  card.kv_tokens = card.kv / core_kept(attention.core, shapes.front().cache, 1).cache;
  card.batch = std::floor(card.kv_tokens / context);
  card.ffn_layer = ffn_share_of_bandwidth * card.layer;
  const Bytes per_server = server * static_cast<double>(layer_count(model)) * card.ffn_layer;
  card.ffn_servers = std::ceil(size_of(model.precision.ffn_weights, ffn_weights) / per_server);
  return card;
}

}  // namespace afford
