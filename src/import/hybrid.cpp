// Families of Mamba or short convolutions, most of them mixed with attention.
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"

namespace afford::config {
namespace {

/// The names families have for the shape of a Mamba-2 layer.
Part mamba_part(Builder& b) {
  const auto heads = b.in.any({"mamba_num_heads", "mamba_n_heads"});
  const auto dim = b.in.any({"mamba_head_dim", "mamba_d_head"});
  const auto state = b.in.any({"ssm_state_size", "mamba_d_state"});
  const auto groups = b.in.any({"mamba_n_groups", "n_groups"});
  const auto kernel = b.in.any({"conv_kernel", "mamba_d_conv"});
  Part part{"mamba",
            {{"kind", "mamba2", ""},
             integer_field(b, "heads", heads, limits::heads),
             integer_field(b, "head_dim", dim, limits::head_dim),
             integer_field(b, "state_dim", state, limits::head_dim),
             integer_field(b, "groups", groups, limits::heads),
             integer_field(b, "conv_kernel", kernel, limits::conv_kernel)}};
  if (integer_of(part, "heads") % integer_of(part, "groups") != 0) {
    b.in.fail(groups, fmt::format("{} heads must be a multiple of it, got {}",
                                  integer_of(part, "heads"), integer_of(part, "groups")));
  }
  for (const char* key :
       {"mamba_expand", "expand", "mamba_d_ssm", "mamba_chunk_size", "chunk_size", "mamba_dt_rank"})
    b.in.set_aside(key);
  return part;
}

/// How many channels a Mamba layer has: as stated where no FFN has that key, or a multiple of the
/// hidden state.
Field inner_channels(Builder& b, std::string_view stated) {
  if (!stated.empty() && b.in.has(stated))
    return integer_field(b, "channels", stated, limits::width);
  const auto expand = b.in.any({"mamba_expand", "expand"});
  constexpr std::int64_t usual = 2;
  const std::int64_t channels = b.hidden * b.in.integer_or(expand, {1, 16}, usual, "MambaConfig");
  return {"channels", fmt::format("{}", std::min(channels, limits::width.most)),
          fmt::format("{} x hidden_size", expand)};
}

}  // namespace

/// The first Mamba. dt_rank "auto" is a sixteenth of the hidden state.
Part mamba1_part(Builder& b, std::string_view channels) {
  const auto state = b.in.any({"mamba_d_state", "state_size"});
  const auto kernel = b.in.any({"mamba_d_conv", "conv_kernel"});
  const auto rank = b.in.any({"mamba_dt_rank", "time_step_rank"});
  constexpr std::int64_t share = 16;
  const json::Value* stated = b.in.find(rank);
  const bool automatic = stated == nullptr || stated->text == "auto";
  const std::int64_t steps =
      automatic ? (b.hidden + share - 1) / share : b.in.integer(rank, limits::width);
  Part part{"mamba", {{"kind", "mamba1", ""}, inner_channels(b, channels)}};
  part.fields.push_back(integer_field(b, "state_dim", state, limits::head_dim));
  part.fields.push_back(
      {"dt_rank", fmt::format("{}", steps), automatic ? "hidden_size / 16" : std::string(rank)});
  part.fields.push_back(integer_field(b, "conv_kernel", kernel, limits::conv_kernel));
  return part;
}

namespace {

void add_layer(Builder& b, Part attention, const std::string& ffn) {
  b.out.attention_of.push_back(attention.name);
  add_part(b.out.attentions, std::move(attention));
  b.out.ffn_of.push_back(ffn);
  if (ffn == "none") add_part(b.out.ffns, {"none", {{"kind", "none", ""}}});
}

Part dense_part(Builder& b, std::string_view key) {
  return {"dense", {{"kind", "dense", ""}, integer_field(b, "intermediate", key, limits::width)}};
}

/// One layer in each period, from the one at the offset on.
std::vector<bool> every(Builder& b, std::string_view period_key, std::string_view offset_key) {
  const std::int64_t period = b.in.integer(period_key, limits::layers);
  const std::int64_t offset = b.in.integer(offset_key, {0, limits::layers.most});
  std::vector<bool> layers(static_cast<size_t>(b.layers));
  for (std::int64_t i = 0; i < b.layers; ++i) layers[static_cast<size_t>(i)] = i % period == offset;
  return layers;
}

Field no_gate() { return {"gated", "false", "relu2: two matrices"}; }

/// Nemotron's experts have two matrices, as its dense FFN does.
Part nemotron_experts(Builder& b) {
  Part part = expert_part(b, "moe_intermediate_size");
  const auto latent = b.in.any({"moe_latent_size"});
  if (b.in.has(latent)) part.fields.push_back(integer_field(b, "latent", latent, limits::width));
  part.fields.push_back(no_gate());
  return part;
}

/// Nemotron-H's blocks as letters; newer configs list them by name.
std::string block_letters(Builder& b, std::string_view key) {
  if (key == "hybrid_override_pattern") return b.in.text(key);
  constexpr std::pair<std::string_view, char> letters[] = {
      {"mamba", 'M'},     {"linear_attention", 'M'},
      {"attention", '*'}, {"full_attention", '*'},
      {"mlp", '-'},       {"moe", 'E'}};
  std::string result;
  for (const std::string& type : b.in.texts(key)) {
    const auto letter = std::find_if(std::begin(letters), std::end(letters),
                                     [&](const auto& each) { return each.first == type; });
    if (letter == std::end(letters))
      b.in.fail(key, fmt::format("unknown block '{}'; expected mamba, attention, mlp or moe",
                                 type.substr(0, 40)));
    result += letter->second;
  }
  return result;
}

}  // namespace

/// Nemotron-H: a pattern of single blocks, M for Mamba-2, * for attention, - for an FFN and E for
/// experts. A mixer and the FFN behind it are one layer of ours.
void plan_nemotron_h(Builder& b) {
  const std::string_view key =
      b.in.has("layers_block_type") ? "layers_block_type" : "hybrid_override_pattern";
  const std::string pattern = block_letters(b, key);
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char block = pattern[i], next = i + 1 < pattern.size() ? pattern[i + 1] : ' ';
    if (block != 'M' && block != '*') {
      b.in.fail(key, fmt::format("expected M or * before each - or E, got '{}' as block {}", block,
                                 i + 1));
    }
    const bool dense = next == '-', experts = next == 'E';
    b.attention_numbers.push_back(static_cast<std::int64_t>(i));
    b.ffn_numbers.push_back(static_cast<std::int64_t>(i) + 1);
    if (dense) {
      Part part = dense_part(b, "intermediate_size");
      part.fields.push_back(no_gate());
      add_part(b.out.ffns, std::move(part));
    }
    if (experts) add_part(b.out.ffns, nemotron_experts(b));
    add_layer(b, block == 'M' ? mamba_part(b) : gqa_part(b, b.in, "attention"),
              dense     ? "dense"
              : experts ? "moe"
                        : "none");
    if (dense || experts) ++i;
  }
  if (b.out.attention_of.empty()) b.in.fail(key, "expected blocks, got none");
  b.layers = static_cast<std::int64_t>(b.out.attention_of.size());
  b.out.layers_comment = fmt::format("{}, {} blocks", key, pattern.size());
  for (const char* said :
       {"intermediate_size", "moe_intermediate_size", "n_routed_experts", "num_experts_per_tok",
        "n_shared_experts", "moe_latent_size", "moe_shared_expert_intermediate_size",
        "attention_head_dim", "sliding_window", "layers_block_type", "hybrid_override_pattern",
        "mtp_hybrid_override_pattern", "mtp_layers_block_type"})
    b.in.set_aside(said);
}

