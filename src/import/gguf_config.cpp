// GGUF's words for what Hugging Face's configs say.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "error.hpp"
#include "import/gguf.hpp"

namespace afford::config {
namespace {

struct TensorType {
  std::uint32_t number;
  std::string_view name;
  double bits;
};
// ggml/src/ggml-common.h: the bytes of a block over the elements in it.
constexpr TensorType tensor_types[] = {
    {0, "F32", 32},          {1, "F16", 16},        {2, "Q4_0", 4.5},        {3, "Q4_1", 5},
    {6, "Q5_0", 5.5},        {7, "Q5_1", 6},        {8, "Q8_0", 8.5},        {9, "Q8_1", 9},
    {10, "Q2_K", 2.625},     {11, "Q3_K", 3.4375},  {12, "Q4_K", 4.5},       {13, "Q5_K", 5.5},
    {14, "Q6_K", 6.5625},    {15, "Q8_K", 9.125},   {16, "IQ2_XXS", 2.0625}, {17, "IQ2_XS", 2.3125},
    {18, "IQ3_XXS", 3.0625}, {19, "IQ1_S", 1.5625}, {20, "IQ4_NL", 4.5},     {21, "IQ3_S", 3.4375},
    {22, "IQ2_S", 2.5625},   {23, "IQ4_XS", 4.25},  {29, "IQ1_M", 1.75},     {30, "BF16", 16},
    {34, "TQ1_0", 1.6875},   {35, "TQ2_0", 2.0625}, {39, "MXFP4", 4.25}};

constexpr std::pair<std::string_view, std::string_view> architectures[] = {
    {"llama", "llama"},
    {"mistral3", "mistral"},
    {"qwen2", "qwen2"},
    {"qwen2vl", "qwen2"},
    {"qwen3", "qwen3"},
    {"qwen3vl", "qwen3"},
    {"qwen2moe", "qwen2_moe"},
    {"qwen3moe", "qwen3_moe"},
    {"qwen3vlmoe", "qwen3_moe"},
    {"gemma", "gemma"},
    {"gemma2", "gemma2"},
    {"gemma3", "gemma3_text"},
    {"phi3", "phi3"},
    {"deepseek2", "deepseek_v3"},
    {"glm4", "glm4"},
    {"glm4moe", "glm4_moe"},
    {"gpt-oss", "gpt_oss"},
    {"command-r", "cohere"},
    {"cohere2", "cohere2"},
    {"olmo2", "olmo2"},
    {"olmoe", "olmoe"},
    {"granite", "granite"},
    {"exaone4", "exaone4"},
    {"seed_oss", "seed_oss"},
    {"smollm3", "smollm3"},
    {"dots1", "dots1"},
    {"minimax-m2", "minimax_m2"},
    {"bailingmoe2", "bailing_moe_v2"},
    {"internlm2", "internlm2"},
    {"bitnet", "bitnet"}};

constexpr std::pair<std::string_view, std::string_view> keys[] = {
    {"block_count", "num_hidden_layers"},
    {"embedding_length", "hidden_size"},
    {"feed_forward_length", "intermediate_size"},
    {"context_length", "max_position_embeddings"},
    {"attention.head_count", "num_attention_heads"},
    {"attention.head_count_kv", "num_key_value_heads"},
    {"attention.key_length", "head_dim"},
    {"attention.sliding_window", "sliding_window"},
    {"attention.q_lora_rank", "q_lora_rank"},
    {"attention.kv_lora_rank", "kv_lora_rank"},
    {"attention.value_length_mla", "v_head_dim"},
    {"rope.dimension_count", "qk_rope_head_dim"},
    {"vocab_size", "vocab_size"},
    {"expert_count", "num_experts"},
    {"expert_used_count", "num_experts_per_tok"},
    {"expert_feed_forward_length", "moe_intermediate_size"},
    {"expert_shared_feed_forward_length", "shared_expert_intermediate_size"},
    {"expert_shared_count", "n_shared_experts"},
    {"leading_dense_block_count", "first_k_dense_replace"},
    {"nextn_predict_layers", "num_nextn_predict_layers"}};

// Behind "blk.N."; without the ".weight".
constexpr std::pair<std::string_view, std::string_view> gguf_modules[] = {
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_qkv", "self_attn.qkv_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"attn_q_a", "self_attn.q_a_proj"},
    {"attn_q_b", "self_attn.q_b_proj"},
    {"attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa"},
    {"attn_kv_b", "self_attn.kv_b_proj"},
    {"attn_k_b", "self_attn.kv_b_proj"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
    {"ffn_gate_exps", "mlp.experts.0.gate_proj"},
    {"ffn_up_exps", "mlp.experts.0.up_proj"},
    {"ffn_down_exps", "mlp.experts.0.down_proj"},
    {"ffn_gate_shexp", "mlp.shared_experts.gate_proj"},
    {"ffn_up_shexp", "mlp.shared_experts.up_proj"},
    {"ffn_down_shexp", "mlp.shared_experts.down_proj"}};

template <size_t N>
std::string_view mapped(const std::pair<std::string_view, std::string_view> (&table)[N],
                        std::string_view from) {
  for (const auto& [theirs, ours] : table) {
    if (theirs == from) return ours;
  }
  return "";
}

std::string value_of(const GgufHeader& header, const std::string& key) {
  for (const auto& [name, value] : header.values) {
    if (name == key) return value;
  }
  return "";
}

bool has_tensor(const GgufHeader& header, std::string_view name) {
  return std::any_of(header.tensors.begin(), header.tensors.end(),
                     [&](const GgufTensor& tensor) { return tensor.name == name; });
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 20 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

/// The names and counts llama.cpp keeps elsewhere or spells in another way.
void add_derived(const GgufHeader& header, const std::string& arch,
                 std::map<std::string, std::string>& config) {
  config["tie_word_embeddings"] = has_tensor(header, "output.weight") ? "false" : "true";
  if (!config.contains("vocab_size"))
    config["vocab_size"] = value_of(header, "tokenizer.ggml.tokens.length");
  const bool latent = config.contains("kv_lora_rank");
  if (latent) {  // with MLA the plain key_length is that of the cache
    const std::string key = value_of(header, arch + ".attention.key_length_mla");
    const std::string rope = config["qk_rope_head_dim"];
    if (is_number(key) && is_number(rope) && std::stoull(key) > std::stoull(rope))
      config["qk_nope_head_dim"] = fmt::format("{}", std::stoull(key) - std::stoull(rope));
    config["num_key_value_heads"] = config["num_attention_heads"];
    config.erase("head_dim");
  } else {
    config.erase("qk_rope_head_dim");
  }
}

/// "blk.3.ffn_up.weight" of type 12: "model.layers.3.mlp.up_proj.weight", "Q4_K".
std::map<std::string, std::string_view> formats_of(const GgufHeader& header,
                                                   const std::string& file) {
  constexpr std::string_view block = "blk.", weight = ".weight";
  std::map<std::string, std::string_view> formats;
  for (const GgufTensor& tensor : header.tensors) {
    const std::string_view name = tensor.name;
    const size_t rest = name.find('.', block.size());
    if (!name.starts_with(block) || !name.ends_with(weight) || rest == std::string::npos) continue;
    const std::string number(name.substr(block.size(), rest - block.size()));
    if (!is_number(number) || rest + 1 + weight.size() > name.size()) continue;
    const std::string_view module =
        mapped(gguf_modules, name.substr(rest + 1, name.size() - weight.size() - rest - 1));
    if (module.empty()) continue;
    const auto* type = std::find_if(std::begin(tensor_types), std::end(tensor_types),
                                    [&](const TensorType& t) { return t.number == tensor.type; });
    if (type == std::end(tensor_types)) {
      throw InputError({file}, fmt::format("tensor {} is of type {}, which is not known",
                                           tensor.name, tensor.type));
    }
    formats.emplace(fmt::format("model.layers.{}.{}.weight", number, module), type->name);
  }
  return formats;
}

}  // namespace

double gguf_bits(std::string_view type) {
  for (const TensorType& each : tensor_types) {
    if (each.name == type) return each.bits;
  }
  return 0;
}

double gguf_bits(std::uint32_t type) {
  for (const TensorType& each : tensor_types) {
    if (each.number == type) return each.bits;
  }
  return 0;
}

GgufConfig config_of_gguf(const GgufHeader& header, const std::string& file) {
  const std::string arch = value_of(header, "general.architecture");
  std::string_view family = mapped(architectures, arch);
  if (family.empty()) {
    throw InputError(
        {file}, fmt::format("general.architecture: '{}' has no family here", arch.substr(0, 40)));
  }
  if (arch == "llama" && is_number(value_of(header, "llama.expert_count"))) family = "mixtral";
  std::map<std::string, std::string> config;
  for (const auto& [theirs, ours] : keys) {
    const std::string value = value_of(header, fmt::format("{}.{}", arch, theirs));
    if (is_number(value)) config[std::string(ours)] = value;
  }
  add_derived(header, arch, config);
  GgufConfig result{.config = fmt::format("{{\"model_type\": \"{}\"", family), .formats = "{"};
  for (const auto& [key, value] : config) {
    if (!value.empty()) result.config += fmt::format(", \"{}\": {}", key, value);
  }
  result.config += "}";
  for (const auto& [module, type] : formats_of(header, file)) {
    result.formats +=
        fmt::format("{}\"{}\": \"{}\"", result.formats.size() > 1 ? ", " : "", module, type);
  }
  result.formats += "}";
  return result;
}

}  // namespace afford::config
