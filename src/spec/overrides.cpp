#include "spec/overrides.hpp"

namespace afford {
namespace {

/// A state keeps the format it has, stated or not; every cache takes the new one.
void set_kv(ModelSpec& model, Dtype dtype) {
  for (AttentionSpec& attention : model.attentions) {
    if (is_recurrent(attention.shape)) {
      attention.cache = cache_format(model, attention);
    } else {
      attention.cache.reset();
    }
  }
  model.precision.kv = dtype;
}

}  // namespace

ModelSpec with_formats(ModelSpec model, const FormatOverrides& formats) {
  if (formats.attention) {
    model.precision.attention_compute = *formats.attention;
    set_kv(model, *formats.attention);
  }
  if (formats.kv) set_kv(model, *formats.kv);
  if (formats.weights) {
    model.precision.attention_weights = model.precision.ffn_weights = *formats.weights;
    model.precision.lm_head.reset();
    const bool computed = bits_of(*formats.weights) >= 8;
    for (FfnSpec& ffn : model.ffns) {
      ffn.weights.reset();
      ffn.shared_weights.reset();
      if (computed) ffn.compute.reset();
    }
    for (AttentionSpec& attention : model.attentions) {
      attention.weights.reset();
      if (computed) attention.compute.reset();
    }
    if (computed) model.precision.linear_compute = model.precision.ffn_compute = *formats.weights;
  }
  return model;
}

}  // namespace afford
