// Grouped-query attention in all its layouts.
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"

namespace afford::config {
namespace {

void all_layers(Builder& b, const std::string& name) {
  b.out.attention_of.assign(static_cast<size_t>(b.layers), name);
}

/// One text for each layer, checked to be one of `known`.
std::vector<std::string> layer_types(Builder& b, std::initializer_list<std::string_view> known) {
  std::vector<std::string> types = b.in.texts("layer_types");
  if (types.size() < static_cast<size_t>(b.layers)) {
    b.in.fail("layer_types", fmt::format("expected one entry for each of {} layers, got {}",
                                         b.layers, types.size()));
  }
  // Step-3.5 lists its MTP layers behind the others.
  types.resize(static_cast<size_t>(b.layers));
  for (const std::string& type : types) {
    if (std::find(known.begin(), known.end(), type) != known.end()) continue;
    b.in.fail("layer_types", fmt::format("unknown layer type '{}'; expected one of {}",
                                         type.substr(0, 40), fmt::join(known, ", ")));
  }
  return types;
}

Part with_window(Builder& b, Part part, std::string_view key, std::string_view from) {
  part.fields.push_back(integer_field(b, std::string(key), from, limits::tokens));
  return part;
}

/// Windows without a list of layers: Mistral slides everywhere, Qwen from max_window_layers on if
/// at all.
void plan_plain_windows(Builder& b) {
  if (!b.in.has("sliding_window")) {
    b.in.set_aside("use_sliding_window");
    b.in.set_aside("max_window_layers");
    add_part(b.out.attentions, gqa_part(b, b.in, "gqa"));
    return all_layers(b, "gqa");
  }
  const bool qwen = b.family->model_type.starts_with("qwen");
  const bool use = b.in.flag("use_sliding_window", !qwen,
                             qwen ? "Qwen's default" : "a window that is set is used");
  const std::int64_t first =
      b.in.integer_or("max_window_layers", {0, limits::layers.most}, 0, "every layer");
  if (!use || (qwen && first >= b.layers)) {
    add_part(b.out.attentions, gqa_part(b, b.in, "gqa"));
    return all_layers(b, "gqa");
  }
  const std::int64_t full = qwen ? first : 0;
  if (full > 0) add_part(b.out.attentions, gqa_part(b, b.in, "full"));
  add_part(b.out.attentions,
           with_window(b, gqa_part(b, b.in, "sliding"), "window", "sliding_window"));
  for (std::int64_t i = 0; i < b.layers; ++i)
    b.out.attention_of.emplace_back(i < full ? "full" : "sliding");
}

}  // namespace

Part gqa_part(Builder& b, Config& in, const std::string& name) {
  const auto names = in.any({"num_key_value_heads", "num_attention_groups"});
  Part part{name, {{"kind", "gqa", ""}}};
  const std::int64_t heads = in.integer("num_attention_heads", limits::heads);
  const std::int64_t kv = in.integer_or(names, limits::heads, heads, "as many as query heads");
  if (heads % kv != 0) {
    in.fail(names,
            fmt::format("num_attention_heads ({}) must be a multiple of it, got {}", heads, kv));
  }
  std::string from = "head_dim";
  std::int64_t dim = 0;
  if (in.has("head_dim")) {
    dim = in.integer("head_dim", limits::head_dim);
  } else {
    from = "hidden_size / num_attention_heads";
    dim = b.hidden / heads;
    if (b.hidden % heads != 0 || dim > limits::head_dim.most) {
      in.fail("num_attention_heads",
              fmt::format("'head_dim' is missing and hidden_size ({}) / {} heads is none; "
                          "say --assume head_dim=N",
                          b.hidden, heads));
    }
    in.note_default("head_dim", fmt::format("{}", dim), from);
  }
  part.fields.push_back(
      {"query_heads", fmt::format("{}", heads), in.prefix() + "num_attention_heads"});
  part.fields.push_back({"kv_heads", fmt::format("{}", kv), in.prefix() + std::string(names)});
  part.fields.push_back({"head_dim", fmt::format("{}", dim), in.prefix() + from});
  if (b.in.has("attn_output_gate") && b.in.flag("attn_output_gate", false, "")) {
    part.fields.push_back({"output_gate", "element", "attn_output_gate"});
  } else if (b.in.has("use_head_wise_attn_gate") &&
             b.in.flag("use_head_wise_attn_gate", false, "")) {
    part.fields.push_back({"output_gate", "head", "use_head_wise_attn_gate"});
  }
  return part;
}

void plan_gqa(Builder& b) {
  if (!b.in.has("layer_types")) return plan_plain_windows(b);
  b.in.set_aside("use_sliding_window");
  b.in.set_aside("max_window_layers");
  b.in.set_aside("sliding_window");
  for (const std::string& type : layer_types(b, {"full_attention", "sliding_attention"})) {
    const bool full = type == "full_attention";
    const std::string name = full ? "full" : "sliding";
    b.out.attention_of.push_back(name);
    add_part(b.out.attentions,
             full ? gqa_part(b, b.in, name)
                  : with_window(b, gqa_part(b, b.in, name), "window", "sliding_window"));
  }
}

void plan_gpt_oss(Builder& b) {
  if (b.in.has("layer_types")) return plan_gqa(b);
  b.in.note_default("layer_types", "sliding, full, ...", "gpt-oss alternates, sliding first");
  for (std::int64_t i = 0; i < b.layers; ++i)
    b.out.attention_of.emplace_back(i % 2 == 0 ? "sliding" : "full");
  add_part(b.out.attentions,
           with_window(b, gqa_part(b, b.in, "sliding"), "window", "sliding_window"));
  if (b.layers > 1) add_part(b.out.attentions, gqa_part(b, b.in, "full"));
}

/// Rotary layers attend within chunks, every fourth layer goes without rotation over the whole
/// context.
void plan_llama4(Builder& b) {
  constexpr std::int64_t default_interval = 4;
  const bool chunks = b.in.has("attention_chunk_size");
  std::vector<bool> full(static_cast<size_t>(b.layers));
  const std::int64_t interval = b.in.integer_or("no_rope_layer_interval", limits::layers,
                                                default_interval, "Llama4TextConfig");
  for (size_t i = 0; i < full.size(); ++i)
    full[i] = (static_cast<std::int64_t>(i) + 1) % interval == 0;
  if (b.in.has("layer_types")) {
    const auto types = layer_types(b, {"full_attention", "chunked_attention"});
    for (size_t i = 0; i < full.size(); ++i) full[i] = types[i] == "full_attention";
    b.in.set_aside("no_rope_layers");
  } else if (b.in.has("no_rope_layers")) {
    const auto rotary =
        b.in.integers("no_rope_layers", {0, 1});  // 1: with rotation, in spite of the name
    if (!rotary.empty() && rotary.size() != full.size()) {
      b.in.fail("no_rope_layers", fmt::format("expected one entry for each of {} layers, got {}",
                                              b.layers, rotary.size()));
    }
    for (size_t i = 0; i < rotary.size(); ++i) full[i] = rotary[i] == 0;
  }
  for (const bool whole : full) {
    const std::string name = whole || !chunks ? "full" : "chunked";
    b.out.attention_of.push_back(name);
    add_part(b.out.attentions, name == "full" ? gqa_part(b, b.in, name)
                                              : with_window(b, gqa_part(b, b.in, name), "chunk",
                                                            "attention_chunk_size"));
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

/// Step-3 (MFA: a query bottleneck, one shared KV head) and Step-3.5 (windows with other heads).
void plan_step(Builder& b) {
  if (b.in.has("share_q_dim")) {
    if (const auto groups = b.in.any({"num_attention_groups", "num_key_value_heads"});
        b.in.has(groups) && b.in.integer(groups, limits::heads) != 1) {
      b.in.fail(groups, "multi-matrix factorization attention has one shared KV head");
    }
    add_part(b.out.attentions,
             {"mfa",
              {{"kind", "mfa", ""},
               integer_field(b, "query_heads", "num_attention_heads", limits::heads),
               integer_field(b, "head_dim", "head_dim", limits::head_dim),
               integer_field(b, "query_rank", "share_q_dim", limits::width)}});
    return all_layers(b, "mfa");
  }
  if (!b.in.has("attention_other_setting")) return plan_gqa(b);
  Config other = b.in.object("attention_other_setting");
  if (const std::string type = other.text_or("attention_type", "sliding_attention");
      type != "sliding_attention") {
    other.fail("attention_type",
               fmt::format("expected 'sliding_attention', got '{}'", type.substr(0, 40)));
  }
  const auto types = layer_types(b, {"full_attention", "sliding_attention"});
  for (const std::string& type : types) {
    const bool full = type == "full_attention";
    b.out.attention_of.emplace_back(full ? "full" : "sliding");
    add_part(b.out.attentions,
             full ? gqa_part(b, b.in, "full")
                  : with_window(b, gqa_part(b, other, "sliding"), "window", "sliding_window"));
  }
  other.set_aside("true_head_dim");
  other.set_aside("head_dim");
  other.set_aside("num_attention_heads");
  other.set_aside("num_attention_groups");
  b.in.set_aside("sliding_window");
  b.in.absorb(other);
}

/// Cross-layer attention (Hunyuan): the first of each `cla_share_factor` layers makes KV for all of
/// them.
void plan_shared_kv(Builder& b) {
  const bool shares = b.in.flag("use_cla", false, "no sharing across layers");
  const std::int64_t factor = shares ? b.in.integer("cla_share_factor", limits::layers) : 1;
  b.in.set_aside("cla_share_factor");
  for (std::int64_t i = 0; i < b.layers; ++i) {
    const std::string name = i % factor == 0 ? "gqa" : "reusing";
    b.out.attention_of.push_back(name);
    Part part = gqa_part(b, b.in, name);
    if (name == "reusing")
      part.fields.push_back({"reuses_kv", "true", "use_cla, cla_share_factor"});
    add_part(b.out.attentions, std::move(part));
  }
}

}  // namespace afford::config
