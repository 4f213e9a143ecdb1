#include <fmt/format.h>

#include "case_shapes.hpp"

namespace afford::calibrate {
namespace {

/// Expert networks in FP8, and the library's two products of one of their experts.
void add_with_products(std::vector<Case>& cases, const ExpertShape& experts, int count,
                       const std::vector<int>& tokens_each) {
  for (const int tokens : tokens_each) {
    const int up = 2 * experts.intermediate;
    add_experts(cases, {"moe_ffn", "fp8_128", experts, count}, {tokens});
    cases.push_back(dense_case("fp8_128", {experts.tag, up, experts.hidden}, tokens));
    cases.push_back(
        dense_case("fp8_128", {experts.tag, experts.hidden, experts.intermediate}, tokens));
  }
}

/// One token, chunks that end within a tile, prefixes that do too, one head, groups of 1 to 16
/// heads and several sequences.
void add_odd_prompts(std::vector<Case>& cases) {
  for (const Heads& kind : {mfa_prompt, gqa_prompt, mla_prompt}) {
    const auto with = [&](int query, int kv) {
      return Heads{kind.operation, fmt::format("{} heads a KV head", query / kv), query, kv,
                   kind.dim};
    };
    add_prompts(cases, with(1, 1), {{1, 0}, {64, 0}, {127, 1}, {129, 0}, {4096, 0}, {500, 11}});
    add_prompts(cases, with(4, 1), {{128, 1}, {1000, 1001}});
    add_prompts(cases, with(16, 1), {{200, 4097}});
    cases.push_back(prompt_case(with(8, 1), {333, 37}, 2));
    cases.push_back(prompt_case(with(8, 8), {257, 63}, 3));
    cases.push_back(prompt_case(with(3, 3), {2048, 2048}));
  }
}

/// Lengths around one and two tiles together, one token, a long request alone, and mixed ones.
void add_odd_lengths(std::vector<Case>& cases, const Heads& heads, const std::string& precision,
                     bool paged) {
  cases.push_back(attention_case(heads, precision, {1, 63, 64, 65, 127, 128, 129, 4097}, paged));
  cases.push_back(attention_case(heads, precision, {1}, paged));
  cases.push_back(attention_case(heads, precision, {33333}, paged));
  cases.push_back(attention_case(heads, precision, mixed_lengths(61, 1000), paged));
}

}  // namespace

std::vector<Case> beside_cases() {
  std::vector<Case> cases;
  for (const double bytes : {16e6, 64e6, 256e6, 0.5e9, 2e9, 8e9})
    cases.push_back(memory_case("read", bytes));
  for (const std::string precision : {"bf16", "fp8"})
    cases.push_back(named_case("tensor", precision, "sustained"));
  add_attention(cases, mfa, "bf16",
                {{1024, {1}},
                 {4096, {1, 16, 128}},
                 {8192, {64, 256}},
                 {16384, {64}},
                 {32768, {16}},
                 {65536, {16}}});
  std::vector<int> one_long = uniform(32, 4096);
  one_long.front() = 131072;
  cases.push_back(attention_case(mfa, "bf16", one_long));
  add_attention(cases, gqa_4, "bf16", {{4096, {1, 64}}, {16384, {64}}});
  add_attention(cases, gqa_8, "bf16", {{4096, {64}}});
  for (const Heads& heads : {mfa_prompt, gqa_prompt, mla_prompt})
    add_prompts(cases, heads, {{2048, 0}, {8192, 0}, {2048, 32768}});
  add_prompts(cases, gqa_prompt, {{16384, 0}});
  add_with_products(cases, step3, 8, {8, 32, 128, 256, 512, 1024});
  add_with_products(cases, deepseek, 32, {8, 32, 128, 256});
  add_experts(cases, {"moe_ffn", "bf16", step3, 8}, {8, 32, 256, 512});
  return cases;
}

std::vector<Case> verification_cases() {
  std::vector<Case> cases{
      memory_case("read", 20e6 + 128 * 7), memory_case("read_parts", 20e6 + 128 * 7),
      memory_case("write", 20e6 + 128 * 7), memory_case("copy", 2 * (20e6 + 128 * 7)),
      memory_case("l2_read", 1e8, 8e6 + 128 * 5)};
  for (const std::string precision : {"bf16", "fp8"}) {
    cases.push_back(named_case("tensor", precision, ""));
    for (const Heads& heads : {mfa, gqa_4, gqa_8})
      for (const bool paged : {false, true}) add_odd_lengths(cases, heads, precision, paged);
    cases.push_back(attention_case(mfa, precision, uniform(512, 257)));
    for (const bool paged : {false, true}) {
      cases.push_back(
          attention_case(with_tokens(mfa, 4), precision, mixed_lengths(17, 1000), paged));
      cases.push_back(attention_case(with_tokens(gqa_4, 16), precision, {1, 65, 4097}, paged));
    }
  }
  for (const Heads& heads : {mla, mla_tp8})
    for (const std::string precision : {"bf16", "fp8_cache"})
      for (const bool paged : {false, true}) add_odd_lengths(cases, heads, precision, paged);
  add_odd_prompts(cases);
  for (const std::string precision : {"fp8_128", "bf16"})
    for (const std::string operation : {"moe_ffn", "moe_gate_up", "moe_down"}) {
      cases.push_back(moe_case(operation, precision, qwen, {1}));
      cases.push_back(moe_case(operation, precision, qwen, {0, 1, 0, 7, 65, 0, 130, 3, 0}));
      cases.push_back(moe_case(operation, precision, step3_tp8, {0, 0, 300, 0}));
      cases.push_back(moe_case(operation, precision, deepseek, {5, 0, 17, 63, 0, 64, 129, 257}));
      cases.push_back(moe_case(operation, precision, step3, {33, 0, 2}));
    }
  const Projection queries_keys_values{"step-3", 2560, 7168};
  for (const std::string precision : {"bf16", "fp8", "fp8_128"})
    for (const int m : {1, 17, 333}) cases.push_back(dense_case(precision, queries_keys_values, m));
  sort_by_operation(cases);
  return cases;
}

}  // namespace afford::calibrate
