#pragma once
// A model as the shapes that decide what a decoded token costs. Plain data; read from YAML by
// load/model_reader.cpp, counted by count/.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "spec/dtype.hpp"
#include "spec/source.hpp"

namespace afford {

/// How far back a token attends. Chunked attention restarts at every multiple of `tokens`; the
/// paper charges it as a full chunk, and so do we. Selected: the whole context is kept, the best
/// `tokens` are read.
struct Reach {
  enum class Kind { full, sliding, chunked, selected };
  Kind kind = Kind::full;
  std::int64_t tokens = 0;
};

/// A sigmoid gate on what the core puts out: one for every element, or one for every head.
enum class OutputGate { none, element, head };

/// Multi-head, multi-query and grouped-query attention: `kv_heads` pairs of key and value heads. A
/// layer that reuses KV has no key and value projections and reads the cache of an earlier layer.
struct Gqa {
  std::int64_t query_heads = 0, kv_heads = 0, head_dim = 0;
  Reach reach;
  OutputGate gate = OutputGate::none;
  bool reuses_kv = false;
};

/// Multi-matrix factorization attention (Step-3): the query goes hidden -> query_rank -> heads, all
/// query heads share one key head and one value head.
struct Mfa {
  std::int64_t query_heads = 0, head_dim = 0, query_rank = 0;
};

/// Multi-head latent attention (DeepSeek), decoded in absorbed form. query_rank 0: no query
/// compression.
struct Mla {
  std::int64_t query_heads = 0, query_rank = 0, kv_rank = 0, nope_dim = 0, rope_dim = 0,
               value_dim = 0;
  bool output_gate = false;
};

/// The lightning indexer (DeepSeek-V3.2): small heads score every cached key, the best `top_k` are
/// attended.
struct Indexer {
  std::int64_t heads = 0, head_dim = 0, top_k = 0;
};

/// DeepSeek sparse attention: MLA over the tokens the indexer selects.
struct Dsa {
  Mla mla;
  Indexer indexer;
};

/// Compressed attention (DeepSeek-V4): all heads share one vector per position that is key and
/// value at once. The last `window` positions are kept as they are; beyond, every `stride` tokens
/// are pooled into one entry (stride 0: nothing beyond the window), of which the indexer, where
/// there is one, selects. The output passes `output_groups` low-rank maps of output_rank.
struct CompressedMqa {
  std::int64_t query_heads = 0, head_dim = 0, query_rank = 0, output_groups = 0, output_rank = 0;
  std::int64_t window = 0, stride = 0;
  std::optional<Indexer> indexer;
};

/// Gated delta net (Qwen3-Next): a key_dim x value_dim state per value head, behind a short
/// convolution.
struct GatedDeltaNet {
  std::int64_t key_heads = 0, value_heads = 0, key_dim = 0, value_dim = 0, conv_kernel = 0;
};

/// Kimi delta attention: a delta net that decays each key channel by itself. Its output gate is a
/// full matrix or goes through head_dim.
struct Kda {
  std::int64_t heads = 0, head_dim = 0, conv_kernel = 0;
  bool full_rank_gate = false;
};

/// Lightning (linear) attention (MiniMax): a head_dim x head_dim state per head instead of a KV
/// cache.
struct Lightning {
  std::int64_t heads = 0, head_dim = 0;
};

using AttentionShape =
    std::variant<Gqa, Mfa, Mla, Lightning, Dsa, CompressedMqa, GatedDeltaNet, Kda>;

/// Whether this kind carries a recurrent state instead of a KV cache.
[[nodiscard]] inline bool is_recurrent(const AttentionShape& shape) {
  return std::holds_alternative<Lightning>(shape) || std::holds_alternative<GatedDeltaNet>(shape) ||
         std::holds_alternative<Kda>(shape);
}

struct AttentionSpec {
  std::string name;  // the user's, as the layer pattern uses it
  AttentionShape shape;
  std::optional<Dtype> cache;  // KV cache or state, where it differs from precision.kv
  std::string source;
};

struct Dense {
  std::int64_t intermediate = 0;
};

/// `active` of `experts` routed experts plus every shared expert. All gated (three matrices).
/// Routed experts may work on `latent` numbers instead of the hidden state; one matrix leads there
/// and one back.
struct Moe {
  std::int64_t experts = 0, active = 0, intermediate = 0;
  std::int64_t shared_experts = 0, shared_intermediate = 0;
  std::int64_t latent = 0;  // 0: the hidden state itself
};

using FfnShape = std::variant<Dense, Moe>;

struct FfnSpec {
  std::string name;
  FfnShape shape;
  std::string source;
  // Where they differ from precision.ffn_weights; shared experts follow `weights` unless they have
  // their own.
  std::optional<Dtype> weights, shared_weights;
};

/// All layers with the same attention and the same FFN (indices into the lists of the model).
struct LayerKind {
  size_t attention = 0, ffn = 0;
  std::int64_t layers = 0;
};

/// What is stored and computed in which format.
struct Precision {
  Dtype attention_weights = Dtype::fp8, ffn_weights = Dtype::fp8, kv = Dtype::fp8;
  Dtype attention_compute = Dtype::fp8, linear_compute = Dtype::fp8, ffn_compute = Dtype::fp8;
  std::string source;
};

/// A parameter count as its publisher states it. `printed_to` is the last digit's worth: "37B" is
/// 1e9. Some publishers cut the digits behind it instead of rounding.
struct PublishedCount {
  double value = 0, printed_to = 0;
  bool cut = false;
  bool embedding = true, lm_head = true;  // whether the publisher counts them
  std::string source;
};

struct ModelSpec {
  std::string name, title, file;
  Sources sources;
  std::int64_t hidden = 0, vocab = 0;
  bool tied_embeddings = false;
  std::string shape_source;
  std::vector<AttentionSpec> attentions;
  std::vector<FfnSpec> ffns;
  std::vector<LayerKind> layer_kinds;
  std::string layers_source;
  Precision precision;
  std::optional<LayerKind> mtp;  // its multi-token-prediction modules, where it has any
  std::optional<PublishedCount> total_params, active_params;
};

[[nodiscard]] inline std::int64_t layer_count(const ModelSpec& model) {
  std::int64_t layers = 0;
  for (const LayerKind& kind : model.layer_kinds) layers += kind.layers;
  return layers;
}

/// The most frequent kind of layer (the first of those that tie).
[[nodiscard]] inline const LayerKind& main_layer_kind(const ModelSpec& model) {
  const LayerKind* main = &model.layer_kinds.front();
  for (const LayerKind& kind : model.layer_kinds) {
    if (kind.layers > main->layers) main = &kind;
  }
  return *main;
}

}  // namespace afford
