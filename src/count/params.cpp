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

double params(const ModelSpec& model, VocabularyParts parts,
              double (*ffn_weights)(const FfnCount&, std::int64_t)) {
  const double hidden = real(model.hidden);
  double sum = vocabulary_params(model, parts) + hidden;  // the final norm
  for (const LayerKind& kind : model.layer_kinds) {
    const AttentionCount attention =
        count_attention(model.attentions[kind.attention].shape, model.hidden, Convention::exact);
    const FfnCount ffn = count_ffn(model.ffns[kind.ffn].shape);
    const double norms = 2 * hidden + attention.norm_weights;
    const double router = hidden * real(ffn.router_outputs);
    sum += real(kind.layers) *
           (weights_of(attention.projections) + norms + router + ffn_weights(ffn, model.hidden));
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
  Bytes sum =
      size_of(formats.vocabulary, vocabulary_params(model, {})) + size_of(Dtype::bf16, hidden);
  std::vector<LayerKind> kinds = model.layer_kinds;
  if (model.mtp) {
    kinds.push_back(*model.mtp);
    sum += real(model.mtp->layers) * size_of(formats.attention_weights, 2 * hidden * hidden);
  }
  for (const LayerKind& kind : kinds) {
    const FfnSpec& spec = model.ffns[kind.ffn];
    const AttentionCount attention =
        count_attention(model.attentions[kind.attention].shape, model.hidden, Convention::exact);
    const FfnCount ffn = count_ffn(spec.shape);
    const Dtype weights = spec.weights.value_or(formats.ffn_weights);
    Bytes layer = size_of(formats.attention_weights, weights_of(attention.projections)) +
                  size_of(Dtype::bf16,
                          2 * hidden + attention.norm_weights + hidden * real(ffn.router_outputs)) +
                  size_of(spec.shared_weights.value_or(weights), latent_weights(ffn, model.hidden));
    for (const Mlp& mlp : ffn.mlps) {
      layer +=
          size_of(mlp.role == MlpRole::shared ? spec.shared_weights.value_or(weights) : weights,
                  weights_of(mlp, mlp.copies, model.hidden));
    }
    sum += real(kind.layers) * layer;
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
