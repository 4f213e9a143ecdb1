#include "count/cache.hpp"

#include "count/attention.hpp"

namespace afford {

CacheSize cache_size(const ModelSpec& model, double context) {
  CacheSize size;
  for (const LayerKind& kind : model.layer_kinds) {
    const AttentionSpec& spec = model.attentions[kind.attention];
    const AttentionCount count = count_attention(spec.shape, model.hidden, Convention::exact);
    const Dtype format = spec.cache.value_or(model.precision.kv);
    const double layers = static_cast<double>(kind.layers);
    if (count.keeps_cache) {
      size.context +=
          layers * size_of(format, count.elements_per_context_token * kept(count.reach, context));
    }
    for (const ContextTerm& walk : count.more) {
      size.context += layers * size_of(walk.format.value_or(format),
                                       walk.elements * kept(walk.reach, context / walk.stride));
    }
    // A state is counted twice in state_elements, once read and once written; a convolution keeps
    // what it reads.
    size.recurrent += layers * size_of(format, count.state_elements / 2);
    size.recurrent += layers * size_of(Dtype::bf16, count.conv_elements - count.conv_written);
  }
  return size;
}

}  // namespace afford
