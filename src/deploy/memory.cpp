#include "deploy/memory.hpp"

#include <cmath>

namespace afford {
namespace {
double real(std::int64_t n) { return static_cast<double>(n); }
}  // namespace

Bytes cache_per_request(const Setting& setting) {
  Bytes sum;
  Bytes largest_layer;
  for (const LayerShape& shape : *setting.shapes) {
    const AttentionCount& a = shape.attention;
    const double own = a.keeps_cache ? a.elements_per_context_token * kept(a.reach, setting.context) : 0;
    Bytes layer = size_of(shape.cache, own + a.state_elements / 2) +
                  size_of(Dtype::bf16, a.conv_elements - a.conv_written);
    for (const ContextTerm& walk : a.more) {
      layer += size_of(walk.format.value_or(shape.cache),
                       walk.elements * kept(walk.reach, setting.context / walk.stride));
    }
    sum += real(shape.layers) * layer;
    largest_layer = std::max(largest_layer, layer);
  }
  return sum + (setting.speculation.drafts > 0 ? largest_layer : Bytes(0));  // the MTP module's own layer
}

Bytes attention_weights(const ModelSpec& model, const std::vector<LayerShape>& shapes,
                        const WeightWays& ways) {
  Bytes sum;
  for (const LayerShape& shape : shapes) {
    double weights = 0;
    for (size_t i = 0; i < shape.attention.projections.size(); ++i) {
      const bool last = i + 1 == shape.attention.projections.size();
      weights +=
          weights_of(shape.attention.projections[i]) / real(ways.tensor) / (last ? real(ways.output) : 1);
    }
    weights += real(model.hidden) * real(shape.ffn.router_outputs);
    sum += real(shape.layers) * size_of(model.precision.attention_weights, weights);
  }
  const double vocabulary = real(model.vocab) * real(model.hidden) * (model.tied_embeddings ? 1 : 2);
  return sum + size_of(Dtype::bf16, vocabulary / real(ways.vocabulary));
}

Bytes ffn_weights(const ModelSpec& model, const std::vector<LayerShape>& shapes, std::int64_t tensor,
                  std::int64_t groups, std::int64_t redundant) {
  Bytes sum;
  for (const LayerShape& shape : shapes) {
    Bytes layer = size_of(shape.ffn_weights, latent_weights(shape.ffn, model.hidden));
    for (const GatedMlp& mlp : shape.ffn.mlps) {
      const bool routed = mlp.name == "routed";
      const double held = routed ? std::ceil(real(mlp.copies + redundant) / real(groups)) : real(mlp.copies);
      layer += size_of(mlp.name == "shared" ? shape.shared_weights : shape.ffn_weights,
                       held * weights_of(mlp, 1, model.hidden));
    }
    sum += real(shape.layers) * layer / real(tensor);
  }
  return sum;
}

}  // namespace afford
