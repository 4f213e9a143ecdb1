#pragma once
// The models whose shapes are measured and checked, and one case of each kind. Numbers of heads and
// widths are those of each model's config.json.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cases.hpp"

namespace afford::calibrate {

/// `resident`: bytes of the set that stays in the cache.
[[nodiscard]] Case memory_case(std::string operation, double bytes, double resident = 0);
[[nodiscard]] Case named_case(std::string operation, std::string precision, std::string tag);

// --- decode attention

struct Heads {
  std::string operation, tag;
  int query, kv, dim;
};
// Step-3's MFA (64 query heads, one KV head of 256), Qwen3-235B (64/4), Llama 3.1 70B (64/8), and
// DeepSeek-V3's absorbed MLA, whole and in a tensor-parallel eighth; the cached row of MLA has 512
// + 64 elements.
inline const Heads mfa{"mfa_decode", "step-3", 64, 1, 256},
    gqa_4{"gqa_decode", "qwen3-moe", 64, 4, 128}, gqa_8{"gqa_decode", "llama-3.1-70b", 64, 8, 128},
    mla{"mla_decode", "deepseek-v3", 128, 1, 576},
    mla_tp8{"mla_decode", "deepseek-v3 tp8", 16, 1, 576};

/// `tokens` query tokens a request, as with drafted ones: that many times the rows a KV head.
[[nodiscard]] Heads with_tokens(const Heads& heads, int tokens);
[[nodiscard]] Case attention_case(const Heads& heads, const std::string& precision,
                                  std::vector<int> lengths, bool paged = false);
[[nodiscard]] std::vector<int> uniform(int batch, int context);

/// So many requests of one context each.
struct Batches {
  int context;
  std::vector<int> sizes;
};
void add_attention(std::vector<Case>& cases, const Heads& heads, const std::string& precision,
                   const std::vector<Batches>& sweep);

// --- attention of prompts

// The same models' prompts, MLA with keys and values expanded for every head; tp8: an eighth of the
// heads.
inline const Heads mfa_prompt{"mfa_prefill", "step-3", 64, 1, 256},
    mfa_prompt_tp8{"mfa_prefill", "step-3 tp8", 8, 1, 256},
    gqa_prompt{"gqa_prefill", "qwen3-moe", 64, 4, 128},
    gqa_prompt_tp8{"gqa_prefill", "llama-3.1-70b tp8", 8, 1, 128},
    mla_prompt{"mla_prefill", "deepseek-v3", 128, 128, 192},
    mla_prompt_tp8{"mla_prefill", "deepseek-v3 tp8", 16, 16, 192};

/// A chunk of a prompt, over what is cached before it.
struct Chunk {
  int tokens = 0, prefix = 0;
};
[[nodiscard]] Case prompt_case(const Heads& heads, const Chunk& chunk, int sequences = 1);
void add_prompts(std::vector<Case>& cases, const Heads& heads, const std::vector<Chunk>& chunks);

// --- expert networks

struct ExpertShape {
  std::string tag;
  int hidden, intermediate;
};
// config.json of each model: hidden_size, moe_intermediate_size; tp8: an eighth of each expert.
inline const ExpertShape step3{"step-3", 7168, 5120}, step3_tp8{"step-3 tp8", 7168, 640},
    deepseek{"deepseek-v3", 7168, 2048}, qwen{"qwen3-moe", 4096, 1536};

/// `tokens` of each expert.
[[nodiscard]] Case moe_case(const std::string& operation, const std::string& precision,
                            const ExpertShape& experts, std::vector<int> tokens);
/// A fourth of them without tokens.
[[nodiscard]] std::vector<int> with_empty(int experts, int mean);
/// `count` experts of a kind, in one operation and precision.
struct Network {
  std::string operation, precision;
  ExpertShape experts;
  int count;
};
/// A case for each number of tokens, which all experts have.
void add_experts(std::vector<Case>& cases, const Network& network,
                 const std::vector<int>& tokens_each);

// --- dense products

struct Projection {
  std::string tag;
  int n, k;
};
/// The library's products with block scales take rows by fours: engines pad them.
[[nodiscard]] Case dense_case(const std::string& precision, const Projection& projection, int m);

}  // namespace afford::calibrate
