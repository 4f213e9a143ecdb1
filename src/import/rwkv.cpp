// RWKV-7: time mixing with a state, channel mixing with two matrices.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "import/builder.hpp"

namespace afford::config {
namespace {

/// A stated rank, or the class's: so many roots of the hidden state, in steps of 32; but for the
/// gate's, more with larger heads (fla/layers/rwkv7.py; checkpoints state theirs).
Field rank(Builder& b, const char* ours, std::string_view key, double roots) {
  constexpr double step = 32;
  const double usual = roots * std::sqrt(static_cast<double>(b.hidden));
  const auto steps = static_cast<std::int64_t>(std::max(1.0, std::nearbyint(usual / step)) * step);
  const std::int64_t width = b.in.integer_or(
      key, limits::width, std::min(steps, limits::width.most), "RWKV7Attention, by hidden_size");
  return {ours, fmt::format("{}", width), std::string(key)};
}

std::int64_t state_heads(Builder& b, std::int64_t dim) {
  const auto key = b.in.any({"num_heads", "num_attention_heads"});
  if (b.in.has(key)) return b.in.integer(key, limits::heads);
  const std::int64_t heads = b.hidden / dim;
  if (heads * dim != b.hidden)
    b.in.fail("head_dim",
              fmt::format("hidden_size ({}) must be a multiple of it, got {}", b.hidden, dim));
  b.in.note_default(key, fmt::format("{}", heads), "hidden_size / head_dim");
  return heads;
}

Field ffn_width(Builder& b) {
  if (b.in.has("intermediate_size")) {
    b.in.set_aside("hidden_ratio");
    return integer_field(b, "intermediate", "intermediate_size", limits::width);
  }
  constexpr std::int64_t usual = 4;
  const std::int64_t ratio = b.in.integer_or("hidden_ratio", {1, 64}, usual, "RWKV7Config");
  return {"intermediate", fmt::format("{}", std::min(ratio * b.hidden, limits::width.most)),
          "hidden_ratio x hidden_size"};
}

}  // namespace

void plan_rwkv7(Builder& b) {
  if (b.in.has("attn")) b.in.fail("attn", "layers of attention among them are not understood");
  const auto dim_key = b.in.any({"head_dim", "head_size"});
  constexpr std::int64_t usual_dim = 64;
  const std::int64_t dim = b.in.integer_or(dim_key, limits::head_dim, usual_dim, "RWKV7Config");
  const double of_head = static_cast<double>(dim) / static_cast<double>(usual_dim);
  const double of_decay = 2.5 * of_head, of_rate = 2.5 * of_head, of_value = 1.7 * of_head,
               of_gate = 5;
  Part part{"rwkv",
            {{"kind", "rwkv7", ""},
             {"heads", fmt::format("{}", state_heads(b, dim)), "hidden_size / head_dim"},
             {"head_dim", fmt::format("{}", dim), std::string(dim_key)},
             rank(b, "decay_rank", "decay_low_rank_dim", of_decay),
             rank(b, "rate_rank", "a_low_rank_dim", of_rate),
             rank(b, "value_rank", "v_low_rank_dim", of_value),
             rank(b, "gate_rank", "gate_low_rank_dim", of_gate)}};
  b.out.attention_of.assign(static_cast<size_t>(b.layers), part.name);
  add_part(b.out.attentions, std::move(part));
  b.out.ffn_of.assign(static_cast<size_t>(b.layers), "dense");
  add_part(
      b.out.ffns,
      {"dense",
       {{"kind", "dense", ""}, ffn_width(b), {"gated", "false", "squared ReLU: two matrices"}}});
  for (const char* said : {"value_dim", "attention_hidden_size", "hidden_ratio"})
    b.in.set_aside(said);
}

}  // namespace afford::config
