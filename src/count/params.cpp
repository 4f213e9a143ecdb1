#include "count/params.hpp"

#include <cmath>

#include "count/ffn.hpp"

namespace afford {
namespace {

double vocabulary_params(const ModelSpec& model, VocabularyParts parts) {
  const double matrix = real(model.vocab) * real(model.hidden);
  if (model.tied_embeddings) return parts.embedding || parts.lm_head ? matrix : 0;
  return matrix * ((parts.embedding ? 1 : 0) + (parts.lm_head ? 1 : 0));
}

/// A kind of layer with its counts. Layers that share sets of weights hold what stands apart each,
/// and the rest as often as there are sets.
struct Counted {
  const AttentionSpec& attention_spec;
  const FfnSpec& ffn_spec;
  AttentionCount attention;
  FfnCount ffn;
  double layers, attention_sets, ffn_sets;

  Counted(const ModelSpec& model, const LayerKind& kind)
      : attention_spec(model.attentions[kind.attention]),
        ffn_spec(model.ffns[kind.ffn]),
        attention(count_attention(attention_spec.shape, model.hidden, Convention::exact)),
        ffn(count_ffn(ffn_spec.shape)),
        layers(real(kind.layers)),
        attention_sets(real(layers_with_weights(attention_spec, kind.layers))),
        ffn_sets(real(layers_with_weights(ffn_spec, kind.layers))) {}

  [[nodiscard]] double projections() const {
    double sum = 0;
    for (const Matrix& matrix : attention.projections)
      sum += (matrix.apart ? layers : attention_sets) * weights_of(matrix);
    return sum;
  }
};

double params(const ModelSpec& model, VocabularyParts parts,
              double (*ffn_weights)(const FfnCount&, std::int64_t)) {
  const double hidden = real(model.hidden);
  double sum = vocabulary_params(model, parts) + hidden;  // the final norm
  for (const LayerKind& kind : model.layer_kinds) {
    const Counted layer(model, kind);
    const double norms = 2 * hidden + layer.attention.norm_weights;
    const double router = hidden * real(layer.ffn.router_outputs);
    const double adapter = adapter_weights(layer.ffn, model.hidden);
    sum += layer.projections() + layer.attention_sets * norms +
           layer.ffn_sets * (router + ffn_weights(layer.ffn, model.hidden) - adapter) +
           layer.layers * adapter;
  }
  return sum;
}

}  // namespace

double total_params(const ModelSpec& model, VocabularyParts parts) {
  double held = 0;
  for (const HeldWeights& each : model.held) held += each.params;
  return params(model, parts, total_weights) + held;
}

double active_params(const ModelSpec& model, VocabularyParts parts) {
  return params(model, parts, active_weights);
}

Bytes stored_weights(const ModelSpec& model) {
  const Precision& formats = model.precision;
  const double hidden = real(model.hidden);
  const double matrix = vocabulary_params(model, {.lm_head = false});
  Bytes sum = size_of(formats.vocabulary, matrix) + size_of(Dtype::bf16, hidden);
  if (!model.tied_embeddings) sum += size_of(head_format(model), matrix);
  std::vector<LayerKind> kinds = model.layer_kinds;
  if (model.mtp) {
    kinds.push_back(*model.mtp);
    sum += real(model.mtp->layers) * size_of(formats.attention_weights, 2 * hidden * hidden);
  }
  for (const LayerKind& kind : kinds) {
    const Counted layer(model, kind);
    const Dtype weights = weight_format(model, layer.ffn_spec);
    const Dtype shared = layer.ffn_spec.shared_weights.value_or(weights);
    Bytes ffn = size_of(Dtype::bf16, hidden * real(layer.ffn.router_outputs)) +
                size_of(shared, latent_weights(layer.ffn, model.hidden));
    for (const Mlp& mlp : layer.ffn.mlps)
      ffn += size_of(mlp.role == MlpRole::shared ? shared : weights,
                     weights_of(mlp, mlp.copies, model.hidden));
    sum += size_of(weight_format(model, layer.attention_spec), layer.projections()) +
           layer.attention_sets * size_of(Dtype::bf16, 2 * hidden + layer.attention.norm_weights) +
           layer.ffn_sets * ffn +
           layer.layers * size_of(weights, adapter_weights(layer.ffn, model.hidden));
  }
  for (const HeldWeights& held : model.held) sum += size_of(held.weights, held.params);
  return sum;
}

double active_params_as_published(const ModelSpec& model) {
  if (!model.active_params) return active_params(model);
  return active_params(model, {model.active_params->embedding, model.active_params->lm_head});
}

bool agrees(double computed, const PublishedCount& published) {
  const double deviation = std::fabs(computed - published.value);
  if (published.cut && computed >= published.value &&
      computed < published.value + published.printed_to)
    return true;
  return deviation <= 0.01 * published.value || deviation <= 0.5 * published.printed_to;
}

double sparsity(const ModelSpec& model) {
  const LayerKind* main = nullptr;
  for (const LayerKind& kind : model.layer_kinds) {
    const bool routed = std::holds_alternative<Moe>(model.ffns[kind.ffn].shape);
    if (routed && (main == nullptr || kind.layers > main->layers)) main = &kind;
  }
  if (main == nullptr) return 1;
  const FfnCount ffn = count_ffn(model.ffns[main->ffn].shape);
  return active_weights(ffn, model.hidden) / total_weights(ffn, model.hidden);
}

}  // namespace afford
