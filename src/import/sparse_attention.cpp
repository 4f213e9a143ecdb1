// Sparse attention: what an indexer selects (DSA, MSA), what is compressed (CSA).
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "import/builder.hpp"

namespace afford::config {

/// The keys of DeepSeek's indexer.
void add_indexer(Builder& b, Part& part) {
  part.fields.push_back(integer_field(b, "index_heads", "index_n_heads", limits::heads));
  part.fields.push_back(integer_field(b, "index_dim", "index_head_dim", limits::head_dim));
  part.fields.push_back(integer_field(b, "top_k", "index_topk", limits::tokens));
}

namespace {

/// Whether some layers attend what an earlier one selected. A frequency of 1 says that none does.
bool shares_selection(Builder& b) {
  const std::int64_t every =
      b.in.has("index_topk_freq") ? b.in.integer("index_topk_freq", {0, limits::layers.most}) : 1;
  return b.in.has("indexer_types") || b.in.has("index_topk_pattern") || every > 1;
}

/// "full" or "shared" for each layer: a list, letters F and S, or every how many layers there is an
/// indexer behind the first ones.
std::vector<std::string> selection_types(Builder& b) {
  constexpr std::string_view letters = "index_topk_pattern";
  if (b.in.has("indexer_types")) return b.in.texts("indexer_types");
  std::vector<std::string> types;
  if (b.in.has(letters)) {
    for (const char letter : b.in.text(letters))
      types.emplace_back(letter == 'F' ? "full" : letter == 'S' ? "shared" : "");
    return types;
  }
  const std::int64_t every = b.in.integer("index_topk_freq", limits::layers);
  const std::int64_t first =
      b.in.integer_or("index_skip_topk_offset", {0, limits::layers.most}, 2, "GlmMoeDsaConfig");
  for (std::int64_t i = 0; i < b.layers; ++i)
    types.emplace_back(std::max<std::int64_t>(i - first + 1, 0) % every == 0 ? "full" : "shared");
  return types;
}

/// GLM-5.2: layers whose indexer_types is "shared" attend what the last "full" one selected.
void plan_shared_selection(Builder& b) {
  const std::vector<std::string> types = selection_types(b);
  if (types.size() < static_cast<size_t>(b.layers)) {
    b.in.fail("indexer_types", fmt::format("expected one entry for each of {} layers, got {}",
                                           b.layers, types.size()));
  }
  for (std::int64_t i = 0; i < b.layers; ++i) {
    const std::string& type = types[static_cast<size_t>(i)];
    if (type != "full" && type != "shared") {
      b.in.fail("indexer_types",
                fmt::format("unknown value '{}'; expected full or shared", type.substr(0, 40)));
    }
    const std::string name = type == "full" ? "dsa" : "dsa-shared";
    Part part = mla_part(b, name);
    if (type == "shared") part.fields.push_back({"reuses_selection", "true", "indexer_types"});
    b.out.attention_of.push_back(name);
    add_part(b.out.attentions, std::move(part));
  }
}

}  // namespace

void plan_mla(Builder& b) {
  if (b.in.has("use_mla") && !b.in.flag("use_mla", true, "")) return plan_gqa(b);
  const bool sparse = b.in.has("index_topk");
  if (b.in.has("layer_types"))
    (void)layer_types(
        b, {sparse ? "deepseek_sparse_attention" : "full_attention", "indexed_attention"});
  for (const char* key : {"index_topk_freq", "index_topk_pattern", "index_skip_topk_offset"})
    b.in.set_aside(key);
  if (sparse && shares_selection(b)) return plan_shared_selection(b);
  const std::string name = sparse ? "dsa" : "mla";
  b.out.attention_of.assign(static_cast<size_t>(b.layers), name);
  add_part(b.out.attentions, mla_part(b, name));
}

namespace {

/// Which layers of MiniMax-M3 attend selected blocks: layer_types, or a flag for each layer in
/// sparse_attention_config.
std::vector<bool> block_sparse_layers(Builder& b, Config* sparse) {
  constexpr std::string_view key = "sparse_attention_freq";
  std::vector<bool> layers(static_cast<size_t>(b.layers), true);
  if (b.in.has("layer_types")) {
    const auto types = layer_types(b, {"full_attention", "minimax_m3_sparse"});
    for (size_t i = 0; i < layers.size(); ++i) layers[i] = types[i] == "minimax_m3_sparse";
  } else if (sparse == nullptr || !sparse->flag("use_sparse_attention", true, "MiniMax-M3")) {
    layers.assign(layers.size(), false);
  } else if (sparse->has(key)) {
    const auto flags = sparse->integers(key, {0, 1});
    if (flags.size() < layers.size())
      sparse->fail(key, fmt::format("expected one entry for each of {} layers, got {}", b.layers,
                                    flags.size()));
    for (size_t i = 0; i < layers.size(); ++i) layers[i] = flags[i] == 1;
  }
  return layers;
}

/// The names of the indexer's keys: in sparse_attention_config, and as transformers writes them.
struct BlockKeys {
  std::string_view heads, dim, blocks, block;
};
constexpr BlockKeys block_keys{"sparse_num_index_heads", "sparse_index_dim", "sparse_topk_blocks",
                               "sparse_block_size"},
    flat_block_keys{"index_n_heads", "index_head_dim", "index_topk_blocks", "index_block_size"};

Part msa_part(Builder& b, Config& in, const BlockKeys& keys) {
  Part part = gqa_part(b, b.in, "msa");
  part.fields.front().value = "msa";
  const std::int64_t blocks = in.integer(keys.blocks, limits::heads);
  const std::int64_t block = in.integer(keys.block, limits::heads);
  const auto add = [&](std::string key, std::int64_t value, std::string_view from) {
    part.fields.push_back(
        {std::move(key), fmt::format("{}", value), in.prefix() + std::string(from)});
  };
  add("index_heads", in.integer(keys.heads, limits::heads), keys.heads);
  add("index_dim", in.integer(keys.dim, limits::head_dim), keys.dim);
  add("top_k", blocks * block, fmt::format("{} x {}", keys.blocks, keys.block));
  for (const char* said : {"sparse_score_type", "sparse_init_block", "sparse_local_block",
                           "index_local_blocks", "sparse_disable_index_value"})
    in.set_aside(said);
  return part;
}

}  // namespace

/// MiniMax-M2 and M3: grouped-query attention, in M3's later layers over selected blocks.
void plan_msa(Builder& b) {
  const bool nested = b.in.has("sparse_attention_config");
  std::optional<Config> sparse;
  if (nested) sparse.emplace(b.in.object("sparse_attention_config"));
  const bool flat = !nested && b.in.has("index_topk_blocks");
  if (!nested && !flat) return plan_minimax(b);
  for (const bool selects : block_sparse_layers(b, nested ? &*sparse : nullptr)) {
    Part part = !selects ? gqa_part(b, b.in, "full")
                : nested ? msa_part(b, *sparse, block_keys)
                         : msa_part(b, b.in, flat_block_keys);
    b.out.attention_of.push_back(part.name);
    add_part(b.out.attentions, std::move(part));
  }
  if (nested) {
    for (const std::string_view said :
         {block_keys.heads, block_keys.dim, block_keys.blocks, block_keys.block,
          std::string_view("sparse_attention_freq"), std::string_view("use_sparse_attention")})
      sparse->set_aside(said);
    b.in.absorb(*sparse);
  }
}

namespace {

/// How many tokens each layer pools into one entry, 0 for its window alone: compress_ratios, or as
/// transformers writes it, layer_types and the rate of each type.
std::vector<std::int64_t> compression_strides(Builder& b) {
  constexpr std::string_view sparse = "compressed_sparse_attention",
                             heavy = "heavily_compressed_attention";
  if (b.in.has("compress_ratios")) {
    auto strides = b.in.integers("compress_ratios", {0, limits::tokens.most});
    if (strides.size() < static_cast<size_t>(b.layers)) {  // MTP modules may follow
      b.in.fail("compress_ratios", fmt::format("expected one entry for each of {} layers, got {}",
                                               b.layers, strides.size()));
    }
    strides.resize(static_cast<size_t>(b.layers));
    b.in.set_aside("layer_types");
    b.in.set_aside("compress_rates");
    return strides;
  }
  std::int64_t sparse_stride = 4, heavy_stride = 128;  // DeepseekV4Config
  if (b.in.has("compress_rates")) {
    Config rates = b.in.object("compress_rates");
    sparse_stride = rates.integer(sparse, limits::tokens);
    heavy_stride = rates.integer(heavy, limits::tokens);
    b.in.absorb(rates);
  }
  std::vector<std::int64_t> strides;
  if (!b.in.has("layer_types")) {
    b.in.note_default("layer_types", "two heavily compressed, then heavily and sparse in turn",
                      "DeepseekV4Config");
    for (std::int64_t i = 0; i < b.layers; ++i)
      strides.push_back(i >= 2 && i % 2 == 1 ? sparse_stride : heavy_stride);
    return strides;
  }
  for (const std::string& type : layer_types(b, {"sliding_attention", sparse, heavy}))
    strides.push_back(type == sparse ? sparse_stride : type == heavy ? heavy_stride : 0);
  return strides;
}

}  // namespace

/// DeepSeek-V4: compress_ratios gives each layer's stride, 0 for the window alone; layers with the
/// small stride of 4 have an indexer, the others read every entry.
void plan_compressed(Builder& b) {
  constexpr std::int64_t indexed_stride = 4;
  constexpr size_t most_strides = 16;
  const std::vector<std::int64_t> strides = compression_strides(b);
  if (b.in.integer("num_key_value_heads", limits::heads) != 1) {
    b.in.fail("num_key_value_heads", "compressed attention has one key-value head");
  }
  for (size_t i = 0; i < static_cast<size_t>(b.layers); ++i) {
    const std::int64_t stride = strides[i];
    Part part{stride == 0 ? "window" : fmt::format("every-{}", stride),
              {{"kind", "csa", ""},
               integer_field(b, "query_heads", "num_attention_heads", limits::heads),
               integer_field(b, "head_dim", "head_dim", limits::head_dim),
               integer_field(b, "query_rank", "q_lora_rank", limits::width),
               integer_field(b, "output_groups", "o_groups", limits::heads),
               integer_field(b, "output_rank", "o_lora_rank", limits::width),
               integer_field(b, "window", "sliding_window", limits::tokens)}};
    if (integer_of(part, "query_heads") % integer_of(part, "output_groups") != 0) {
      b.in.fail("o_groups", "num_attention_heads must be a multiple of it");
    }
    if (stride > 0) part.fields.push_back({"stride", fmt::format("{}", stride), "compress_ratios"});
    if (stride == indexed_stride) add_indexer(b, part);
    b.out.attention_of.push_back(part.name);
    add_part(b.out.attentions, std::move(part));
    if (b.out.attentions.size() > most_strides) {
      b.in.fail("compress_ratios", fmt::format("more than {} different strides", most_strides));
    }
  }
  // Both halves of a head are part of head_dim.
  for (const char* key :
       {"qk_rope_head_dim", "qk_nope_head_dim", "index_n_heads", "index_head_dim", "index_topk"})
    b.in.set_aside(key);
}

}  // namespace afford::config
