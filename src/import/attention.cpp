// Grouped-query attention in all its layouts.
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"

namespace afford::config {
namespace {

void all_layers(Builder& b, const std::string& name) {
  b.out.attention_of.assign(static_cast<size_t>(b.layers), name);
}

Part with_window(Builder& b, Part part, std::string_view key, std::string_view from) {
  part.fields.push_back(integer_field(b, std::string(key), from, limits::tokens));
  return part;
}

/// MiMo-V2: sliding layers have heads of their own.
HeadKeys window_heads(Builder& b) {
  HeadKeys keys;
  if (b.in.has("swa_num_attention_heads")) keys.heads = "swa_num_attention_heads";
  if (b.in.has("swa_num_key_value_heads")) keys.kv_heads = "swa_num_key_value_heads";
  if (b.in.has("swa_head_dim")) keys.dim = "swa_head_dim";
  if (b.in.has("swa_v_head_dim")) keys.value_dim = "swa_v_head_dim";
  return keys;
}

/// A sigmoid gate on the output, under the names families give it.
void add_gate(Builder& b, Part& part) {
  if (b.in.has("attn_output_gate") && b.in.flag("attn_output_gate", false, "")) {
    part.fields.push_back({"output_gate", "element", "attn_output_gate"});
  } else if (b.in.has("use_head_wise_attn_gate") &&
             b.in.flag("use_head_wise_attn_gate", false, "")) {
    part.fields.push_back({"output_gate", "head", "use_head_wise_attn_gate"});
  } else if (b.in.has("gating")) {
    const std::string kind = b.in.find("gating")->text;
    const bool head = kind == "true" || kind == "per-head" || kind == "per_head";
    const bool element = kind == "per-element" || kind == "per_element";
    if (!head && !element && kind != "false") {
      b.in.fail("gating", fmt::format("expected 'per-head', 'per-element', true or false, got '{}'",
                                      kind.substr(0, 40)));
    }
    if (head || element)
      part.fields.push_back({"output_gate", head ? "head" : "element", "gating"});
    b.in.set_aside("gating_types");
  }
}

}  // namespace

std::pair<std::int64_t, std::string> head_dim_of(Builder& b, Config& in, std::int64_t heads,
                                                 std::string_view key) {
  if (in.has(key)) return {in.integer(key, limits::head_dim), std::string(in.spelled(key))};
  const std::string from = "hidden_size / num_attention_heads";
  const std::int64_t dim = b.hidden / heads;
  if (b.hidden % heads != 0 || dim > limits::head_dim.most) {
    in.fail("num_attention_heads",
            fmt::format("'head_dim' is missing and hidden_size ({}) / {} heads is none; "
                        "import with --assume head_dim=N",
                        b.hidden, heads));
  }
  in.note_default("head_dim", fmt::format("{}", dim), from);
  return {dim, from};
}

Part gqa_part(Builder& b, Config& in, const std::string& name, const HeadKeys& keys) {
  // Megatron's and Step's names for KV heads; ChatGLM's count only with its flag.
  const auto names = in.any({keys.kv_heads, "num_attention_groups", "num_query_groups"});
  const bool ungrouped =
      in.has("multi_query_attention") && !in.flag("multi_query_attention", true, "");
  Part part{name, {{"kind", "gqa", ""}}};
  const std::int64_t heads = in.integer(keys.heads, limits::heads);
  const std::int64_t kv =
      ungrouped ? heads : in.integer_or(names, limits::heads, heads, "as many as query heads");
  if (heads % kv != 0) {
    in.fail(names,
            fmt::format("num_attention_heads ({}) must be a multiple of it, got {}", heads, kv));
  }
  const auto [dim, from] = head_dim_of(b, in, heads, keys.dim);
  part.fields.push_back(
      {"query_heads", fmt::format("{}", heads), in.prefix() + std::string(in.spelled(keys.heads))});
  part.fields.push_back(
      {"kv_heads", fmt::format("{}", kv), in.prefix() + std::string(in.spelled(names))});
  part.fields.push_back({"head_dim", fmt::format("{}", dim), in.prefix() + from});
  if (in.has(keys.value_dim) && in.integer(keys.value_dim, {0, limits::head_dim.most}) > 0) {
    if (const Field value = integer_field(b, "value_dim", keys.value_dim, limits::head_dim);
        value.value != part.fields.back().value)
      part.fields.push_back(value);
  }
  add_gate(b, part);
  return part;
}

namespace {

/// Laguna gives each layer its number of query heads.
std::vector<std::int64_t> heads_by_layer(Builder& b) {
  constexpr std::string_view key = "num_attention_heads_per_layer";
  if (!b.in.has(key)) return {};
  std::vector<std::int64_t> heads = b.in.integers(key, limits::heads);
  if (heads.size() != static_cast<size_t>(b.layers)) {
    b.in.fail(key, fmt::format("expected one entry for each of {} layers, got {}", b.layers,
                               heads.size()));
  }
  return heads;
}

/// The part with another number of query heads, under a name that says so.
Part with_heads(Builder& b, Part part, std::int64_t heads) {
  constexpr size_t most_parts = 32;
  if (heads == integer_of(part, "query_heads")) return part;
  if (heads % integer_of(part, "kv_heads") != 0 || b.out.attentions.size() > most_parts) {
    b.in.fail("num_attention_heads_per_layer",
              fmt::format("{} must be a multiple of num_key_value_heads ({})", heads,
                          integer_of(part, "kv_heads")));
  }
  part.name += fmt::format("-{}", heads);
  for (Field& field : part.fields) {
    if (field.key == "query_heads")
      field = {"query_heads", fmt::format("{}", heads), "num_attention_heads_per_layer"};
  }
  return part;
}

}  // namespace

void plan_gqa(Builder& b) {
  const std::vector<std::string> types = window_types(b);
  const std::vector<std::int64_t> heads = heads_by_layer(b);
  for (std::int64_t i = 0; i < b.layers; ++i) {
    const auto layer = static_cast<size_t>(i);
    const bool full = types.empty() || types[layer] == "full_attention";
    Part part = gqa_part(b, b.in,
                         types.empty() ? "gqa"
                         : full        ? "full"
                                       : "sliding",
                         full ? HeadKeys{} : window_heads(b));
    if (!full) part = with_window(b, std::move(part), "window", "sliding_window");
    if (!heads.empty()) part = with_heads(b, std::move(part), heads[layer]);
    b.out.attention_of.push_back(part.name);
    add_part(b.out.attentions, std::move(part));
  }
}

/// AFMoE: a gate on every element of the output, which the config does not state.
void plan_gated_gqa(Builder& b) {
  plan_gqa(b);
  for (Part& part : b.out.attentions)
    part.fields.push_back({"output_gate", "element", "AfmoeAttention: gate_proj"});
  b.in.note_default("output gate", "element", "AfmoeAttention");
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
