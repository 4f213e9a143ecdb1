// Zamba and Zamba2: Mamba layers, and attention blocks whose weights many layers share.
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"

namespace afford::config {
namespace {

constexpr std::string_view types_key = "layers_block_type", ids_key = "hybrid_layer_ids";

/// Which layers start with a shared block.
std::vector<bool> hybrid_layers(Builder& b) {
  std::vector<bool> hybrid(static_cast<size_t>(b.layers), false);
  if (b.in.has(types_key)) {
    const auto types = b.in.texts(types_key);
    if (types.size() != hybrid.size())
      b.in.fail(types_key, fmt::format("expected one entry for each of {} layers, got {}", b.layers,
                                       types.size()));
    for (size_t i = 0; i < types.size(); ++i) {
      if (types[i] != "mamba" && types[i] != "hybrid" && types[i] != "m" && types[i] != "g")
        b.in.fail(types_key, fmt::format("unknown block '{}'; expected mamba or hybrid",
                                         types[i].substr(0, 40)));
      hybrid[i] = types[i] == "hybrid" || types[i] == "g";
    }
    b.in.set_aside(ids_key);
    return hybrid;
  }
  for (const std::int64_t layer : b.in.integers(ids_key, {0, b.layers - 1}))
    hybrid[static_cast<size_t>(layer)] = true;
  return hybrid;
}

/// Zamba's class writes no list: two Mamba layers and a block, then one in each period.
std::vector<bool> periodic_layers(Builder& b) {
  constexpr size_t before = 3;
  const std::int64_t period = b.in.integer("attn_layer_period", limits::layers);
  const std::int64_t offset = b.in.integer("attn_layer_offset", {0, limits::layers.most});
  std::vector<bool> hybrid(static_cast<size_t>(b.layers), false);
  for (size_t i = before - 1; i < hybrid.size(); ++i)
    hybrid[i] = i < before || static_cast<std::int64_t>(i - before) % period == offset;
  return hybrid;
}

/// Mamba-2 by its heads, by their width, or by both; the first configs have names of their own.
Part zamba2_mamba(Builder& b) {
  const auto expand = b.in.any({"mamba_expand", "expansion_factor"});
  const auto state = b.in.any({"mamba_d_state", "state_size"});
  const auto kernel = b.in.any({"mamba_d_conv", "conv_dimension"});
  constexpr std::int64_t usual_expand = 2, usual_heads = 8, usual_kernel = 4;
  const std::int64_t inner =
      b.hidden * b.in.integer_or(expand, {1, 16}, usual_expand, "Zamba2Config");
  const bool by_width = !b.in.has("n_mamba_heads") && b.in.has("mamba_headdim");
  const std::int64_t part =
      by_width ? b.in.integer("mamba_headdim", limits::head_dim)
               : b.in.integer_or("n_mamba_heads", limits::heads, usual_heads, "Zamba2Config");
  const std::int64_t heads = by_width ? inner / part : part, dim = inner / heads;
  const std::int64_t groups = b.in.integer_or("mamba_ngroups", limits::heads, 1, "Zamba2Config");
  if (heads < 1 || heads * dim != inner || heads % groups != 0 || dim > limits::head_dim.most) {
    b.in.fail(by_width ? "mamba_headdim" : "n_mamba_heads",
              fmt::format("{} channels and {} groups do not divide by it", inner, groups));
  }
  b.in.set_aside("mamba_headdim");
  return {"mamba",
          {{"kind", "mamba2", ""},
           {"heads", fmt::format("{}", heads), "n_mamba_heads"},
           {"head_dim", fmt::format("{}", dim), "mamba_expand x hidden_size / n_mamba_heads"},
           integer_field(b, "state_dim", state, limits::head_dim),
           {"groups", fmt::format("{}", groups), "mamba_ngroups"},
           {"conv_kernel",
            fmt::format("{}",
                        b.in.integer_or(kernel, limits::conv_kernel, usual_kernel, "Zamba2Config")),
            std::string(kernel)}}};
}

/// A stated width or head, or the share of twice the hidden state that the class takes.
Part block_attention(Builder& b) {
  const std::int64_t heads = b.in.integer("num_attention_heads", limits::heads);
  const std::int64_t kv =
      b.in.integer_or("num_key_value_heads", limits::heads, heads, "as many as query heads");
  if (heads % kv != 0)
    b.in.fail("num_key_value_heads",
              fmt::format("num_attention_heads ({}) must be a multiple of it, got {}", heads, kv));
  const std::int64_t even =
      std::clamp<std::int64_t>(2 * b.hidden / heads, 1, limits::head_dim.most);
  const std::int64_t dim = b.in.integer_or("attention_head_dim", limits::head_dim, even,
                                           "2 x hidden_size / num_attention_heads");
  return {"shared",
          {{"kind", "concat", ""},
           {"query_heads", fmt::format("{}", heads), "num_attention_heads"},
           {"kv_heads", fmt::format("{}", kv), "num_key_value_heads"},
           {"head_dim", fmt::format("{}", dim), "attention_head_dim"}}};
}

void add_adapter(Builder& b, Part& part, std::string_view flag) {
  if (!b.in.flag(flag, false, "Zamba2Config")) return;
  const auto rank = b.in.any({"adapter_rank", "lora_rank"});
  constexpr std::int64_t usual = 128;
  part.fields.push_back(
      {"adapter_rank",
       fmt::format("{}", b.in.integer_or(rank, limits::width, usual, "Zamba2Config")),
       std::string(rank)});
}

Part block_ffn(Builder& b) {
  const auto key = b.in.any({"intermediate_size", "ffn_hidden_size"});
  constexpr std::int64_t ratio = 4;
  const std::int64_t width = b.in.integer_or(
      key, limits::width, std::min(ratio * b.hidden, limits::width.most), "4 x hidden_size");
  return {"shared",
          {{"kind", "dense", ""}, {"intermediate", fmt::format("{}", width), std::string(key)}}};
}

/// All uses of the blocks share so many sets of weights.
void share(Part& part, std::int64_t sets, std::int64_t uses) {
  if (sets >= uses) return;
  part.fields.push_back({"weight_sets", fmt::format("{}", sets), "num_mem_blocks"});
}

/// A hybrid layer is a shared block and the Mamba layer behind it: two layers of ours.
void plan_blocks(Builder& b, const std::vector<bool>& hybrid, const Part& mamba) {
  const std::int64_t uses = std::count(hybrid.begin(), hybrid.end(), true);
  if (b.layers + uses > limits::layers.most)
    b.in.fail("num_hidden_layers", fmt::format("more than {} layers", limits::layers.most - uses));
  const std::int64_t sets =
      b.in.integer_or("num_mem_blocks", limits::layers, 1, "one block for all its uses");
  Part attention = block_attention(b), ffn = block_ffn(b);
  add_adapter(b, attention,
              b.in.any({"use_shared_attention_adapter", "use_shared_attention_lora"}));
  add_adapter(b, ffn, b.in.any({"use_shared_mlp_adapter", "use_shared_block_lora"}));
  share(attention, sets, uses);
  share(ffn, sets, uses);
  for (size_t i = 0; i < hybrid.size(); ++i) {
    const auto number = static_cast<std::int64_t>(i);
    const auto add = [&](const Part& first, const Part& second) {
      b.out.attention_of.push_back(first.name);
      b.out.ffn_of.push_back(second.name);
      b.attention_numbers.push_back(number);
      b.ffn_numbers.push_back(number);
      add_part(b.out.attentions, first);
      add_part(b.out.ffns, second);
    };
    if (hybrid[i]) add(attention, ffn);
    add(mamba, {"none", {{"kind", "none", ""}}});
  }
  b.out.layers_comment += fmt::format(", {} of them with a shared block before", uses);
  b.layers += uses;
  for (const char* said :
       {"attention_hidden_size", "kv_channels", "num_query_groups", "adapter_rank", "lora_rank",
        "ffn_hidden_size", "gated_linear_unit", "ft_lora", "num_mem_blocks", "chunk_size"})
    b.in.set_aside(said);
}

}  // namespace

void plan_zamba2(Builder& b) {
  const std::vector<bool> hybrid = hybrid_layers(b);
  plan_blocks(b, hybrid, zamba2_mamba(b));
}

void plan_zamba(Builder& b) {
  const bool listed = b.in.has(types_key) || b.in.has(ids_key);
  const std::vector<bool> hybrid = listed ? hybrid_layers(b) : periodic_layers(b);
  b.in.set_aside("n_mamba_heads");  // of the second projection, whose weights are the same
  plan_blocks(b, hybrid, mamba1_part(b));
  for (const char* said : {"attn_layer_period", "attn_layer_offset"}) b.in.set_aside(said);
}

}  // namespace afford::config
