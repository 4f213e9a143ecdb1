// Latent and recurrent attention.
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"

namespace afford::config {
namespace {

Part delta_part(Builder& b) {
  Part part{"linear",
            {{"kind", "gated_delta_net", ""},
             integer_field(b, "key_heads", "linear_num_key_heads", limits::heads),
             integer_field(b, "value_heads", "linear_num_value_heads", limits::heads),
             integer_field(b, "key_dim", "linear_key_head_dim", limits::head_dim),
             integer_field(b, "value_dim", "linear_value_head_dim", limits::head_dim),
             integer_field(b, "conv_kernel", "linear_conv_kernel_dim", limits::conv_kernel)}};
  if (integer_of(part, "value_heads") % integer_of(part, "key_heads") != 0) {
    b.in.fail("linear_num_value_heads",
              fmt::format("must be a multiple of linear_num_key_heads ({}), got {}",
                          integer_of(part, "key_heads"), integer_of(part, "value_heads")));
  }
  return part;
}

/// Layers counted from one, as linear_attn_config lists them.
std::vector<bool> listed(Config& in, std::string_view key, std::int64_t layers) {
  std::vector<bool> result(static_cast<size_t>(layers));
  for (const std::int64_t layer : in.integers(key, {1, layers}))
    result[static_cast<size_t>(layer - 1)] = true;
  return result;
}

}  // namespace

Part mla_part(Builder& b, const std::string& name) {
  const bool sparse = b.in.has("index_topk");
  Part part{name,
            {{"kind", sparse ? "dsa" : "mla", ""},
             integer_field(b, "query_heads", "num_attention_heads", limits::heads)}};
  if (b.in.has("q_lora_rank")) {
    part.fields.push_back(integer_field(b, "query_rank", "q_lora_rank", limits::width));
  } else {
    b.in.note_default("q_lora_rank", "none", "the query is not compressed");
  }
  part.fields.push_back(integer_field(b, "kv_rank", "kv_lora_rank", limits::width));
  part.fields.push_back(integer_field(b, "nope_dim", "qk_nope_head_dim", limits::head_dim));
  part.fields.push_back(integer_field(b, "rope_dim", "qk_rope_head_dim", limits::head_dim));
  part.fields.push_back(integer_field(b, "value_dim", "v_head_dim", limits::head_dim));
  // Follow from the above; V3.2 and GLM-5 state them all the same.
  for (const char* derived : {"num_key_value_heads", "head_dim", "qk_head_dim"})
    b.in.set_aside(derived);
  if (b.in.has("mla_use_output_gate") && b.in.flag("mla_use_output_gate", false, "")) {
    part.fields.push_back({"output_gate", "true", "mla_use_output_gate"});
  }
  if (sparse) add_indexer(b, part);
  return part;
}

/// LongCat-Flash: each of its layers holds two attentions; both count as a layer of ours.
void plan_longcat(Builder& b) {
  if (b.layers > limits::layers.most / 2)
    b.in.fail("num_hidden_layers", fmt::format("more than {} layers", limits::layers.most / 2));
  for (std::int64_t i = 0; i < 2 * b.layers; ++i) b.attention_numbers.push_back(i / 2);
  b.ffn_numbers = b.attention_numbers;
  b.layers *= 2;
  b.out.layers_comment += ", with two attentions and two FFNs each";
  plan_mla(b);
}

/// Qwen3-Next and Qwen3.5: gated delta nets, and full attention every full_attention_interval
/// layers.
void plan_qwen_delta(Builder& b) {
  constexpr std::int64_t default_interval = 4;
  std::vector<std::string> types;
  if (b.in.has("layer_types")) {
    types = b.in.texts("layer_types");
    b.in.set_aside("full_attention_interval");
    if (types.size() != static_cast<size_t>(b.layers)) {
      b.in.fail("layer_types", fmt::format("expected one entry for each of {} layers, got {}",
                                           b.layers, types.size()));
    }
  } else {
    const std::int64_t interval = b.in.integer_or("full_attention_interval", limits::layers,
                                                  default_interval, "Qwen3NextConfig");
    for (std::int64_t i = 1; i <= b.layers; ++i) {
      types.emplace_back(i % interval == 0 ? "full_attention" : "linear_attention");
    }
  }
  b.in.set_aside("use_sliding_window");
  for (const std::string& type : types) {
    if (type != "full_attention" && type != "linear_attention") {
      b.in.fail(
          "layer_types",
          fmt::format("unknown layer type '{}'; expected one of full_attention, linear_attention",
                      type.substr(0, 40)));
    }
    b.out.attention_of.emplace_back(type == "full_attention" ? "full" : "linear");
    if (type == "linear_attention") {
      add_part(b.out.attentions, delta_part(b));
      continue;
    }
    Part full = gqa_part(b, b.in, "full");
    if (!b.in.has("attn_output_gate")) {
      full.fields.push_back(
          {"output_gate", "element", "Qwen3NextAttention: q_proj has twice the width"});
      b.in.note_default("attn_output_gate", "true", "Qwen3NextAttention");
    }
    add_part(b.out.attentions, std::move(full));
  }
}

/// Kimi Linear and K3: Kimi delta attention, and MLA in the layers of full_attn_layers.
void plan_kimi_linear(Builder& b) {
  Config linear = b.in.object("linear_attn_config");
  const std::vector<bool> kda = listed(linear, "kda_layers", b.layers);
  std::vector<bool> full = kda;
  full.flip();
  if (linear.has("full_attn_layers")) full = listed(linear, "full_attn_layers", b.layers);
  const std::string heads = fmt::format("{}", linear.integer("num_heads", limits::heads));
  const std::string dim = fmt::format("{}", linear.integer("head_dim", limits::head_dim));
  const std::string kernel = fmt::format(
      "{}",
      linear.integer_or("short_conv_kernel_size", limits::conv_kernel, 4, "KimiDeltaAttention"));
  const bool full_rank =
      linear.flag("use_full_rank_gate", false, "Kimi Linear's gate goes through head_dim");
  for (size_t i = 0; i < kda.size(); ++i) {
    if (kda[i] == full[i]) {
      linear.fail(kda[i] ? "kda_layers" : "full_attn_layers",
                  fmt::format("layer {} is in {} of kda_layers and full_attn_layers", i + 1,
                              kda[i] ? "both" : "none"));
    }
    b.out.attention_of.emplace_back(kda[i] ? "kda" : "mla");
    if (full[i]) {
      add_part(b.out.attentions, mla_part(b, "mla"));
    } else {
      add_part(b.out.attentions,
               {"kda",
                {{"kind", "kda", ""},
                 {"heads", heads, "linear_attn_config.num_heads"},
                 {"head_dim", dim, "linear_attn_config.head_dim"},
                 {"conv_kernel", kernel, "linear_attn_config.short_conv_kernel_size"},
                 {"full_rank_gate", full_rank ? "true" : "false", "use_full_rank_gate"}}});
    }
  }
  b.in.absorb(linear);
}

}  // namespace afford::config