/// Mamba alone: no attention, no FFN.
void plan_mamba1(Builder& b) {
  const Part part = mamba1_part(b, "intermediate_size");
  for (std::int64_t i = 0; i < b.layers; ++i) add_layer(b, part, "none");
  for (const char* said : {"expand", "d_inner", "d_model", "n_layer", "ssm_cfg"})
    b.in.set_aside(said);
}

void plan_mamba2(Builder& b) {
  const Part part = mamba_part(b);
  for (std::int64_t i = 0; i < b.layers; ++i) add_layer(b, part, "none");
  b.in.set_aside("intermediate_size");
}

/// Jamba: attention in every attn_layer_period-th layer, the first Mamba in the others.
void plan_jamba(Builder& b) {
  const std::vector<bool> attention = every(b, "attn_layer_period", "attn_layer_offset");
  b.in.set_aside("layers_block_type");
  for (const bool softmax : attention) {
    Part part = softmax ? gqa_part(b, b.in, "attention") : mamba1_part(b);
    b.out.attention_of.push_back(part.name);
    add_part(b.out.attentions, std::move(part));
  }
}

/// Jamba: experts in every expert_layer_period-th layer; one expert is a dense FFN.
void plan_jamba_ffn(Builder& b) {
  std::vector<bool> experts = every(b, "expert_layer_period", "expert_layer_offset");
  const bool dense = b.in.integer_or("num_experts", limits::experts, 16, "JambaConfig") == 1;
  b.in.set_aside("layers_num_experts");
  if (dense) {
    experts.assign(experts.size(), false);
    b.in.set_aside("num_experts_per_tok");
  }
  for (const bool routed : experts) {
    b.out.ffn_of.emplace_back(routed ? "moe" : "dense");
    add_part(b.out.ffns,
             routed ? expert_part(b, "intermediate_size") : dense_part(b, "intermediate_size"));
  }
}

