// Families whose FFN has two matrices, and the older ones that spell their shapes in other ways.
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"

namespace afford::config {
namespace {

/// A stated width, or four times the hidden state.
Field width_or_four(Builder& b) {
  if (b.in.has("intermediate_size"))
    return integer_field(b, "intermediate", "intermediate_size", limits::width);
  constexpr std::int64_t ratio = 4;
  const std::int64_t width = std::min(ratio * b.hidden, limits::width.most);
  b.in.note_default(b.in.spelled("intermediate_size"), fmt::format("{}", width),
                    "four times the hidden state");
  return {"intermediate", fmt::format("{}", width), "4 x hidden_size"};
}

/// Starcoder2's class has a gated MLP, too; OPT-350M projects a narrower embedding.
void refuse_other_shapes(Builder& b) {
  if (b.in.has("mlp_type") && b.in.text("mlp_type") != "default")
    b.in.fail("mlp_type", "only 'default', an FFN of two matrices, is understood");
  constexpr std::string_view narrow = "word_embed_proj_dim";
  if (b.in.has(narrow) && b.in.integer(narrow, limits::width) != b.hidden)
    b.in.fail(narrow, fmt::format("an embedding of another width than hidden_size ({}) is not "
                                  "counted",
                                  b.hidden));
}

/// Learned positions are a table of which a token reads a row.
void hold_positions(Builder& b, std::string_view key) {
  if (!b.in.has(key)) return;
  const double rows = static_cast<double>(b.in.integer(key, limits::tokens));
  hold(b, key,
       {"positions", rows * static_cast<double>(b.hidden),
        fmt::format("{} x hidden_size", b.in.spelled(key))});
}

}  // namespace

void plan_ungated(Builder& b) {
  refuse_other_shapes(b);
  b.moe.assign(static_cast<size_t>(b.layers), false);
  b.out.ffns.push_back(
      {"dense", {{"kind", "dense", ""}, width_or_four(b), {"gated", "false", "two matrices"}}});
  b.out.ffn_of.assign(static_cast<size_t>(b.layers), "dense");
  constexpr std::string_view learned[] = {"gpt2", "opt", "gpt_bigcode"};
  if (std::find(std::begin(learned), std::end(learned), b.family->model_type) != std::end(learned))
    hold_positions(b, "max_position_embeddings");
}

/// Falcon: one KV head with multi_query, num_kv_heads in the newer ones.
void plan_falcon(Builder& b) {
  const bool newer = b.in.flag("new_decoder_architecture", false, "FalconConfig");
  const bool multi_query = b.in.flag("multi_query", true, "FalconConfig");
  Part part = gqa_part(b, b.in, "gqa");
  for (Field& field : part.fields) {
    if (field.key == "kv_heads" && !newer && multi_query) field = {"kv_heads", "1", "multi_query"};
    if (field.key == "kv_heads" && !newer && !multi_query)
      field = {"kv_heads", fmt::format("{}", integer_of(part, "query_heads")), "multi_query"};
  }
  b.out.attention_of.assign(static_cast<size_t>(b.layers), "gqa");
  add_part(b.out.attentions, std::move(part));
}

/// The first Qwen: intermediate_size counts both matrices into the MLP.
void plan_halved_dense(Builder& b) {
  const Field both = integer_field(b, "intermediate", "intermediate_size", limits::width);
  const std::int64_t width = b.in.integer("intermediate_size", limits::width) / 2;
  if (width * 2 != b.in.integer("intermediate_size", limits::width))
    b.in.fail("intermediate_size", fmt::format("expected an even number, got {}", both.value));
  b.out.ffn_of.assign(static_cast<size_t>(b.layers), "dense");
  b.out.ffns.push_back(
      {"dense",
       {{"kind", "dense", ""}, {"intermediate", fmt::format("{}", width), both.comment + " / 2"}}});
}

/// MPT names its kinds of attention; the first releases have one KV head or as many as queries.
void plan_mpt(Builder& b) {
  const std::string type = b.in.text_or("attn_type", "multihead_attention");
  Part part = gqa_part(b, b.in, "gqa");
  if (type == "multiquery_attention") {
    for (Field& field : part.fields) {
      if (field.key == "kv_heads") field = {"kv_heads", "1", "attn_type"};
    }
  } else if (type != "multihead_attention" && type != "grouped_query_attention") {
    b.in.fail("attn_type", fmt::format("expected 'multihead_attention', 'multiquery_attention' or "
                                       "'grouped_query_attention', got '{}'",
                                       type.substr(0, 40)));
  }
  b.out.attention_of.assign(static_cast<size_t>(b.layers), "gqa");
  add_part(b.out.attentions, std::move(part));
}

/// A width of expansion_ratio times the hidden state, unless the FFN's own object states one. A
/// table of positions where neither slopes (alibi) nor rotations stand for them.
void plan_mpt_ffn(Builder& b) {
  const std::string type = b.in.text_or("ffn_type", "mptmlp");
  const bool gated = type == "mptglu" || type == "mptgeglu";
  if (!gated && type != "mptmlp" && type != "te_ln_mlp") {
    b.in.fail("ffn_type", fmt::format("expected 'mptmlp', 'te_ln_mlp', 'mptglu' or 'mptgeglu', "
                                      "got '{}'",
                                      type.substr(0, 40)));
  }
  constexpr std::int64_t usual = 4;
  const bool own = b.in.has("ffn_hidden_size");
  const std::int64_t ratio =
      b.in.integer_or("expansion_ratio", {1, 64}, usual, "MptConfig, times d_model");
  const std::int64_t width = own ? b.in.integer("ffn_hidden_size", limits::width)
                                 : std::min(ratio * b.hidden, limits::width.most);
  Part part{"dense",
            {{"kind", "dense", ""},
             {"intermediate", fmt::format("{}", width),
              own ? "ffn_hidden_size" : "expansion_ratio x d_model"}}};
  if (!gated) part.fields.push_back({"gated", "false", "two matrices"});
  b.out.ffn_of.assign(static_cast<size_t>(b.layers), "dense");
  b.out.ffns.push_back(std::move(part));
  const bool relative = b.in.flag("alibi", false, "no slopes") || b.in.flag("rope", false, "none");
  if (b.in.flag("learned_pos_emb", true, "MptConfig") && !relative)
    hold_positions(b, "max_position_embeddings");
}

}  // namespace afford::config
