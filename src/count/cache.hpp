#pragma once
// What a sequence keeps in memory between two decoded tokens.

#include "spec/model.hpp"
#include "units.hpp"

namespace afford {

struct CacheSize {
  Bytes context;    // KV and indexer keys of all tokens of the context, windows and chunks capped
  Bytes recurrent;  // states and convolution inputs, whatever the context
};

/// Of one sequence of `context` tokens, all layers.
[[nodiscard]] CacheSize cache_size(const ModelSpec& model, double context);

}  // namespace afford
