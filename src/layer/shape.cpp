#include "layer/shape.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace afford {

std::vector<LayerShape> layer_shapes(const ModelSpec& model) {
  std::vector<LayerShape> shapes;
  for (const LayerKind& kind : model.layer_kinds) {
    const AttentionSpec& attention = model.attentions[kind.attention];
    const FfnSpec& ffn = model.ffns[kind.ffn];
    const Dtype weights = weight_format(model, ffn);
    shapes.push_back(
        {.attention = count_attention(attention.shape, model.hidden, Convention::exact),
         .ffn = count_ffn(ffn.shape),
         .cache = cache_format(model, attention),
         .attention_weights = weight_format(model, attention),
         .linear_compute = product_format(model, attention),
         .ffn_weights = weights,
         .shared_weights = ffn.shared_weights.value_or(weights),
         .ffn_compute = product_format(model, ffn),
         .layers = kind.layers,
         .attention_spec = kind.attention,
         .attention_sets = layers_with_weights(attention, kind.layers),
         .ffn_sets = layers_with_weights(ffn, kind.layers)});
  }
  return shapes;
}

size_t main_kind(const std::vector<LayerShape>& shapes) {
  const auto fewer = [](const LayerShape& a, const LayerShape& b) { return a.layers < b.layers; };
  return static_cast<size_t>(std::max_element(shapes.begin(), shapes.end(), fewer) -
                             shapes.begin());
}

std::string undivided_heads(const std::vector<LayerShape>& shapes, std::int64_t ways) {
  for (const LayerShape& shape : shapes) {
    const double query_heads = shape.attention.query_rows * shape.attention.kv_heads;
    const auto heads = static_cast<std::int64_t>(query_heads);
    if (heads % ways != 0) return fmt::format("{} attention heads", heads);
    const auto kept = static_cast<std::int64_t>(shape.attention.kv_heads);
    if (kept % ways != 0 && ways % kept != 0) return fmt::format("{} KV heads", kept);
  }
  return {};
}

double tensor_ways(const Matrix& projection, const AttentionCount& attention, std::int64_t group) {
  switch (projection.split) {
    case Split::query_heads:
      return real(group);
    case Split::kv_heads:
      return std::min<double>(real(group), attention.kv_heads);
    case Split::groups:
      return std::min(real(group), attention.groups);
    case Split::whole:
      break;
  }
  return 1;
}

}  // namespace afford
