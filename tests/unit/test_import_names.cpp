// Families whose configs name the same shapes in more than one way.
#include <doctest/doctest.h>

#include <algorithm>

#include "import/import.hpp"
#include "support.hpp"

using namespace afford;

namespace {

/// The model file of a config without its comments, which name the config's keys.
std::string values(const std::string& config) {
  const std::string text =
      config::import_config(json::parse(config, "c.json"), {.name = "c", .date = "2025-01"}).yaml;
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    result += text.substr(at, std::min(text.find('#', at), end) - at) + "\n";
    at = end + 1;
  }
  return result;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("the same model in the words of transformers 5: the same model file") {
    const std::string nemotron = R"({"model_type": "nemotron_h", "vocab_size": 1024,
      "hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 8,
      "num_key_value_heads": 2, "head_dim": 32, "mamba_num_heads": 8, "mamba_head_dim": 64,
      "ssm_state_size": 64, "n_groups": 2, "conv_kernel": 4, "intermediate_size": 512,
      "moe_intermediate_size": 128, "n_routed_experts": 8, "num_experts_per_tok": 2, PATTERN})";
    const std::string letters =
        values(test::replaced(nemotron, "PATTERN", R"("hybrid_override_pattern": "M-*E")"));
    CHECK(letters == values(test::replaced(nemotron, "PATTERN",
                                           R"("layers_block_type": ["mamba", "mlp", "attention",
                                         "moe"])")));
    CHECK(letters == values(test::replaced(nemotron, "PATTERN",
                                           R"("layers_block_type": ["linear_attention", "mlp",
                                         "full_attention", "moe"])")));
    const std::string m3 = R"({"model_type": "minimax_m3_vl_text", "vocab_size": 1024,
      "hidden_size": 256, "intermediate_size": 128, "dense_intermediate_size": 512,
      "num_hidden_layers": 3, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 32,
      "num_local_experts": 8, "num_experts_per_tok": 2, PATTERN})";
    CHECK(values(test::replaced(m3, "PATTERN", R"("moe_layer_freq": [0, 1, 1],
      "sparse_attention_config": {"sparse_num_index_heads": 2, "sparse_index_dim": 32,
      "sparse_topk_blocks": 4, "sparse_block_size": 64, "sparse_attention_freq": [0, 1, 1]})")) ==
          values(test::replaced(m3, "PATTERN", R"("mlp_layer_types": ["dense", "sparse", "sparse"],
      "layer_types": ["full_attention", "minimax_m3_sparse", "minimax_m3_sparse"],
      "index_n_heads": 2, "index_head_dim": 32, "index_topk_blocks": 4, "index_block_size": 64)")));
    const std::string glm = R"({"model_type": "glm_moe_dsa", "vocab_size": 1024,
      "hidden_size": 256, "intermediate_size": 512, "moe_intermediate_size": 128,
      "num_hidden_layers": 6, "num_attention_heads": 8, "q_lora_rank": 64, "kv_lora_rank": 64,
      "qk_nope_head_dim": 32, "qk_rope_head_dim": 16, "v_head_dim": 32, "n_routed_experts": 8,
      "num_experts_per_tok": 2PATTERN})";
    // The indexer is the class's where the config does not state it.
    CHECK(values(test::replaced(glm, "PATTERN", "")) ==
          values(test::replaced(glm, "PATTERN", R"(, "first_k_dense_replace": 3, "index_topk": 2048,
      "index_n_heads": 32, "index_head_dim": 128, "index_topk_freq": 1)")));
    const std::string shared = values(test::replaced(glm, "PATTERN", R"(, "indexer_types": ["full",
      "full", "shared", "full", "shared", "full"])"));
    CHECK(shared == values(test::replaced(glm, "PATTERN", R"(, "index_topk_freq": 2)")));
    CHECK(shared == values(test::replaced(glm, "PATTERN", R"(, "index_topk_pattern": "FFSFSF")")));
  }

  TEST_CASE("DeepSeek-V4 as transformers writes it: the type of each layer, a rate for each type") {
    const std::string v4 = R"({"model_type": "deepseek_v4", "vocab_size": 1024, "hidden_size": 256,
      "moe_intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 8,
      "num_key_value_heads": 1, "head_dim": 64, "q_lora_rank": 64, "n_routed_experts": 8,
      "n_shared_experts": 1, "num_experts_per_tok": 2, "num_nextn_predict_layers": 0, PATTERN})";
    CHECK(values(test::replaced(v4, "PATTERN", R"("compress_ratios": [0, 4, 128],
      "num_hash_layers": 3)")) == values(test::replaced(v4, "PATTERN", R"("layer_types":
      ["sliding_attention", "compressed_sparse_attention", "heavily_compressed_attention"],
      "compress_rates": {"compressed_sparse_attention": 4, "heavily_compressed_attention": 128},
      "mlp_layer_types": ["hash_moe", "hash_moe", "moe"])")));
  }

  TEST_CASE("GPT-Neo: every other layer sees a window") {
    const std::string neo = R"({"model_type": "gpt_neo", "vocab_size": 1024, "hidden_size": 64,
      "num_layers": 2, "num_heads": 4, "max_position_embeddings": 2048, "window_size": 256,
      "attention_layers": ["global", "local"], "attention_types": [[["global", "local"], 1]]})";
    const std::string yaml = values(neo);
    CHECK(yaml.find("window: 256") != std::string::npos);
    CHECK(yaml.find("[full/dense]") < yaml.find("[sliding/dense]"));
  }

  TEST_CASE("blocks that a search took apart: what is refused, and where") {
    const std::string nas = R"({"model_type": "nemotron-nas", "vocab_size": 1024, "hidden_size":
      1024, "num_hidden_layers": 2, "num_attention_heads": 8, "tie_word_embeddings": false,
      "block_configs": [{"attention": {"n_heads_in_group": 4}, "ffn": {"ffn_mult": 2.625}},
      {"attention": {"no_op": true}, "ffn": {"ffn_mult": 1}}]})";
    // 1792 of the first, 768 of the second block, rounded up to multiples of 256.
    CHECK(values(nas).find("intermediate: 2560") != std::string::npos);
    const auto error = [](const std::string& config) -> std::string {
      try {
        (void)values(config);
      } catch (const InputError& e) {
        return e.what();
      }
      return "";
    };
    CHECK(error(test::replaced(nas, R"("ffn_mult": 1})", R"("replace_with_linear": true})")) ==
          "c.json:4:69: block_configs: a block with 'replace_with_linear' is not counted");
    CHECK(error(test::replaced(nas, R"("n_heads_in_group": 4)", R"("n_heads_in_group": 3)")) ==
          "c.json:3:39: block_configs: num_attention_heads (8) must be a multiple of "
          "n_heads_in_group");
    CHECK(error(test::replaced(nas, R"({"n_heads_in_group": 4})", R"({"no_op": true})")) ==
          "c.json:3:25: block_configs: the first block has no attention");
    CHECK(error(test::replaced(nas, R"("num_hidden_layers": 2)", R"("num_hidden_layers": 3)")) ==
          "c.json:3:24: block_configs: expected a block for each of 3 layers");
  }
}
