#include "count/cache.hpp"

#include "count/core.hpp"

namespace afford {

CacheSize cache_size(const ModelSpec& model, double context) {
  CacheSize size;
  for (const LayerKind& kind : model.layer_kinds) {
    const AttentionSpec& spec = model.attentions[kind.attention];
    const AttentionCount count = count_attention(spec.shape, model.hidden, Convention::exact);
    const CoreKept kept = core_kept(count.core, cache_format(model, spec), context);
    size.context += real(kind.layers) * kept.cache;
    size.recurrent += real(kind.layers) * kept.state;
  }
  return size;
}

}  // namespace afford
