// Which layers of grouped-query attention see how far, and whose keys and values they use.
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"

namespace afford::config {
namespace {

constexpr std::string_view full = "full_attention", sliding = "sliding_attention";
using Types = std::vector<std::string>;
constexpr std::pair<std::string_view, std::string_view> newer_names[] = {
    {"linear_attention", "mamba"}, {"full_attention", "attention"}};

Types typed(Builder& b, auto is_full) {
  Types types;
  for (std::int64_t i = 0; i < b.layers; ++i) types.emplace_back(is_full(i) ? full : sliding);
  return types;
}

/// A number N: every Nth layer is full; or "LLLG", L for local and G for global.
Types by_pattern(Builder& b, std::string_view key) {
  const json::Value* value = b.in.find(key);
  if (value->kind != json::Value::Kind::text) {
    const std::int64_t period = b.in.integer(key, limits::layers);
    return typed(b, [&](std::int64_t i) { return (i + 1) % period == 0; });
  }
  const std::string letters = value->text;
  if (letters.empty() || letters.find_first_not_of("LG") != std::string::npos)
    b.in.fail(key, fmt::format("expected letters L and G, got '{}'", letters.substr(0, 40)));
  return typed(
      b, [&](std::int64_t i) { return letters[static_cast<size_t>(i) % letters.size()] == 'G'; });
}

/// MiMo-V2: 1 for a window, 0 for full attention.
Types by_flags(Builder& b) {
  const auto flags = b.in.integers("hybrid_layer_pattern", {0, 1});
  if (flags.size() != static_cast<size_t>(b.layers)) {
    b.in.fail("hybrid_layer_pattern", fmt::format("expected one entry for each of {} layers, got "
                                                  "{}",
                                                  b.layers, flags.size()));
  }
  return typed(b, [&](std::int64_t i) { return flags[static_cast<size_t>(i)] == 0; });
}

/// GPT-Neo: "global" or "local" for each layer.
Types by_reach(Builder& b) {
  const auto reaches = b.in.texts("attention_layers");
  if (reaches.size() != static_cast<size_t>(b.layers)) {
    b.in.fail("attention_layers", fmt::format("expected one entry for each of {} layers, got {}",
                                              b.layers, reaches.size()));
  }
  return typed(b, [&](std::int64_t i) { return reaches[static_cast<size_t>(i)] == "global"; });
}

/// Windows without a list of layers: Mistral slides everywhere, Qwen from max_window_layers on if
/// at all.
Types plain(Builder& b) {
  if (!b.in.has("sliding_window")) return {};
  const bool qwen = b.family->model_type.starts_with("qwen");
  const bool use = b.in.flag("use_sliding_window", !qwen,
                             qwen ? "Qwen's default" : "a window that is set is used");
  if (!use) return {};
  const std::int64_t first =
      b.in.integer_or("max_window_layers", {0, limits::layers.most}, 0, "every layer");
  if (qwen && first >= b.layers) return {};
  return typed(b, [&](std::int64_t i) { return qwen && i < first; });
}

}  // namespace

std::vector<std::string> layer_types(Builder& b, std::initializer_list<std::string_view> known) {
  std::vector<std::string> types = b.in.texts("layer_types");
  if (types.size() < static_cast<size_t>(b.layers)) {
    b.in.fail("layer_types", fmt::format("expected one entry for each of {} layers, got {}",
                                         b.layers, types.size()));
  }
  // Step-3.5 lists its MTP layers behind the others.
  types.resize(static_cast<size_t>(b.layers));
  const auto is_known = [&](std::string_view type) {
    return std::find(known.begin(), known.end(), type) != known.end();
  };
  for (std::string& type : types) {
    if (is_known(type)) continue;
    // transformers 5 writes the names of older configs anew.
    const auto older = std::find_if(std::begin(newer_names), std::end(newer_names),
                                    [&](const auto& each) { return each.first == type; });
    if (older != std::end(newer_names) && is_known(older->second)) {
      type = older->second;
      continue;
    }
    b.in.fail("layer_types", fmt::format("unknown layer type '{}'; expected one of {}",
                                         type.substr(0, 40), fmt::join(known, ", ")));
  }
  return types;
}

std::vector<std::string> window_types(Builder& b) {
  const auto pattern =
      b.in.any({"sliding_window_pattern", "_sliding_window_pattern", "layer_switch"});
  Types types;
  if (b.in.has("layer_types")) {
    types = layer_types(b, {full, sliding});
  } else if (b.in.has("hybrid_layer_pattern")) {
    types = by_flags(b);
    b.in.set_aside("attention_chunk_size");  // the window once more
  } else if (b.in.has("attention_layers") && b.in.has("sliding_window")) {
    types = by_reach(b);
  } else if (b.in.has(pattern) && b.in.has("sliding_window")) {
    types = by_pattern(b, pattern);
  } else {
    types = plain(b);
  }
  for (const char* key :
       {"use_sliding_window", "max_window_layers", "sliding_window", "sliding_window_pattern",
        "_sliding_window_pattern", "layer_switch", "layer_types", "hybrid_layer_pattern",
        "hybrid_block_size", "sliding_window_size"})
    b.in.set_aside(key);
  return types;
}

}  // namespace afford::config
