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
  b.out.held.push_back({"positions",
                        {{"params", fmt::format("{:.6g}", rows * static_cast<double>(b.hidden)),
                          fmt::format("{} x hidden_size", b.in.spelled(key))}}});
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

}  // namespace afford::config
