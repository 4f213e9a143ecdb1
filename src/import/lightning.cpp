// Lightning attention beside softmax attention: MiniMax-01 and M1, Ling and Ring.
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"

namespace afford::config {

/// Ling and Ring with linear attention: each group of layer_group_size layers ends in a softmax
/// one, MLA where the config has a latent, else grouped-query.
void plan_grouped_lightning(Builder& b) {
  const std::int64_t group = b.in.integer("layer_group_size", limits::layers);
  const bool latent = b.in.has("kv_lora_rank");
  const std::string softmax = latent ? "mla" : "softmax";
  for (std::int64_t i = 0; i < b.layers; ++i) {
    // The layers behind the last whole group are softmax, too.
    const bool linear = (i + 1) % group != 0 && i < b.layers / group * group;
    b.out.attention_of.push_back(linear ? "lightning" : softmax);
    if (!linear) {
      add_part(b.out.attentions, latent ? mla_part(b, softmax) : gqa_part(b, b.in, softmax));
      continue;
    }
    const std::int64_t heads = b.in.integer("num_attention_heads", limits::heads);
    const auto [dim, from] = head_dim_of(b, b.in, heads, "head_dim");
    add_part(b.out.attentions, {"lightning",
                                {{"kind", "lightning", ""},
                                 {"heads", fmt::format("{}", heads), "num_attention_heads"},
                                 {"head_dim", fmt::format("{}", dim), from}}});
  }
}

/// MiniMax-01 and M1 say 0 (lightning) or 1 (softmax) for each layer; M2 has softmax alone.
void plan_minimax(Builder& b) {
  std::vector<bool> softmax(static_cast<size_t>(b.layers), true);
  if (b.in.has("layer_types")) {
    const auto types = layer_types(b, {"full_attention", "linear_attention"});
    for (size_t i = 0; i < softmax.size(); ++i) softmax[i] = types[i] == "full_attention";
  } else if (b.in.has("attn_type_list")) {
    const auto types = b.in.integers("attn_type_list", {0, 1});
    if (types.size() != softmax.size()) {
      b.in.fail("attn_type_list", fmt::format("expected one entry for each of {} layers, got {}",
                                              b.layers, types.size()));
    }
    for (size_t i = 0; i < softmax.size(); ++i) softmax[i] = types[i] == 1;
  } else if (b.family->model_type != "minimax_m2") {
    b.in.fail("attn_type_list", "missing; it says which layers are lightning");
  }
  if (b.in.has("sliding_window"))
    b.in.fail("sliding_window", "a window is not known for this family");
  const bool hybrid = std::find(softmax.begin(), softmax.end(), false) != softmax.end();
  const std::string full_name = hybrid ? "softmax" : "gqa";
  const Part full = gqa_part(b, b.in, full_name);
  for (const bool full_layer : softmax) {
    b.out.attention_of.push_back(full_layer ? full_name : "lightning");
    if (full_layer) {
      add_part(b.out.attentions, full);
    } else {
      add_part(b.out.attentions, {"lightning",
                                  {{"kind", "lightning", ""},
                                   {"heads", full.fields[1].value, "num_attention_heads"},
                                   {"head_dim", full.fields[3].value, full.fields[3].comment}}});
    }
  }
}

}  // namespace afford::config
