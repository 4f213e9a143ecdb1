#include "deploy/memory.hpp"

#include <algorithm>
#include <cmath>

#include "deploy/cache_pages.hpp"

namespace afford {
namespace {

/// How often a kind of layer is held: with drafts the MTP module is one more of the main kind. A
/// stage has a share of the layers, and all sets of weights that these may use.
double held(const Setting& setting, size_t kind, std::int64_t LayerShape::*sets, double stage) {
  const bool draft = setting.speculation.drafts > 0 && kind == main_kind(*setting.shapes);
  const LayerShape& shape = (*setting.shapes)[kind];
  const double extra = draft ? 1 : 0;
  return std::min(real(shape.*sets) + extra, stage * (real(shape.layers) + extra));
}

/// Whole MLPs' worth of weights of one accelerator.
double copies_held(const Mlp& mlp, const Setting& setting, const FfnWays& ways) {
  if (mlp.role == MlpRole::dense) return real(mlp.copies) / real(ways.dense);
  if (mlp.role == MlpRole::shared) return real(mlp.copies) / real(ways.shared);
  const std::int64_t redundant = ways.groups > 1 ? setting.redundant_experts : 0;
  return std::ceil(real(mlp.copies + redundant) / real(ways.groups)) / real(ways.tensor);
}

Bytes layer_cache(const LayerShape& shape, double context, double tensor) {
  return core_kept(shape.attention.core, shape.cache, context).total() /
         std::min<double>(tensor, shape.attention.kv_heads);
}

/// The MTP module's own layer, where it drafts.
Bytes draft_cache(const Setting& setting, double tensor) {
  if (setting.speculation.drafts == 0) return Bytes(0);
  Bytes largest;
  for (const LayerShape& shape : *setting.shapes)
    largest = std::max(largest, layer_cache(shape, setting.context, tensor));
  return largest;
}

}  // namespace

Bytes cache_of_request(const Setting& setting, double tensor) {
  Bytes sum;
  for (const LayerShape& shape : *setting.shapes)
    sum += real(shape.layers) * layer_cache(shape, setting.context, tensor);
  return sum + draft_cache(setting, tensor);
}

Bytes cache_per_request(const Setting& setting, const Engine& engine, const CacheWays& ways) {
  const CachePages& pages = engine.memory.pages;
  const double tensor = real(ways.tensor), context = real(ways.context);
  if (!(pages.tokens > 0)) return cache_of_request(setting, tensor) / context;
  const KeptKinds kinds = kept_kinds(*setting.shapes, tensor);
  if (kinds.mixed) return cache_of_request(setting, tensor) / context;
  return (paged_cache(kinds, pages, setting.context) + draft_cache(setting, tensor)) / context;
}

Bytes attention_weights(const Setting& setting, const WeightWays& ways) {
  Bytes sum;
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind) {
    const LayerShape& shape = (*setting.shapes)[kind];
    double shared = 0, apart = 0;
    for (const Matrix& matrix : shape.attention.projections) {
      (matrix.apart ? apart : shared) += weights_of(matrix) /
                                         tensor_ways(matrix, shape.attention, ways.tensor) /
                                         (matrix.role == Role::output ? real(ways.output) : 1);
    }
    sum += size_of(shape.attention_weights,
                   held(setting, kind, &LayerShape::attention_sets, ways.stage) * shared +
                       held(setting, kind, &LayerShape::layers, ways.stage) * apart);
  }
  return sum + router_weights(setting, ways.stage) + vocabulary_weights(setting, ways.vocabulary) +
         held_weights(setting, ways.vocabulary);
}

Bytes router_weights(const Setting& setting, double stage) {
  const ModelSpec& model = *setting.model;
  Bytes sum;
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind) {
    const double outputs = real((*setting.shapes)[kind].ffn.router_outputs);
    sum += held(setting, kind, &LayerShape::ffn_sets, stage) *
           size_of(model.precision.attention_weights, real(model.hidden) * outputs);
  }
  return sum;
}

