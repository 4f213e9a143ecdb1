// Which model types are built how.
#include <iterator>

#include "import/builder.hpp"

namespace afford::config {
namespace {

constexpr Family families[] = {
    {"llama", plan_gqa, plan_dense},
    {"mistral", plan_gqa, plan_dense},
    {"ministral", plan_gqa, plan_dense},
    {"mistral3", plan_gqa, plan_dense},
    {"qwen2", plan_gqa, plan_dense},
    {"qwen3", plan_gqa, plan_dense},
    {"qwen3_vl_text", plan_gqa, plan_dense},
    {"mixtral", plan_gqa, plan_all_moe},
    {"qwen2_moe", plan_gqa, plan_sparse_step},
    {"qwen3_moe", plan_gqa, plan_sparse_step},
    {"qwen3_vl_moe_text", plan_gqa, plan_sparse_step},
    {"qwen3_next", plan_qwen_delta, plan_sparse_step},
    {"qwen3_5_moe_text", plan_qwen_delta, plan_sparse_step},
    {"qwen3_5_moe", plan_qwen_delta, plan_sparse_step},
    {"qwen3_5_text", plan_qwen_delta, plan_dense},
    {"qwen3_5", plan_qwen_delta, plan_dense},
    {"llama4", plan_llama4, plan_llama4_moe},
    {"llama4_text", plan_llama4, plan_llama4_moe},
    {"deepseek_v2", plan_mla, plan_first_dense},
    {"deepseek_v3", plan_mla, plan_first_dense},
    {"deepseek_v32", plan_mla, plan_first_dense},
    {"deepseek_v4", plan_compressed, plan_first_dense},
    {"kimi_k2", plan_mla, plan_first_dense},
    {"kimi_k25", plan_mla, plan_first_dense},
    {"kimi_linear", plan_kimi_linear, plan_first_dense},
    {"kimi_k3", plan_kimi_linear, plan_first_dense},
    {"glm4_moe", plan_gqa, plan_first_dense},
    {"glm_moe_dsa", plan_mla, plan_first_dense},
    {"step3_vl", plan_step, plan_step_moe},
    {"step3_text", plan_step, plan_step_moe},
    {"step3p5", plan_step, plan_step_moe},
    {"minimax", plan_minimax, plan_all_moe},
    {"minimax_text_01", plan_minimax, plan_all_moe},
    {"minimax_m1", plan_minimax, plan_all_moe},
    {"minimax_m2", plan_minimax, plan_all_moe},
    {"ernie", plan_gqa, plan_ernie_moe},
    {"ernie4_5", plan_gqa, plan_dense},
    {"ernie4_5_moe", plan_gqa, plan_ernie_moe},
    {"PanguProMoE", plan_gqa, plan_all_moe},
    {"pangu_pro_moe", plan_gqa, plan_all_moe},
    {"gpt_oss", plan_gpt_oss, plan_all_moe},
    {"hunyuan", plan_shared_kv, plan_all_moe},
    {"hunyuan_v1_moe", plan_shared_kv, plan_all_moe},
};

}  // namespace

const Family* find_family(std::string_view model_type) {
  for (const Family& family : families) {
    if (family.model_type == model_type) return &family;
  }
  return nullptr;
}

std::vector<std::string_view> model_types() {
  std::vector<std::string_view> types;
  for (const Family& family : families) types.push_back(family.model_type);
  return types;
}

}  // namespace afford::config
