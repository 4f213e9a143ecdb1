// What the config classes of transformers (and of the models' repositories) fill in, and the names
// families have for the keys the others share. A line a fact.
#include <iterator>

#include "import/builder.hpp"

namespace afford::config {
namespace {

constexpr bool everywhere = true;

constexpr Default defaults[] = {
    {"llama", "vocab_size", "32000"},
    {"llama", "hidden_size", "4096"},
    {"llama", "intermediate_size", "11008"},
    {"llama", "num_hidden_layers", "32"},
    {"llama", "num_attention_heads", "32"},
    {"mistral", "vocab_size", "32000"},
    {"mistral", "hidden_size", "4096"},
    {"mistral", "intermediate_size", "14336"},
    {"mistral", "num_hidden_layers", "32"},
    {"mistral", "num_attention_heads", "32"},
    {"mistral", "num_key_value_heads", "8"},
    {"mistral", "sliding_window", "4096"},
    {"qwen2", "vocab_size", "151936"},
    {"qwen2", "hidden_size", "4096"},
    {"qwen2", "intermediate_size", "22016"},
    {"qwen2", "num_hidden_layers", "32"},
    {"qwen2", "num_attention_heads", "32"},
    {"gemma", "vocab_size", "256000"},
    {"gemma", "hidden_size", "3072"},
    {"gemma", "intermediate_size", "24576"},
    {"gemma", "num_hidden_layers", "28"},
    {"gemma", "num_attention_heads", "16"},
    {"gemma", "num_key_value_heads", "16"},
    {"gemma", "head_dim", "256", everywhere},
    {"gemma2", "vocab_size", "256000"},
    {"gemma2", "hidden_size", "2304"},
    {"gemma2", "intermediate_size", "9216"},
    {"gemma2", "num_hidden_layers", "26"},
    {"gemma2", "num_attention_heads", "8"},
    {"gemma2", "num_key_value_heads", "4"},
    {"gemma2", "head_dim", "256", everywhere},
    {"gemma2", "sliding_window", "4096", everywhere},
    {"gemma2", "sliding_window_pattern", "2", everywhere},
    {"gemma3_text", "vocab_size", "262208"},
    {"gemma3_text", "hidden_size", "2304"},
    {"gemma3_text", "intermediate_size", "9216"},
    {"gemma3_text", "num_hidden_layers", "26"},
    {"gemma3_text", "num_attention_heads", "8"},
    {"gemma3_text", "num_key_value_heads", "4"},
    {"gemma3_text", "head_dim", "256", everywhere},
    {"gemma3_text", "sliding_window", "4096", everywhere},
    {"gemma3_text", "sliding_window_pattern", "6", everywhere},
    {"cohere2", "sliding_window", "4096", everywhere},
    {"cohere2", "sliding_window_pattern", "4", everywhere},
    {"cohere2", "vocab_size", "256000"},
    {"cohere2", "hidden_size", "8192"},
    {"cohere2", "intermediate_size", "22528"},
    {"cohere2", "num_hidden_layers", "40"},
    {"cohere2", "num_attention_heads", "64"},
    {"gemma3n_text", "sliding_window", "512", everywhere},
    {"gemma3n_text", "hidden_size_per_layer_input", "256", everywhere},
    {"gemma3n_text", "vocab_size_per_layer_input", "262144", everywhere},
    {"gemma4_text", "vocab_size", "262144"},
    {"gemma4_text", "hidden_size", "2304"},
    {"gemma4_text", "intermediate_size", "9216"},
    {"gemma4_text", "num_hidden_layers", "30"},
    {"gemma4_text", "num_attention_heads", "8"},
    {"gemma4_text", "num_key_value_heads", "4"},
    {"gemma4_text", "head_dim", "256"},
    {"gemma4_text", "global_head_dim", "512"},
    {"gemma4_text", "sliding_window", "512"},
    {"gemma4_text", "sliding_window_pattern", "6", everywhere},
    {"gemma4_text", "hidden_size_per_layer_input", "256"},
    {"gemma4_text", "vocab_size_per_layer_input", "262144"},
    {"granitemoe", "num_local_experts", "8"},
    {"granitemoe", "num_experts_per_tok", "2"},
};

/// `ours` is what this importer asks for, `theirs` what the family's configs say.
constexpr KeyName key_names[] = {
    {"gpt2", "hidden_size", "n_embd"},
    {"gpt2", "num_hidden_layers", "n_layer"},
    {"gpt2", "num_attention_heads", "n_head"},
    {"gpt2", "intermediate_size", "n_inner"},
    {"gpt2", "max_position_embeddings", "n_positions"},
    {"gptj", "hidden_size", "n_embd"},
    {"gptj", "num_hidden_layers", "n_layer"},
    {"gptj", "num_attention_heads", "n_head"},
    {"gptj", "intermediate_size", "n_inner"},
    {"codegen", "hidden_size", "n_embd"},
    {"codegen", "num_hidden_layers", "n_layer"},
    {"codegen", "num_attention_heads", "n_head"},
    {"codegen", "intermediate_size", "n_inner"},
    {"bloom", "num_hidden_layers", "n_layer"},
    {"bloom", "num_attention_heads", "n_head"},
    {"opt", "intermediate_size", "ffn_dim"},
    {"falcon", "num_key_value_heads", "num_kv_heads"},
    {"gpt_neo", "num_hidden_layers", "num_layers"},
    {"gpt_neo", "num_attention_heads", "num_heads"},
    {"dbrx", "hidden_size", "d_model"},
    {"dbrx", "num_hidden_layers", "n_layers"},
    {"dbrx", "num_attention_heads", "n_heads"},
    {"dbrx", "num_key_value_heads", "kv_n_heads"},
    {"dbrx", "moe_intermediate_size", "ffn_hidden_size"},
    {"exaone", "num_hidden_layers", "num_layers"},
    {"chatglm", "num_hidden_layers", "num_layers"},
    {"chatglm", "intermediate_size", "ffn_hidden_size"},
    {"chatglm", "head_dim", "kv_channels"},
    {"chatglm", "num_key_value_heads", "multi_query_group_num"},
    {"chatglm", "vocab_size", "padded_vocab_size"},
    {"longcat_flash", "num_hidden_layers", "num_layers"},
    {"longcat_flash", "intermediate_size", "ffn_hidden_size"},
    {"longcat_flash", "moe_intermediate_size", "expert_ffn_hidden_size"},
    // Mistral's own params.json.
    {"mistral_params", "hidden_size", "dim"},
    {"mistral_params", "num_hidden_layers", "n_layers"},
    {"mistral_params", "intermediate_size", "hidden_dim"},
    {"mistral_params", "num_attention_heads", "n_heads"},
    {"mistral_params", "num_key_value_heads", "n_kv_heads"},
};

}  // namespace

std::vector<Default> class_defaults(std::string_view model_type) {
  std::vector<Default> result;
  for (const Default& each : defaults) {
    if (each.model_type == model_type) result.push_back(each);
  }
  return result;
}

std::vector<KeyName> names_of_keys(std::string_view model_type) {
  std::vector<KeyName> result;
  for (const KeyName& each : key_names) {
    if (each.model_type == model_type) result.push_back(each);
  }
  return result;
}

}  // namespace afford::config