Bytes vocabulary_weights(const Setting& setting, std::int64_t ways) {
  const ModelSpec& model = *setting.model;
  const double matrix = real(model.vocab) * real(model.hidden) / real(ways);
  const Bytes embedding = size_of(model.precision.vocabulary, matrix);
  return model.tied_embeddings ? embedding : embedding + size_of(head_format(model), matrix);
}

Bytes held_weights(const Setting& setting, std::int64_t ways) {
  Bytes sum;
  for (const HeldWeights& held : setting.model->held)
    sum += size_of(held.weights, held.params / real(ways));
  return sum;
}

FfnWays ffn_ways(const Layout& layout) {
  const bool whole = ffn_traffic(layout, true) == FfnTraffic::exchange;
  return {.tensor = layout.expert_tp,
          .groups = layout.expert_ep,
          .shared = whole ? 1 : layout.dense_tp(),
          .dense = layout.dense_tp()};
}

Bytes ffn_weights(const Setting& setting, std::int64_t tensor, std::int64_t groups) {
  return ffn_weights(setting,
                     {.tensor = tensor, .groups = groups, .shared = tensor, .dense = tensor});
}

Bytes ffn_weights(const Setting& setting, const FfnWays& ways) {
  const std::int64_t hidden = setting.model->hidden;
  Bytes sum;
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind) {
    const LayerShape& shape = (*setting.shapes)[kind];
    Bytes layer = size_of(shape.ffn_weights, latent_weights(shape.ffn, hidden)) / real(ways.tensor);
    for (const Mlp& mlp : shape.ffn.mlps) {
      layer += size_of(mlp.role == MlpRole::shared ? shape.shared_weights : shape.ffn_weights,
                       copies_held(mlp, setting, ways) * weights_of(mlp, 1, hidden));
    }
    const Bytes adapter =
        size_of(shape.ffn_weights, adapter_weights(shape.ffn, hidden)) / real(ways.dense);
    sum += held(setting, kind, &LayerShape::ffn_sets, ways.stage) * layer +
           held(setting, kind, &LayerShape::layers, ways.stage) * adapter;
  }
  return sum;
}

Bytes mlp_weights(const Setting& setting, MlpRole role, double ways) {
  Bytes sum;
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind) {
    const LayerShape& shape = (*setting.shapes)[kind];
    for (const Mlp& mlp : shape.ffn.mlps) {
      if (mlp.role != role) continue;
      const Dtype format = role == MlpRole::shared ? shape.shared_weights : shape.ffn_weights;
      const double weights = real(mlp.copies) / ways * weights_of(mlp, 1, setting.model->hidden);
      sum += held(setting, kind, &LayerShape::ffn_sets, 1) * size_of(format, weights);
    }
    if (role == MlpRole::dense) {
      sum += held(setting, kind, &LayerShape::layers, 1) *
             size_of(shape.ffn_weights, adapter_weights(shape.ffn, setting.model->hidden) / ways);
    }
  }
  return sum;
}

UsableMemory usable_memory_of(const Engine& engine, const HardwareSpec& chip, Bytes weights) {
  const Engine::Memory& rule = engine.memory;
  const Bytes whole = rule.of_visible ? seen_memory(chip) : chip.memory_size.value;
  const Bytes reserve = std::min(rule.reserve, rule.most_reserved * whole);
  if (!rule.behind_weights) return {rule.usable * whole - reserve, whole};
  const Bytes left = whole - reserve - weights;
  return {left > Bytes(0) ? weights + rule.usable * left : whole - reserve, whole};
}

std::int64_t most_requests(Bytes capacity, Bytes fixed, Bytes each) {
  return static_cast<std::int64_t>(std::max(0.0, std::floor((capacity - fixed) / each)));
}

}  // namespace afford
