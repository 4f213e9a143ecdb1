#pragma once
// What the families share while a config becomes a draft.

#include "import/config.hpp"
#include "import/draft.hpp"
#include "spec/limits.hpp"

namespace afford::config {

struct Family;

struct Builder {
  Config& in;
  Draft& out;
  const Family* family = nullptr;
  std::int64_t hidden = 0, layers = 0;
  std::vector<bool> moe;  // which layers have experts
};

/// How a family lays out its attention, and its FFN.
using Planner = void (*)(Builder&);

/// A model type of Hugging Face and how its layers are built.
struct Family {
  std::string_view model_type;
  Planner attention, ffn;
};

/// The family of a model_type, or null; and every model_type there is one for.
[[nodiscard]] const Family* find_family(std::string_view model_type);
[[nodiscard]] std::vector<std::string_view> model_types();

// attention.cpp: GQA with windows, chunks, lightning layers, gates; MFA.
void plan_gqa(Builder& b);
void plan_llama4(Builder& b);
void plan_minimax(Builder& b);
void plan_gpt_oss(Builder& b);
void plan_step(Builder& b);
void plan_shared_kv(Builder& b);

// latent_attention.cpp: MLA, DSA, delta nets, compressed attention.
void plan_mla(Builder& b);
void plan_qwen_delta(Builder& b);
void plan_kimi_linear(Builder& b);
void plan_compressed(Builder& b);

// ffn.cpp
void plan_dense(Builder& b);
void plan_first_dense(Builder& b);
void plan_sparse_step(Builder& b);
void plan_all_moe(Builder& b);
void plan_llama4_moe(Builder& b);
void plan_step_moe(Builder& b);
void plan_ernie_moe(Builder& b);

// precision.cpp: formats out of quantization_config, or those of the Step-3 report. Last, when all
// parts are there.
void plan_precision(Builder& b);

/// "64  # num_attention_heads" as a field, checked.
[[nodiscard]] Field integer_field(Builder& b, std::string key, std::string_view from,
                                  yaml::Range range);
[[nodiscard]] std::int64_t integer_of(const Part& part, std::string_view key);
/// Adds the part unless one of that name is there.
void add_part(std::vector<Part>& parts, Part part);

/// Grouped-query attention as most configs spell it, from `in` (the config, or an object in it).
[[nodiscard]] Part gqa_part(Builder& b, Config& in, const std::string& name);
/// Multi-head latent attention; DSA where the config has an indexer.
[[nodiscard]] Part mla_part(Builder& b, const std::string& name);

}  // namespace afford::config
