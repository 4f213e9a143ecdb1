// Which model types are built how. A family that is built like another is one line of `aliases`.
#include <iterator>

#include "import/builder.hpp"
#include "import/import.hpp"

namespace afford::config {
namespace {

constexpr bool tied = true;  // the class's default of tie_word_embeddings, where it is true

constexpr Family families[] = {
    {"llama", plan_gqa, plan_dense},
    {"gemma", plan_gqa, plan_dense, tied},
    {"gemma2", plan_gqa, plan_dense, tied},
    {"gemma3_text", plan_gqa, plan_dense, tied},
    {"cohere", plan_gqa, plan_dense, tied},
    {"smollm3", plan_gqa, plan_dense, tied},
    {"qwen", plan_gqa, plan_halved_dense},
    {"qwen2", plan_gqa, plan_dense},
    {"qwen3", plan_gqa, plan_dense},
    {"phi3", plan_gqa, plan_dense},
    {"chatglm", plan_gqa, plan_dense},
    {"exaone4", plan_gqa, plan_dense},
    {"nemotron-nas", plan_searched_blocks, plan_nothing},
    {"afmoe", plan_gated_gqa, plan_first_dense},
    {"mixtral", plan_gqa, plan_all_moe},
    {"qwen2_moe", plan_gqa, plan_sparse_step},
    {"qwen3_moe", plan_gqa, plan_sparse_step},
    {"laguna", plan_gqa, plan_sparse_step},
    {"qwen3_next", plan_qwen_delta, plan_sparse_step},
    {"qwen3_5", plan_qwen_delta, plan_dense},
    {"llama4", plan_llama4, plan_llama4_moe},
    {"deepseek_v3", plan_mla, plan_first_dense},
    {"deepseek_v4", plan_compressed, plan_first_dense},
    {"kimi_linear", plan_kimi_linear, plan_first_dense},
    {"longcat_flash", plan_longcat, plan_longcat_moe},
    {"glm4_moe", plan_gqa, plan_first_dense},
    {"bailing_hybrid", plan_grouped_lightning, plan_first_dense},
    {"minicpm3", plan_mla, plan_dense},
    {"step3p5", plan_step, plan_step_moe},
    {"minimax", plan_minimax, plan_all_moe},
    {"minimax_m2", plan_msa, plan_minimax_moe},  // M3 says minimax_m2 in places, too
    {"ernie4_5", plan_gqa, plan_dense, tied},
    {"ernie4_5_moe", plan_gqa, plan_ernie_moe, tied},
    {"ernie", plan_gqa, plan_ernie_moe},  // the training config, untied
    {"pangu_pro_moe", plan_gqa, plan_all_moe},
    {"gpt_oss", plan_gpt_oss, plan_all_moe},
    {"hunyuan", plan_shared_kv, plan_all_moe},
    {"hunyuan_v1_dense", plan_shared_kv, plan_dense},
    {"granite", plan_gqa, plan_dense},
    {"granitemoe", plan_gqa, plan_all_moe},
    {"arctic", plan_gqa, plan_arctic_moe},
    {"grok", plan_gqa, plan_moe_beside_dense},
    {"dbrx", plan_gqa, plan_all_moe},
    {"mimo_v2_flash", plan_gqa, plan_first_dense},
    {"openelm", plan_openelm, plan_openelm_ffn},
    {"gemma3n_text", plan_gemma4, plan_gemma4_ffn, tied},
    {"gemma4_text", plan_gemma4, plan_gemma4_ffn, tied},
    // Mamba and short convolutions, most of them mixed with attention.
    {"mamba", plan_mamba1, plan_nothing, tied},
    {"falcon_mamba", plan_mamba1, plan_nothing},
    {"mamba2", plan_mamba2, plan_nothing},
    {"jamba", plan_jamba, plan_jamba_ffn},
    {"nemotron_h", plan_nemotron_h, plan_nothing},
    {"zamba", plan_zamba, plan_nothing, tied},
    {"zamba2", plan_zamba2, plan_nothing, tied},
    {"rwkv7", plan_rwkv7, plan_nothing},
    {"granitemoehybrid", plan_mamba_or_attention, plan_granite_hybrid},
    {"bamba", plan_mamba_or_attention, plan_dense},
    {"falcon_h1", plan_side_by_side, plan_nothing},
    {"lfm2", plan_lfm2, plan_lfm2_ffn, tied},
    // FFNs of two matrices.
    {"gpt2", plan_gqa, plan_ungated, tied},
    {"mpt", plan_mpt, plan_mpt_ffn, tied},
    {"opt", plan_gqa, plan_ungated, tied},
    {"bloom", plan_gqa, plan_ungated, tied},
    {"gpt_neox", plan_gqa, plan_ungated},
    {"starcoder2", plan_gqa, plan_ungated, tied},
    {"falcon", plan_falcon, plan_ungated, tied},
    {"gpt_bigcode", plan_falcon, plan_ungated, tied},
};

struct Alias {
  std::string_view model_type, like;
};
constexpr Alias aliases[] = {
    // Dense, grouped-query attention.
    {"mistral", "llama"},
    {"ministral", "llama"},
    {"ministral3", "llama"},
    {"mistral3", "llama"},
    {"pixtral", "llama"},
    {"llava", "llama"},
    {"llava_next", "llama"},
    {"idefics3", "llama"},
    {"smolvlm", "llama"},
    {"mllama_text_model", "llama"},
    {"olmo", "llama"},
    {"olmo2", "llama"},
    {"olmo3", "llama"},
    {"glm", "llama"},
    {"glm4", "llama"},
    {"glm4v_text", "llama"},
    {"glm4v", "llama"},
    {"seed_oss", "llama"},
    {"internlm2", "llama"},
    {"internlm3", "llama"},
    {"internvl_chat", "llama"},
    {"internvl", "llama"},
    {"exaone", "llama"},
    {"exaone4_5", "exaone4"},
    {"exaone4_5_text", "exaone4"},
    {"voxtral", "llama"},
    {"minicpm", "llama"},
    {"helium", "llama"},
    {"bitnet", "llama"},
    {"stablelm", "llama"},
    {"baichuan", "llama"},
    {"yi", "llama"},
    {"mistral_params", "llama"},
    {"cwm", "llama"},
    {"internlm", "llama"},
    {"orion", "llama"},
    {"xverse", "llama"},
    {"telechat3", "llama"},
    {"hyperclovax", "llama"},
    {"mimo", "qwen2"},
    {"dream", "qwen2"},
    {"qwen2_vl", "qwen2"},
    {"qwen2_vl_text", "qwen2"},
    {"qwen2_5_vl", "qwen2"},
    {"qwen2_5_vl_text", "qwen2"},
    {"qwen2_5_omni", "qwen2"},
    {"qwen2_5_omni_text", "qwen2"},
    {"qwen2_audio", "qwen2"},
    {"qwen3_vl", "qwen3"},
    {"qwen3_vl_text", "qwen3"},
    {"dots_ocr", "qwen2"},
    {"minicpmv", "qwen3"},
    {"minicpmo", "qwen3"},
    {"KeyeVL1_5", "qwen3"},
    {"phi3_v", "phi3"},
    {"phi4_multimodal", "phi3"},
    {"vaultgemma", "gemma2"},
    {"hunyuan_vl", "hunyuan_v1_dense"},
    {"olmo_hybrid", "qwen3_5"},
    {"phi4mm", "phi3"},
    {"youtu", "minicpm3"},
    {"youtu_llm", "minicpm3"},
    {"gemma3", "gemma3_text"},
    {"paligemma", "gemma"},
    {"cohere2", "cohere"},
    {"cohere2_vision", "cohere"},
    {"aya_vision", "cohere"},
    {"nemotron", "gpt_neox"},
    {"arcee", "gpt_neox"},
    {"apertus", "gpt_neox"},
    {"jais2", "gpt_neox"},
    {"nanochat", "gpt_neox"},
    {"persimmon", "gpt_neox"},
    {"phi", "gpt_neox"},
    {"phi-msft", "gpt_neox"},
    {"gptj", "gpt_neox"},
    {"codegen", "gpt_neox"},
    {"gpt_neo", "gpt2"},
    {"gemma3n", "gemma3n_text"},
    {"gemma4", "gemma4_text"},
    {"gemma4_unified", "gemma4_text"},
    {"gemma4_unified_text", "gemma4_text"},
    {"lfm2_vl", "lfm2"},
    {"lfm2_moe", "lfm2"},
    {"nemotron_h_moe", "nemotron_h"},
    {"rwkv7_fla", "rwkv7"},
    // Experts.
    {"olmoe", "mixtral"},
    {"flex_olmo", "mixtral"},
    {"aria_text", "mixtral"},
    {"phimoe", "mixtral"},
    {"granitemoeshared", "granitemoe"},
    {"qwen3_vl_moe", "qwen3_moe"},
    {"qwen3_vl_moe_text", "qwen3_moe"},
    {"qwen3_omni_moe", "qwen3_moe"},
    {"qwen3_omni_moe_text", "qwen3_moe"},
    {"qwen3_omni_moe_thinker", "qwen3_moe"},
    {"qwen3_5_moe", "qwen3_next"},
    {"qwen3_5_moe_text", "qwen3_next"},
    {"qwen3_5_text", "qwen3_5"},
    {"llama4_text", "llama4"},
    {"deepseek", "glm4_moe"},
    {"deepseek_v2", "deepseek_v3"},
    {"deepseek_ref", "deepseek_v4"},  // as SGLang's FP8 checkpoints have it
    {"deepseek_v32", "deepseek_v3"},
    {"deepseek_vl_v2", "deepseek_v3"},
    {"kimi_k2", "deepseek_v3"},
    {"mistral4", "deepseek_v3"},
    {"axk1", "deepseek_v3"},
    {"sarvam_mla", "deepseek_v3"},
    {"kimi_k25", "deepseek_v3"},
    {"kimi_vl", "deepseek_v3"},
    {"kimi_k3", "kimi_linear"},
    {"glm4_moe_lite", "deepseek_v3"},
    {"glm_moe_dsa", "deepseek_v3"},
    {"glm4v_moe", "glm4_moe"},
    {"glm4v_moe_text", "glm4_moe"},
    {"dots1", "glm4_moe"},
    {"solar_open", "glm4_moe"},
    {"hy_v3", "glm4_moe"},
    {"sarvam_moe", "glm4_moe"},
    {"bailing_moe", "glm4_moe"},
    {"bailing_moe_v2", "glm4_moe"},
    {"exaone_moe", "glm4_moe"},
    {"bailing_moe_linear", "bailing_hybrid"},
    {"bailing_moe_linear_v2", "bailing_hybrid"},
    {"bailing_moe_v2_5", "bailing_hybrid"},
    {"longcat", "longcat_flash"},
    {"step3_vl", "step3p5"},
    {"step3_text", "step3p5"},
    {"step3p7", "step3p5"},
    {"minimax_text_01", "minimax"},
    {"minimax_m1", "minimax"},
    {"minimax_m3", "minimax_m2"},
    {"minimax_m3_text", "minimax_m2"},
    {"minimax_m3_vl", "minimax_m2"},
    {"minimax_m3_vl_text", "minimax_m2"},
    {"ernie4_5_vl_moe_text", "ernie4_5_moe"},
    {"PanguProMoE", "pangu_pro_moe"},
    {"hunyuan_v1_moe", "hunyuan"},
    {"grok-1", "grok"},
    {"git", "grok"},  // as grok-2's config has it
    {"mimo_v2", "mimo_v2_flash"},
};

const Family* family_named(std::string_view model_type) {
  for (const Family& family : families) {
    if (family.model_type == model_type) return &family;
  }
  return nullptr;
}

}  // namespace

const Family* find_family(std::string_view model_type) {
  if (const Family* family = family_named(model_type)) return family;
  for (const Alias& alias : aliases) {
    if (alias.model_type == model_type) return family_named(alias.like);
  }
  return nullptr;
}

std::vector<std::string_view> model_types() {
  std::vector<std::string_view> types;
  for (const Family& family : families) types.push_back(family.model_type);
  for (const Alias& alias : aliases) types.push_back(alias.model_type);
  return types;
}

std::vector<FamilyTypes> known_families() {
  std::vector<FamilyTypes> result;
  for (const Family& family : families) {
    FamilyTypes& types = result.emplace_back(FamilyTypes{family.model_type, {family.model_type}});
    for (const Alias& alias : aliases) {
      if (alias.like == family.model_type) types.model_types.push_back(alias.model_type);
    }
  }
  return result;
}

}  // namespace afford::config
