#include "cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <utility>

#include "units.hpp"

namespace afford::calibrate {
namespace {

constexpr std::string_view names[] = {
    "tensor",        "read",         "read_parts",       "write",      "copy",        "l2_read",
    "launch_stream", "launch_graph", "launch_dependent", "mfa_decode", "gqa_decode",  "mla_decode",
    "mfa_prefill",   "gqa_prefill",  "mla_prefill",      "moe_ffn",    "moe_gate_up", "moe_down",
    "dense"};

// --- one case of each kind

Case memory(std::string operation, double bytes, double resident = 0) {
  Case one;
  one.point.operation = std::move(operation);
  one.point.bytes = bytes;
  one.resident = resident;
  if (resident > 0) one.point.tag = fmt::format("{:.0f} MiB resident", resident / double{1 << 20});
  return one;
}

Case named(std::string operation, std::string precision, std::string tag) {
  Case one;
  one.point.operation = std::move(operation);
  one.point.precision = std::move(precision);
  one.point.tag = std::move(tag);
  return one;
}

struct Heads {
  std::string operation, tag;
  int query, kv, dim;
};
// Step-3's MFA (64 query heads, one KV head of 256), Qwen3-235B (64/4), Llama 3.1 70B (64/8), and
// DeepSeek-V3's absorbed MLA, whole and in a tensor-parallel eighth; the cached row of MLA has 512
// + 64 elements.
const Heads mfa{"mfa_decode", "step-3", 64, 1, 256}, gqa_4{"gqa_decode", "qwen3-moe", 64, 4, 128},
    gqa_8{"gqa_decode", "llama-3.1-70b", 64, 8, 128}, mla{"mla_decode", "deepseek-v3", 128, 1, 576},
    mla_tp8{"mla_decode", "deepseek-v3 tp8", 16, 1, 576};

/// `tokens` query tokens a request, as with drafted ones: that many times the rows a KV head.
Heads with_tokens(const Heads& heads, int tokens) {
  return {heads.operation, fmt::format("{}, {} query tokens", heads.tag, tokens),
          heads.query * tokens, heads.kv, heads.dim};
}

Case attention(const Heads& heads, const std::string& precision, std::vector<int> lengths,
               bool paged = false) {
  Case one = named(heads.operation, precision, heads.tag);
  one.point.query_heads = heads.query;
  one.point.kv_heads = heads.kv;
  one.point.head_dim = heads.dim;
  one.point.batch = static_cast<std::int64_t>(lengths.size());
  one.point.context_tokens =
      std::accumulate(lengths.begin(), lengths.end(), 0.0) / static_cast<double>(lengths.size());
  one.point.longest_tokens = *std::max_element(lengths.begin(), lengths.end());
  one.point.paged = paged;
  one.lengths = std::move(lengths);
  return one;
}

// The same models' prompts, MLA with keys and values expanded for every head; tp8: an eighth of the
// heads.
const Heads mfa_prompt{"mfa_prefill", "step-3", 64, 1, 256},
    mfa_prompt_tp8{"mfa_prefill", "step-3 tp8", 8, 1, 256},
    gqa_prompt{"gqa_prefill", "qwen3-moe", 64, 4, 128},
    gqa_prompt_tp8{"gqa_prefill", "llama-3.1-70b tp8", 8, 1, 128},
    mla_prompt{"mla_prefill", "deepseek-v3", 128, 128, 192},
    mla_prompt_tp8{"mla_prefill", "deepseek-v3 tp8", 16, 16, 192};

/// A chunk of a prompt, over what is cached before it.
struct Chunk {
  int tokens = 0, prefix = 0;
};
Case prompt(const Heads& heads, const Chunk& chunk, int sequences = 1) {
  Case one = named(heads.operation, "bf16", heads.tag);
  one.point.query_heads = heads.query;
  one.point.kv_heads = heads.kv;
  one.point.head_dim = heads.dim;
  one.point.batch = sequences;
  one.point.tokens = chunk.tokens;
  one.point.longest_tokens = chunk.prefix + chunk.tokens;
  one.point.context_tokens = chunk.prefix + chunk.tokens;
  return one;
}

std::vector<int> uniform(int batch, int context) {
  return std::vector<int>(static_cast<size_t>(batch), context);
}

void add_prompts(std::vector<Case>& cases, const Heads& heads, const std::vector<Chunk>& chunks) {
  for (const Chunk& chunk : chunks) cases.push_back(prompt(heads, chunk));
}

struct Experts {
  std::string tag;
  int hidden, intermediate;
};
// config.json of each model: hidden_size, moe_intermediate_size; tp8: an eighth of each expert.
const Experts step3{"step-3", 7168, 5120}, step3_tp8{"step-3 tp8", 7168, 640},
    deepseek{"deepseek-v3", 7168, 2048}, qwen{"qwen3-moe", 4096, 1536};

Case moe(const std::string& operation, const std::string& precision, const Experts& experts,
         std::vector<int> tokens) {
  Case one = named(operation, precision, experts.tag);
  one.point.hidden = experts.hidden;
  one.point.intermediate = experts.intermediate;
  one.point.experts = std::count_if(tokens.begin(), tokens.end(), [](int t) { return t > 0; });
  one.point.tokens = std::accumulate(tokens.begin(), tokens.end(), std::int64_t{0});
  one.point.busiest_tokens = *std::max_element(tokens.begin(), tokens.end());
  one.tokens = std::move(tokens);
  return one;
}

std::vector<int> with_empty(int experts, int mean) {
  std::vector<int> tokens(static_cast<size_t>(experts), mean);
  for (size_t i = 0; i < tokens.size(); i += 4) tokens[i] = 0;
  return tokens;
}

struct Projection {
  std::string tag;
  int n, k;
};
// Step-3: q down-projection with K and V (2048 + 2 x 256), q up-projection, output, shared expert's
// gate and up, an eighth of the LM head (128815, rounded to 16). DeepSeek-V3: q_b, shared expert's
// gate and up. Qwen3-235B: q, k and v, and output.
const Projection projections[] = {
    {"step-3", 2560, 7168},      {"step-3", 16384, 2048},   {"step-3", 7168, 16384},
    {"step-3", 10240, 7168},     {"step-3", 16112, 7168},   {"deepseek-v3", 24576, 1536},
    {"deepseek-v3", 4096, 7168}, {"qwen3-moe", 9216, 4096}, {"qwen3-moe", 4096, 8192}};

/// The library's products with block scales take rows by fours: engines pad them.
Case dense(const std::string& precision, const Projection& projection, int m) {
  Case one = named("dense", precision, projection.tag);
  one.point.m = precision == "fp8_128" ? (m + 3) / 4 * 4 : m;
  one.point.n = projection.n;
  one.point.k = projection.k;
  return one;
}

// --- lists

void add_roofs(std::vector<Case>& cases) {
  for (const double bytes : {16e6, 32e6, 64e6, 128e6, 256e6, 0.5e9, 2e9, 8e9})
    cases.push_back(memory("read", bytes));
  for (const std::string operation : {"read_parts", "write", "copy"})
    for (const double bytes : {16e6, 64e6, 256e6, 0.5e9, 2e9, 8e9})
      cases.push_back(memory(operation, bytes));
  for (const double bytes : {0.125e9, 0.25e9, 0.5e9, 1e9, 2e9, 4e9})
    cases.push_back(memory("l2_read", bytes, 20 * double{1 << 20}));
  for (const std::string precision : {"bf16", "fp8"})
    cases.push_back(named("tensor", precision, "sustained"));
  for (const std::string operation : {"launch_stream", "launch_graph", "launch_dependent"})
    cases.push_back(named(operation, "", "empty kernel"));
}

struct Batches {
  int context;
  std::vector<int> sizes;
};

void add_attention(std::vector<Case>& cases, const Heads& heads, const std::string& precision,
                   const std::vector<Batches>& sweep) {
  for (const Batches& batches : sweep)
    for (const int batch : batches.sizes)
      cases.push_back(attention(heads, precision, uniform(batch, batches.context)));
}

void add_varied(std::vector<Case>& cases, const Heads& heads, const std::string& precision,
                const std::vector<std::pair<int, int>>& batch_and_mean, bool paged) {
  for (const auto& [batch, mean] : batch_and_mean) {
    cases.push_back(attention(heads, precision, mixed_lengths(batch, mean)));
    if (paged) cases.push_back(attention(heads, precision, mixed_lengths(batch, mean), true));
  }
}

/// So many query rows that the tensor cores bound the kernels.
void add_many_rows(std::vector<Case>& cases) {
  for (const std::string precision : {"bf16", "fp8"}) {
    add_attention(cases, with_tokens(mfa, 4), precision, {{4096, {16, 64, 128}}, {16384, {8, 64}}});
    add_attention(cases, with_tokens(mfa, 8), precision,
                  {{1024, {64}}, {4096, {8, 32, 128}}, {16384, {16, 32}}});
    add_attention(cases, with_tokens(gqa_4, 4), precision, {{4096, {64}}});
    add_attention(cases, with_tokens(gqa_4, 16), precision, {{4096, {16, 64}}, {16384, {16}}});
    add_attention(cases, with_tokens(gqa_4, 32), precision, {{4096, {4, 32}}, {16384, {16}}});
  }
}

void add_all_attention(std::vector<Case>& cases) {
  // Of which no number of equal parts gives as many as there are SMs.
  const std::vector<int> odd_batches{24, 48, 96, 200};
  for (const std::string precision : {"bf16", "fp8"}) {
    const int wide = precision == "fp8" ? 2 : 1;  // as many bytes: contexts twice as long
    add_attention(cases, mfa, precision,
                  {{1024, {1, 16, 64, 128, 256, 512}},
                   {4096, {1, 4, 16, 64, 128, 256, 512}},
                   {8192 * wide, {1, 32, 64, 128, 256}},
                   {16384 * wide, {1, 4, 16, 64, 128, 256}},
                   {65536, {1, 4, 16, 64, 64 * wide}}});
    add_attention(cases, mfa, precision, {{6000 * wide, odd_batches}});
    add_varied(cases, mfa, precision, {{16, 8192}, {64, 4096}, {128, 8192}, {256, 2048}}, true);
  }
  for (const std::string precision : {"bf16", "fp8"}) {
    add_attention(cases, gqa_4, precision,
                  {{1024, {1, 16, 64, 256}},
                   {4096, {1, 16, 64, 128, 256}},
                   {16384, {1, 4, 16, 64, 128}},
                   {65536, {1, 16}}});
    add_attention(cases, gqa_4, precision, {{6000, {10, 24, 50}}});
    add_varied(cases, gqa_4, precision, {{64, 4096}, {128, 4096}}, true);
    add_attention(cases, gqa_8, precision,
                  {{1024, {16, 128}}, {4096, {1, 16, 64, 128}}, {16384, {4, 64}}});
  }
  add_attention(cases, mla, "bf16",
                {{1024, {1, 16, 64, 128, 256}},
                 {4096, {1, 4, 16, 64, 128, 256}},
                 {16384, {1, 16, 64, 128}},
                 {65536, {1, 16}}});
  add_attention(cases, mla, "bf16", {{6000, odd_batches}});
  add_varied(cases, mla, "bf16", {{64, 4096}, {128, 4096}}, true);
  add_attention(cases, mla_tp8, "bf16",
                {{1024, {16, 128}}, {4096, {1, 16, 64, 128, 256}}, {16384, {16, 128}}});
  add_many_rows(cases);
}

void add_all_prompts(std::vector<Case>& cases) {
  const std::vector<Chunk> chunks{{256, 0},  {512, 0},    {1024, 0},    {2048, 0},
                                  {8192, 0}, {512, 8192}, {2048, 8192}, {2048, 32768}};
  const std::vector<Chunk> of_few_heads{{512, 0}, {2048, 0}, {8192, 0}, {2048, 32768}};
  for (const Heads& heads : {mfa_prompt, gqa_prompt, mla_prompt}) add_prompts(cases, heads, chunks);
  for (const Heads& heads : {mfa_prompt_tp8, gqa_prompt_tp8, mla_prompt_tp8})
    add_prompts(cases, heads, of_few_heads);
  add_prompts(cases, gqa_prompt, {{16384, 0}});
}

void add_experts(std::vector<Case>& cases, const std::string& operation,
                 const std::string& precision, const Experts& experts, int count,
                 const std::vector<int>& tokens_each) {
  for (const int tokens : tokens_each)
    cases.push_back(
        moe(operation, precision, experts, std::vector<int>(static_cast<size_t>(count), tokens)));
}

void add_ffn(std::vector<Case>& cases, const std::string& precision) {
  const std::vector<int> all{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096},
      few{1, 8, 32, 64, 128, 256};
  const std::string op = "moe_ffn";
  add_experts(cases, op, precision, step3, 6, all);
  add_experts(cases, op, precision, deepseek, 8, {1, 4, 16, 32, 64, 128, 256, 512, 1024, 4096});
  add_experts(cases, op, precision, qwen, 16, {1, 4, 16, 32, 64, 128, 256, 512, 1024, 4096});
  add_experts(cases, op, precision, step3, 48, few);
  add_experts(cases, op, precision, deepseek, 32, few);
  if (precision != "bf16") {
    add_experts(cases, op, precision, step3, 4, {8, 32, 128, 512});
    add_experts(cases, op, precision, step3, 12, {8, 32, 128, 512});
    add_experts(cases, op, precision, step3_tp8, 48, few);
    cases.push_back(moe(op, precision, step3, with_empty(12, 48)));
    cases.push_back(moe(op, precision, deepseek, with_empty(32, 48)));
  }
  cases.push_back(moe(op, precision, step3, skewed_tokens(12, 64)));
  cases.push_back(moe(op, precision, deepseek, skewed_tokens(32, 32)));
  cases.push_back(moe(op, precision, qwen, skewed_tokens(16, 128)));
}

void add_moe(std::vector<Case>& cases) {
  for (const std::string precision : {"fp8_128", "bf16"}) {
    add_ffn(cases, precision);
    for (const std::string operation : {"moe_gate_up", "moe_down"}) {
      const std::vector<int> each{1, 8, 32, 64, 128, 512};
      add_experts(cases, operation, precision, step3, 6, each);
      if (precision != "bf16") add_experts(cases, operation, precision, deepseek, 8, each);
      if (precision != "bf16") add_experts(cases, operation, precision, qwen, 16, each);
    }
  }
}

void add_dense(std::vector<Case>& cases) {
  for (const std::string precision : {"bf16", "fp8", "fp8_128"})
    for (const Projection& projection : projections) {
      const bool fully =
          projection.n * projection.k >= 7168 * 10240;  // the largest matrices: every M
      for (const int m : fully ? std::vector<int>{1, 8, 16, 32, 64, 128, 192, 256, 384, 512, 1024,
                                                  2048, 4096, 8192}
                               : std::vector<int>{1, 16, 64, 128, 256, 1024})
        cases.push_back(dense(precision, projection, m));
    }
}

/// Expert networks in FP8, and the library's two products of one of their experts.
void add_with_products(std::vector<Case>& cases, const Experts& experts, int count,
                       const std::vector<int>& tokens_each) {
  for (const int tokens : tokens_each) {
    const int up = 2 * experts.intermediate;
    add_experts(cases, "moe_ffn", "fp8_128", experts, count, {tokens});
    cases.push_back(dense("fp8_128", {experts.tag, up, experts.hidden}, tokens));
    cases.push_back(dense("fp8_128", {experts.tag, experts.hidden, experts.intermediate}, tokens));
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
    cases.push_back(prompt(with(8, 1), {333, 37}, 2));
    cases.push_back(prompt(with(8, 8), {257, 63}, 3));
    cases.push_back(prompt(with(3, 3), {2048, 2048}));
  }
}

int place(const Case& one) {
  return static_cast<int>(std::find(std::begin(names), std::end(names), one.point.operation) -
                          std::begin(names));
}

}  // namespace

std::span<const std::string_view> operations() { return names; }

std::vector<int> mixed_lengths(int batch, int mean) {
  constexpr double golden = 0.6180339887498949, lowest = 0.25,
                   ratio = 9.6;  // the mean comes out near 1
  std::vector<int> lengths;
  for (int i = 0; i < batch; ++i) {
    const double place = std::fmod((i + 1) * golden, 1.0);
    lengths.push_back(
        std::max(1, static_cast<int>(std::lround(mean * lowest * std::pow(ratio, place)))));
  }
  return lengths;
}

std::vector<int> skewed_tokens(int experts, int mean) {
  double weights = 0;
  for (int i = 0; i < experts; ++i) weights += 1 / std::sqrt(i + 1.0);
  std::vector<int> tokens(static_cast<size_t>(experts));
  int left = experts * mean;
  for (int i = experts - 1; i > 0; --i) {
    const double share = experts * mean / std::sqrt(i + 1.0) / weights;
    tokens[static_cast<size_t>(i)] = static_cast<int>(std::lround(share));
    left -= tokens[static_cast<size_t>(i)];
  }
  tokens[0] = left;
  std::rotate(tokens.begin(), tokens.begin() + experts / 3,
              tokens.end());  // the busiest is not the first
  return tokens;
}

std::vector<Case> calibration_cases() {
  std::vector<Case> cases;
  add_roofs(cases);
  add_all_attention(cases);
  add_all_prompts(cases);
  add_moe(cases);
  add_dense(cases);
  std::stable_sort(cases.begin(), cases.end(),
                   [](const Case& a, const Case& b) { return place(a) < place(b); });
  return cases;
}

std::vector<Case> thin(const std::vector<Case>& cases, size_t most) {
  const auto key = [](const Point& p) { return p.operation + ' ' + p.precision; };
  std::map<std::string, size_t> count, seen;
  for (const Case& one : cases) ++count[key(one.point)];
  std::vector<Case> kept;
  for (const Case& one : cases) {
    const size_t all = count[key(one.point)], i = seen[key(one.point)]++;
    // Kept when one of the `most` marks, evenly laid over the cases, falls on it.
    const bool marked =
        all <= most || i == 0 || i * (most - 1) / (all - 1) > (i - 1) * (most - 1) / (all - 1);
    if (marked) kept.push_back(one);
  }
  return kept;
}

std::vector<Case> only(const std::vector<Case>& cases, std::span<const std::string> chosen) {
  if (chosen.empty()) return cases;
  std::vector<Case> kept;
  for (const Case& one : cases) {
    const std::string& operation = one.point.operation;
    if (operation == "read" || operation == "tensor" ||
        std::find(chosen.begin(), chosen.end(), operation) != chosen.end())
      kept.push_back(one);
  }
  return kept;
}

std::vector<Case> closing_roofs() {
  std::vector<Case> cases{named("tensor", "bf16", ""), named("tensor", "fp8", ""),
                          memory("read", 2e9)};
  for (Case& one : cases) one.point.tag = "at the end";
  return cases;
}

std::vector<Case> beside_cases() {
  std::vector<Case> cases;
  for (const double bytes : {16e6, 64e6, 256e6, 0.5e9, 2e9, 8e9})
    cases.push_back(memory("read", bytes));
  for (const std::string precision : {"bf16", "fp8"})
    cases.push_back(named("tensor", precision, "sustained"));
  add_attention(cases, mfa, "bf16",
                {{1024, {1}},
                 {4096, {1, 16, 128}},
                 {8192, {64, 256}},
                 {16384, {64}},
                 {32768, {16}},
                 {65536, {16}}});
  std::vector<int> one_long = uniform(32, 4096);
  one_long.front() = 131072;
  cases.push_back(attention(mfa, "bf16", one_long));
  add_attention(cases, gqa_4, "bf16", {{4096, {1, 64}}, {16384, {64}}});
  add_attention(cases, gqa_8, "bf16", {{4096, {64}}});
  for (const Heads& heads : {mfa_prompt, gqa_prompt, mla_prompt})
    add_prompts(cases, heads, {{2048, 0}, {8192, 0}, {2048, 32768}});
  add_prompts(cases, gqa_prompt, {{16384, 0}});
  add_with_products(cases, step3, 8, {8, 32, 128, 256, 512, 1024});
  add_with_products(cases, deepseek, 32, {8, 32, 128, 256});
  add_experts(cases, "moe_ffn", "bf16", step3, 8, {8, 32, 256, 512});
  return cases;
}

std::vector<Case> verification_cases() {
  std::vector<Case> cases{memory("read", 20e6 + 128 * 7), memory("read_parts", 20e6 + 128 * 7),
                          memory("write", 20e6 + 128 * 7), memory("copy", 2 * (20e6 + 128 * 7)),
                          memory("l2_read", 1e8, 8e6 + 128 * 5)};
  for (const std::string precision : {"bf16", "fp8"}) {
    cases.push_back(named("tensor", precision, ""));
    for (const Heads& heads : {mfa, gqa_4, gqa_8})
      for (const bool paged : {false, true}) {
        cases.push_back(attention(heads, precision, {1, 63, 64, 65, 127, 128, 129, 4097}, paged));
        cases.push_back(attention(heads, precision, {1}, paged));
        cases.push_back(attention(heads, precision, {33333}, paged));
        cases.push_back(attention(heads, precision, mixed_lengths(61, 1000), paged));
      }
    cases.push_back(attention(mfa, precision, uniform(512, 257)));
    for (const bool paged : {false, true}) {
      cases.push_back(attention(with_tokens(mfa, 4), precision, mixed_lengths(17, 1000), paged));
      cases.push_back(attention(with_tokens(gqa_4, 16), precision, {1, 65, 4097}, paged));
    }
  }
  for (const Heads& heads : {mla, mla_tp8})
    for (const bool paged : {false, true}) {
      cases.push_back(attention(heads, "bf16", {1, 63, 64, 65, 127, 128, 129, 4097}, paged));
      cases.push_back(attention(heads, "bf16", {1}, paged));
      cases.push_back(attention(heads, "bf16", {33333}, paged));
      cases.push_back(attention(heads, "bf16", mixed_lengths(61, 1000), paged));
    }
  add_odd_prompts(cases);
  for (const std::string precision : {"fp8_128", "bf16"})
    for (const std::string operation : {"moe_ffn", "moe_gate_up", "moe_down"}) {
      cases.push_back(moe(operation, precision, qwen, {1}));
      cases.push_back(moe(operation, precision, qwen, {0, 1, 0, 7, 65, 0, 130, 3, 0}));
      cases.push_back(moe(operation, precision, step3_tp8, {0, 0, 300, 0}));
      cases.push_back(moe(operation, precision, deepseek, {5, 0, 17, 63, 0, 64, 129, 257}));
      cases.push_back(moe(operation, precision, step3, {33, 0, 2}));
    }
  for (const std::string precision : {"bf16", "fp8", "fp8_128"})
    for (const int m : {1, 17, 333}) cases.push_back(dense(precision, projections[0], m));
  std::stable_sort(cases.begin(), cases.end(),
                   [](const Case& a, const Case& b) { return place(a) < place(b); });
  return cases;
}

std::string shape_text(const Point& p) {
  if (p.batch > 0 && p.tokens > 0)
    return fmt::format("{}/{} d{}, {} x {} new of {:.0f}", p.query_heads, p.kv_heads, p.head_dim,
                       p.batch, p.tokens, p.context_tokens);
  if (p.batch > 0) {
    const bool uneven = static_cast<double>(p.longest_tokens) > p.context_tokens;
    return fmt::format("{}/{} d{}, {} x {:.0f}{}{}", p.query_heads, p.kv_heads, p.head_dim, p.batch,
                       p.context_tokens,
                       uneven ? fmt::format(" (longest {})", p.longest_tokens) : "",
                       p.paged ? ", paged" : "");
  }
  if (p.hidden > 0) {
    const bool uneven = p.busiest_tokens * p.experts > p.tokens;
    return fmt::format("{} experts {} x {}, {} tokens{}", p.experts, p.hidden, p.intermediate,
                       p.tokens, uneven ? fmt::format(" (busiest {})", p.busiest_tokens) : "");
  }
  if (p.m > 0) return fmt::format("{} x {} x {}", p.m, p.n, p.k);
  if (p.bytes == 0) return p.tag;
  return fmt::format("{:.4g} MB{}", Bytes(p.bytes) / MB, p.tag.empty() ? "" : ", " + p.tag);
}

}  // namespace afford::calibrate
