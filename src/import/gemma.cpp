// Gemma 3n and 4: windows, layers that use earlier keys and values, per-layer embeddings.
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"

namespace afford::config {
namespace {

/// Layers from here on use the keys and values of the last one before them of their kind.
std::int64_t first_shared(Builder& b) {
  const std::int64_t shared =
      b.in.integer_or("num_kv_shared_layers", {0, b.layers - 1}, 0, "no layer shares");
  return b.layers - shared;
}

/// Width of the embedding that each layer has of its own; 0: none.
std::int64_t per_layer_width(Builder& b) {
  constexpr std::string_view key = "hidden_size_per_layer_input";
  return b.in.has(key) ? b.in.integer(key, {0, limits::width.most}) : 0;
}

void hold_embeddings(Builder& b, std::int64_t width) {
  const double rows =
      static_cast<double>(b.in.integer("vocab_size_per_layer_input", limits::vocab));
  const double params = rows * static_cast<double>(b.layers) * static_cast<double>(width);
  hold(b, "vocab_size_per_layer_input",
       {"per_layer_embedding", params,
        "vocab_size_per_layer_input x num_hidden_layers x hidden_size_per_layer_input"});
}

/// Full layers may have heads of their own, and one projection for keys and values.
Part gemma_part(Builder& b, bool full, bool shared) {
  const bool joined =
      full && b.in.flag("attention_k_eq_v", false, "keys and values have their projections");
  HeadKeys keys;
  // Configs of transformers 5.15 have them as what full layers override.
  if (full && !b.in.overridden("head_dim") && b.in.has("global_head_dim"))
    keys.dim = "global_head_dim";
  if (joined && !b.in.overridden("num_key_value_heads") && b.in.has("num_global_key_value_heads"))
    keys.kv_heads = "num_global_key_value_heads";
  Part part = gqa_part(b, b.in, full ? "full" : "sliding", keys);
  if (!full) part.fields.push_back(integer_field(b, "window", "sliding_window", limits::tokens));
  if (joined) part.fields.push_back({"keys_are_values", "true", "attention_k_eq_v"});
  if (shared) {
    part.name += "-shared";
    part.fields.push_back({"reuses_kv", "true", "num_kv_shared_layers"});
  }
  return part;
}

}  // namespace

void plan_gemma4(Builder& b) {
  std::vector<std::string> types = window_types(b);
  if (types.empty()) b.in.fail("layer_types", "missing, and no sliding_window_pattern either");
  types.back() = "full_attention";  // the class insists
  const std::int64_t shared_from = first_shared(b), width = per_layer_width(b);
  for (std::int64_t i = 0; i < b.layers; ++i) {
    Part part = gemma_part(b, types[static_cast<size_t>(i)] == "full_attention", i >= shared_from);
    if (width > 0) {
      part.fields.push_back(
          {"per_layer_width", fmt::format("{}", width), "hidden_size_per_layer_input"});
    }
    b.out.attention_of.push_back(part.name);
    add_part(b.out.attentions, std::move(part));
  }
  if (width > 0) hold_embeddings(b, width);
  for (const char* key : {"num_global_key_value_heads", "global_head_dim", "attention_k_eq_v",
                          "vocab_size_per_layer_input"})
    b.in.set_aside(key);
  if (b.in.has("laurel_rank")) {
    b.in.note_default("LAuReL and AltUp", "left out", "below 2 % of the parameters");
    for (const char* key : {"laurel_rank", "altup_num_inputs", "altup_active_idx",
                            "altup_correct_scale", "altup_coef_clip"})
      b.in.set_aside(key);
  }
}

void plan_gemma4_ffn(Builder& b) {
  for (const char* key : {"num_experts", "top_k_experts", "moe_intermediate_size"})
    b.in.set_aside(key);
  const bool wide =
      b.in.flag("use_double_wide_mlp", false, "as wide in layers that share keys and values");
  if (b.in.flag("enable_moe_block", false, "no experts")) return plan_moe_beside_dense(b);
  Part narrow{"dense",
              {{"kind", "dense", ""},
               integer_field(b, "intermediate", "intermediate_size", limits::width)}};
  const std::int64_t width = integer_of(narrow, "intermediate");
  Part doubled{"dense-wide",
               {{"kind", "dense", ""},
                {"intermediate", fmt::format("{}", std::min(2 * width, limits::width.most)),
                 "use_double_wide_mlp"}}};
  const std::int64_t shared_from = first_shared(b);
  for (std::int64_t i = 0; i < b.layers; ++i) {
    const Part& part = wide && i >= shared_from ? doubled : narrow;
    b.out.ffn_of.push_back(part.name);
    add_part(b.out.ffns, part);
  }
}

}  // namespace afford::config