/// Granite 4 and Bamba: Mamba-2 or attention in each layer, an FFN behind each.
void plan_mamba_or_attention(Builder& b) {
  std::vector<bool> attention(static_cast<size_t>(b.layers), false);
  if (b.in.has("layer_types")) {
    const auto types = layer_types(b, {"mamba", "attention"});
    for (size_t i = 0; i < attention.size(); ++i) attention[i] = types[i] == "attention";
  } else {
    for (const std::int64_t layer : b.in.integers("attn_layer_indices", {0, b.layers - 1}))
      attention[static_cast<size_t>(layer)] = true;
  }
  for (const bool softmax : attention) {
    Part part = softmax ? gqa_part(b, b.in, "attention") : mamba_part(b);
    b.out.attention_of.push_back(part.name);
    add_part(b.out.attentions, std::move(part));
  }
}

/// Granite 4: experts with a shared MLP, or that MLP alone.
void plan_granite_hybrid(Builder& b) {
  const bool experts =
      b.in.has("num_local_experts") && b.in.integer("num_local_experts", {0, 1 << 16}) > 0;
  if (experts) return plan_all_moe(b);
  add_part(b.out.ffns, dense_part(b, "shared_intermediate_size"));
  b.out.ffn_of.assign(static_cast<size_t>(b.layers), "dense");
  for (const char* key : {"intermediate_size", "num_experts_per_tok"}) b.in.set_aside(key);
}

/// Falcon-H1: Mamba-2 and attention side by side in each layer, both before one FFN: two layers of
/// ours, the first without an FFN.
void plan_side_by_side(Builder& b) {
  if (b.layers > limits::layers.most / 2)
    b.in.fail("num_hidden_layers", fmt::format("more than {} layers", limits::layers.most / 2));
  add_part(b.out.ffns, dense_part(b, "intermediate_size"));
  for (std::int64_t i = 0; i < b.layers; ++i) {
    add_layer(b, mamba_part(b), "none");
    add_layer(b, gqa_part(b, b.in, "attention"), "dense");
    b.attention_numbers.insert(b.attention_numbers.end(), 2, i);
    b.ffn_numbers.insert(b.ffn_numbers.end(), 2, i);
  }
  b.layers *= 2;
  b.out.layers_comment += ", Mamba-2 and attention side by side in each";
}

/// LFM2: short convolutions and attention, as layer_types or as the layers with attention.
void plan_lfm2(Builder& b) {
  std::vector<std::string> types;
  if (b.in.has("full_attn_idxs") && !b.in.has("layer_types")) {
    types.assign(static_cast<size_t>(b.layers), "conv");
    for (const std::int64_t layer : b.in.integers("full_attn_idxs", {0, b.layers - 1}))
      types[static_cast<size_t>(layer)] = "full_attention";
  } else {
    types = layer_types(b, {"conv", "full_attention"});
  }
  const auto kernel = b.in.any({"conv_L_cache"});
  b.in.set_aside("conv_dim");
  for (const std::string& type : types) {
    Part part = type == "conv"
                    ? Part{"conv",
                           {{"kind", "short_conv", ""},
                            {"channels", fmt::format("{}", b.hidden), "hidden_size"},
                            integer_field(b, "conv_kernel", kernel, limits::conv_kernel)}}
                    : gqa_part(b, b.in, "attention");
    b.out.attention_of.push_back(part.name);
    add_part(b.out.attentions, std::move(part));
  }
  for (const char* key : {"full_attn_idxs", "conv_dim_out", "num_attention_heads",
                          "num_key_value_heads", "num_heads"})
    b.in.set_aside(key);
}

/// LFM2 states its width before two thirds are taken and rounded up to block_multiple_of; LFM2-MoE
/// starts with num_dense_layers.
void plan_lfm2_ffn(Builder& b) {
  if (b.in.has("num_experts")) return plan_first_dense(b);
  const auto key = b.in.any({"block_ff_dim", "intermediate_size"});
  Part part = dense_part(b, key);
  if (b.in.flag("block_auto_adjust_ff_dim", false, "Lfm2Config of configs that say so")) {
    const std::int64_t multiple =
        b.in.integer_or("block_multiple_of", limits::width, 256, "Lfm2Config");
    const std::int64_t two_thirds = 2 * integer_of(part, "intermediate") / 3;
    const std::int64_t width = (two_thirds + multiple - 1) / multiple * multiple;
    if (width > limits::width.most || width < 1)
      b.in.fail(key, "two thirds of it, rounded up, is no width");
    part.fields.back() = {"intermediate", fmt::format("{}", width),
                          fmt::format("2/3 of {}, rounded up", key)};
  }
  for (const char* said : {"block_ffn_dim_multiplier", "block_multiple_of", "intermediate_size",
                           "block_ff_dim", "block_dim", "block_use_swiglu", "block_mlp_init_scale",
                           "block_out_init_scale", "block_use_xavier_init"})
    b.in.set_aside(said);
  add_part(b.out.ffns, std::move(part));
  b.out.ffn_of.assign(static_cast<size_t>(b.layers), "dense");
}

}  // namespace afford::config
