#include "case_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace afford::calibrate {

Case memory_case(std::string operation, double bytes, double resident) {
  Case one;
  one.point.operation = std::move(operation);
  one.point.bytes = bytes;
  one.resident = resident;
  if (resident > 0) one.point.tag = fmt::format("{:.0f} MiB resident", resident / double{1 << 20});
  return one;
}

Case named_case(std::string operation, std::string precision, std::string tag) {
  Case one;
  one.point.operation = std::move(operation);
  one.point.precision = std::move(precision);
  one.point.tag = std::move(tag);
  return one;
}

Heads with_tokens(const Heads& heads, int tokens) {
  return {heads.operation, fmt::format("{}, {} query tokens", heads.tag, tokens),
          heads.query * tokens, heads.kv, heads.dim};
}

Case attention_case(const Heads& heads, const std::string& precision, std::vector<int> lengths,
                    bool paged) {
  Case one = named_case(heads.operation, precision, heads.tag);
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

std::vector<int> uniform(int batch, int context) {
  return std::vector<int>(static_cast<size_t>(batch), context);
}

void add_attention(std::vector<Case>& cases, const Heads& heads, const std::string& precision,
                   const std::vector<Batches>& sweep) {
  for (const Batches& batches : sweep)
    for (const int batch : batches.sizes)
      cases.push_back(attention_case(heads, precision, uniform(batch, batches.context)));
}

Case prompt_case(const Heads& heads, const Chunk& chunk, int sequences) {
  Case one = named_case(heads.operation, "bf16", heads.tag);
  one.point.query_heads = heads.query;
  one.point.kv_heads = heads.kv;
  one.point.head_dim = heads.dim;
  one.point.batch = sequences;
  one.point.tokens = chunk.tokens;
  one.point.longest_tokens = chunk.prefix + chunk.tokens;
  one.point.context_tokens = chunk.prefix + chunk.tokens;
  return one;
}

void add_prompts(std::vector<Case>& cases, const Heads& heads, const std::vector<Chunk>& chunks) {
  for (const Chunk& chunk : chunks) cases.push_back(prompt_case(heads, chunk));
}

Case moe_case(const std::string& operation, const std::string& precision,
              const ExpertShape& experts, std::vector<int> tokens) {
  Case one = named_case(operation, precision, experts.tag);
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

void add_experts(std::vector<Case>& cases, const Network& network,
                 const std::vector<int>& tokens_each) {
  for (const int tokens : tokens_each)
    cases.push_back(moe_case(network.operation, network.precision, network.experts,
                             std::vector<int>(static_cast<size_t>(network.count), tokens)));
}

Case dense_case(const std::string& precision, const Projection& projection, int m) {
  Case one = named_case("dense", precision, projection.tag);
  one.point.m = precision == "fp8_128" ? (m + 3) / 4 * 4 : m;
  one.point.n = projection.n;
  one.point.k = projection.k;
  return one;
}

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

}  // namespace afford::calibrate
