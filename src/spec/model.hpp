#pragma once
// A model as the shapes that decide what a decoded token costs. Plain data; read from YAML by
// load/model_reader.cpp, counted by count/. The kinds of attention and FFN have a file each.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "spec/attention/kinds.hpp"
#include "spec/dtype.hpp"
#include "spec/ffn/kinds.hpp"
#include "spec/source.hpp"
#include "units.hpp"

namespace afford {

struct AttentionSpec {
  std::string name;  // the user's, as the layer pattern uses it
  AttentionShape shape;
  // Where they differ from the model's precision: KV cache or state, the projections' weights, and
  // what products with these run in.
  std::optional<Dtype> cache, weights, compute;
  std::int64_t weight_sets = 0;  // that all its layers share; 0: each layer has its own
  std::string source;
};

struct FfnSpec {
  std::string name;
  FfnShape shape;
  std::string source;
  // Where they differ from precision.ffn_weights and ffn_compute; shared experts follow `weights`
  // unless they have their own.
  std::optional<Dtype> weights, shared_weights, compute;
  std::int64_t weight_sets = 0;  // that all its layers share; 0: each layer has its own
};

/// All layers with the same attention and the same FFN (indices into the lists of the model).
struct LayerKind {
  size_t attention = 0, ffn = 0;
  std::int64_t layers = 0;
};

/// What is stored and computed in which format.
struct Precision {
  Dtype attention_weights = Dtype::fp8, ffn_weights = Dtype::fp8, kv = Dtype::fp8;
  Dtype attention_compute = Dtype::fp8, linear_compute = Dtype::fp8, ffn_compute = Dtype::fp8;
  Dtype vocabulary = Dtype::bf16;  // embedding and LM head as stored; products with them are BF16
  std::optional<Dtype> lm_head{};  // where it differs from the embedding, which is not tied to it
  std::string source;
};

/// A parameter count as its publisher states it. `printed_to` is the last digit's worth: "37B" is
/// 1e9. Some publishers cut the digits behind it instead of rounding.
struct PublishedCount {
  double value = 0, printed_to = 0;
  bool cut = false;
  bool embedding = true, lm_head = true;  // whether the publisher counts them
  std::string source;
};

/// Weights that a pool holds and no decoded token multiplies with: a tower for pictures or sound, a
/// table of which a token reads a row.
struct HeldWeights {
  std::string name;
  double params = 0;
  Dtype weights = Dtype::bf16;
  std::string source;
};

struct ModelSpec {
  std::string name, title, file;
  std::vector<std::string> aliases;  // checkpoints of the same shapes, as they are published
  Sources sources;
  std::int64_t hidden = 0, vocab = 0;
  bool tied_embeddings = false;
  std::int64_t max_context = 0;  // tokens, its positions stretched; 0: not stated
  std::string shape_source;
  std::vector<AttentionSpec> attentions;
  std::vector<FfnSpec> ffns;
  std::vector<LayerKind> layer_kinds;
  std::string layers_source;
  Precision precision;
  std::vector<HeldWeights> held;
  std::vector<std::string> notes;  // what an import assumed or filled in
  std::optional<LayerKind> mtp;    // its multi-token-prediction modules, where it has any
  std::optional<PublishedCount> total_params, active_params;
};

/// The format of an attention's KV cache or state.
[[nodiscard]] inline Dtype cache_format(const ModelSpec& model, const AttentionSpec& attention) {
  return attention.cache.value_or(model.precision.kv);
}

/// The format of the LM head as stored.
[[nodiscard]] inline Dtype head_format(const ModelSpec& model) {
  return model.precision.lm_head.value_or(model.precision.vocabulary);
}

/// The formats of its projections: as stored, and of products with them.
[[nodiscard]] inline Dtype weight_format(const ModelSpec& model, const AttentionSpec& attention) {
  return attention.weights.value_or(model.precision.attention_weights);
}
[[nodiscard]] inline Dtype product_format(const ModelSpec& model, const AttentionSpec& attention) {
  return attention.compute.value_or(model.precision.linear_compute);
}
/// The same of an FFN.
[[nodiscard]] inline Dtype weight_format(const ModelSpec& model, const FfnSpec& ffn) {
  return ffn.weights.value_or(model.precision.ffn_weights);
}
[[nodiscard]] inline Dtype product_format(const ModelSpec& model, const FfnSpec& ffn) {
  return ffn.compute.value_or(model.precision.ffn_compute);
}

/// The layers of so many that hold weights of their own; the others use those of an earlier one.
template <class Spec>
[[nodiscard]] std::int64_t layers_with_weights(const Spec& spec, std::int64_t layers) {
  return spec.weight_sets > 0 ? std::min(spec.weight_sets, layers) : layers;
}

/// The routed experts of a model's largest MoE layer; 0: dense.
[[nodiscard]] inline std::int64_t most_experts(const ModelSpec& model) {
  std::int64_t experts = 0;
  for (const FfnSpec& ffn : model.ffns) {
    if (const Moe* moe = std::get_if<Moe>(&ffn.shape)) experts = std::max(experts, moe->experts);
  }
  return experts;
}
/// The numbers of routed experts that its MoE layers have, each once.
[[nodiscard]] inline std::vector<std::int64_t> numbers_of_experts(const ModelSpec& model) {
  std::vector<std::int64_t> numbers;
  for (const FfnSpec& ffn : model.ffns) {
    const Moe* moe = std::get_if<Moe>(&ffn.shape);
    if (moe != nullptr && std::find(numbers.begin(), numbers.end(), moe->experts) == numbers.end())
      numbers.push_back(moe->experts);
  }
  return numbers;
}
[[nodiscard]] inline bool has_experts(const ModelSpec& model) { return most_experts(model) > 0; }

[[nodiscard]] inline std::int64_t layer_count(const ModelSpec& model) {
  std::int64_t layers = 0;
  for (const LayerKind& kind : model.layer_kinds) layers += kind.layers;
  return layers;
}

/// The most frequent kind of layer (the first of those that tie).
[[nodiscard]] inline const LayerKind& main_layer_kind(const ModelSpec& model) {
  const LayerKind* main = &model.layer_kinds.front();
  for (const LayerKind& kind : model.layer_kinds) {
    if (kind.layers > main->layers) main = &kind;
  }
  return *main;
}

/// "mla/moe".
[[nodiscard]] inline std::string layer_name(const ModelSpec& model, size_t kind) {
  const LayerKind& layer = model.layer_kinds[kind];
  return model.attentions[layer.attention].name + "/" + model.ffns[layer.ffn].name;
}

}  // namespace afford
