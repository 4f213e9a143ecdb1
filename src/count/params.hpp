#pragma once
// Parameter counts from the shapes.

#include "spec/model.hpp"

namespace afford {

/// Which of the two vocabulary matrices a count includes; publishers differ.
struct VocabularyParts {
  bool embedding = true, lm_head = true;
};

/// Every weight of the language model and those only held, MTP modules left out. Tied embeddings
/// count once.
[[nodiscard]] double total_params(const ModelSpec& model, VocabularyParts parts = {});

/// The weights one token visits.
[[nodiscard]] double active_params(const ModelSpec& model, VocabularyParts parts = {});

/// What all of them take as stored, MTP modules and weights only held among them; norms and routers
/// are BF16.
[[nodiscard]] Bytes stored_weights(const ModelSpec& model);

/// Active parameters counted the way the model's publisher counts them (both parts when unknown).
[[nodiscard]] double active_params_as_published(const ModelSpec& model);

/// Whether `computed` agrees with a published count: within 1 %, or equal when rounded (or cut) as
/// printed.
[[nodiscard]] bool agrees(double computed, const PublishedCount& published);

/// Share of the FFN weights of the main MoE layer that a token visits, shared experts in both; the
/// report's sparsity S (Section 5). 1 for a dense model.
[[nodiscard]] double sparsity(const ModelSpec& model);

}  // namespace afford
