#pragma once
// How much memory an engine's pools of pages take for the cache of one request. Layers of a window
// need little, but pools are of fixed sizes or of one page for all kinds of layers.

#include <span>

#include "layer/per_kind.hpp"
#include "layer/shape.hpp"
#include "spec/engine.hpp"

namespace afford {

/// Layers of one kind, on one accelerator: of each token that stays `token` bytes a layer, for the
/// last `window` tokens (0: all of them); or a `state`, whatever the context.
struct KeptLayers {
  double layers = 0;
  Bytes token;
  double window = 0;
  Bytes state;

  [[nodiscard]] bool alike(const KeptLayers& other) const {
    return token == other.token && window == other.window && state == other.state;
  }
};

/// The kinds of a model's layers, those alike as one.
struct KeptKinds {
  PerKind<KeptLayers> kinds;  // the first `count` are filled
  std::size_t count = 0;
  /// Layers that keep a window beside entries or a state beside a cache have no page of one kind:
  /// engines hold them by rules of their own.
  bool mixed = false;

  void add(const KeptLayers& more);
  [[nodiscard]] std::span<const KeptLayers> all() const { return {kinds.data(), count}; }
};

/// Of `shapes` at a context, heads shared out over `tensor` accelerators as far as they go.
[[nodiscard]] KeptKinds kept_kinds(std::span<const LayerShape> shapes, double tensor);

/// Tokens of a layer's page where kinds share one page size: the engine's block, for layers of
/// fewer bytes a token as many blocks as their page has room for, and beside states as many as hold
/// a state (vLLM, docs/design/hybrid_kv_cache_manager.md).
[[nodiscard]] Bytes shared_page(const KeptKinds& kinds, double block);

/// Bytes that one request of `context` tokens takes of the pools.
[[nodiscard]] Bytes paged_cache(const KeptKinds& kinds, const CachePages& pages, double context);

}  // namespace afford
