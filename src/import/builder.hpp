#pragma once
// What the families share while a config becomes a draft.

#include "import/checkpoint.hpp"
#include "import/config.hpp"
#include "import/draft.hpp"
#include "spec/limits.hpp"

namespace afford::config {

struct Family;

struct Builder {
  Config& in;
  Draft& out;
  const Beside* beside = nullptr;  // what states formats beside the config
  const Family* family = nullptr;
  std::int64_t hidden = 0, layers = 0;
  std::vector<bool> moe;  // which layers have experts
  // The numbers that checkpoints give the attention and the FFN of each layer, where they are not
  // the layer's own.
  std::vector<std::int64_t> attention_numbers, ffn_numbers;
};

/// How a family lays out its attention, and its FFN.
using Planner = void (*)(Builder&);

/// A model type of Hugging Face and how its layers are built.
struct Family {
  std::string_view model_type;
  Planner attention, ffn;
  bool tied = false;  // the default of tie_word_embeddings
};

/// The family's attention and FFN; where layers override keys, with the overrides of each.
void plan_layers(Builder& b);

/// Why a model_type is known and cannot be counted; empty: it is not one of those.
[[nodiscard]] std::string_view why_refused(std::string_view model_type);

/// The family of a model_type, or null; and every model_type there is one for.
[[nodiscard]] const Family* find_family(std::string_view model_type);
[[nodiscard]] std::vector<std::string_view> model_types();

/// What a model_type's class fills in for keys that are left out, and the names it has for keys.
[[nodiscard]] std::vector<Default> class_defaults(std::string_view model_type);
[[nodiscard]] std::vector<KeyName> names_of_keys(std::string_view model_type);

// windows.cpp
/// "full_attention" or "sliding_attention" for each layer; nothing where all see everything.
[[nodiscard]] std::vector<std::string> window_types(Builder& b);
/// The texts of `layer_types`, one for each layer, checked to be one of `known`.
[[nodiscard]] std::vector<std::string> layer_types(Builder& b,
                                                   std::initializer_list<std::string_view> known);

// attention.cpp: GQA with windows, chunks, gates; MFA.
void plan_gqa(Builder& b);
void plan_llama4(Builder& b);
void plan_gpt_oss(Builder& b);
void plan_step(Builder& b);
void plan_shared_kv(Builder& b);
void plan_gated_gqa(Builder& b);

// lightning.cpp
void plan_minimax(Builder& b);
void plan_grouped_lightning(Builder& b);

// searched_blocks.cpp: attention and FFN of each layer of their own; plans the FFNs, too.
void plan_searched_blocks(Builder& b);

// latent_attention.cpp: two latents a layer, delta nets.
void plan_qwen_delta(Builder& b);
void plan_kimi_linear(Builder& b);
void plan_longcat(Builder& b);

// sparse_attention.cpp: MLA, with and without a selection; selected blocks; compressed attention.
void plan_mla(Builder& b);
void plan_compressed(Builder& b);
void plan_msa(Builder& b);
/// The keys of DeepSeek's indexer, added to a part.
void add_indexer(Builder& b, Part& part);

// ffn.cpp
void plan_dense(Builder& b);
void plan_first_dense(Builder& b);
void plan_sparse_step(Builder& b);
void plan_all_moe(Builder& b);
void plan_llama4_moe(Builder& b);
void plan_step_moe(Builder& b);
void plan_ernie_moe(Builder& b);
void plan_moe_beside_dense(Builder& b);
void plan_arctic_moe(Builder& b);
void plan_longcat_moe(Builder& b);
void plan_minimax_moe(Builder& b);

// ungated.cpp: FFNs of two matrices; the shapes of older families.
void plan_ungated(Builder& b);
void plan_falcon(Builder& b);
void plan_mpt(Builder& b);
void plan_mpt_ffn(Builder& b);
void plan_halved_dense(Builder& b);

// hybrid.cpp: Mamba and short convolutions, alone or beside attention. Nemotron-H's and Falcon-H1's
// plan the FFNs, too.
void plan_mamba1(Builder& b);
void plan_mamba2(Builder& b);
void plan_jamba(Builder& b);
void plan_jamba_ffn(Builder& b);
void plan_nemotron_h(Builder& b);
void plan_mamba_or_attention(Builder& b);
void plan_side_by_side(Builder& b);
void plan_granite_hybrid(Builder& b);
void plan_lfm2(Builder& b);
void plan_lfm2_ffn(Builder& b);
inline void plan_nothing(Builder&) {}

/// Mamba as the families spell it; `channels`: the key of their number, where no FFN has it.
[[nodiscard]] Part mamba1_part(Builder& b, std::string_view channels = {});

// zamba.cpp: Mamba, and blocks whose weights many layers share; plan the FFNs, too.
void plan_zamba(Builder& b);
void plan_zamba2(Builder& b);

// rwkv.cpp: plans the FFN, too.
void plan_rwkv7(Builder& b);

// openelm.cpp
void plan_openelm(Builder& b);
void plan_openelm_ffn(Builder& b);

// gemma.cpp
void plan_gemma4(Builder& b);
void plan_gemma4_ffn(Builder& b);

// towers.cpp: what is held in memory beside the language model.
void plan_towers(Builder& b);
struct Held {
  std::string name;
  double params = 0;
  std::string comment;
};
/// Adds it, unless it is more than a model file may state. `key`: where its shape stands.
void hold(Builder& b, std::string_view key, const Held& held);

// precision.cpp: formats out of quantization_config, or those of the Step-3 report. Last, when all
// parts are there.
void plan_precision(Builder& b);

/// "64  # num_attention_heads" as a field, checked.
[[nodiscard]] Field integer_field(Builder& b, std::string key, std::string_view from,
                                  yaml::Range range);
[[nodiscard]] std::int64_t integer_of(const Part& part, std::string_view key);
/// How many routed experts; 0 where the config has none.
[[nodiscard]] std::int64_t expert_count(Builder& b);
/// One expert part: how many, how many a token visits, how wide (`width_key`), and shared ones.
[[nodiscard]] Part expert_part(Builder& b, std::string_view width_key);
/// Adds the part unless one of that name is there.
void add_part(std::vector<Part>& parts, Part part);

/// The names of the keys that give an attention's heads.
struct HeadKeys {
  std::string_view heads = "num_attention_heads", kv_heads = "num_key_value_heads",
                   dim = "head_dim", value_dim = "v_head_dim";
};
/// Keys of one head, and where they stand: stated, or an even share of the hidden state.
[[nodiscard]] std::pair<std::int64_t, std::string> head_dim_of(Builder& b, Config& in,
                                                               std::int64_t heads,
                                                               std::string_view key);
/// Grouped-query attention as most configs spell it, from `in` (the config, or an object in it).
[[nodiscard]] Part gqa_part(Builder& b, Config& in, const std::string& name,
                            const HeadKeys& keys = {});
/// Multi-head latent attention; DSA where the config has an indexer.
[[nodiscard]] Part mla_part(Builder& b, const std::string& name);

}  // namespace afford::config
