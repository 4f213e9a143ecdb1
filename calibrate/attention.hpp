#pragma once
// Decode attention with grouped queries (MFA: one KV head of 256; GQA: several of 128): one query
// token a request against its KV cache.

#include <memory>
#include <string>
#include <vector>

#include "work.hpp"

namespace afford::calibrate {

struct AttentionCase {
  int query_heads = 64, kv_heads = 1,
      head_dim = 256;                     // head_dim 128 or 256; at most 64 query heads a KV head
  Precision precision = Precision::bf16;  // of queries, KV cache and probabilities
  std::vector<int> lengths;               // KV tokens of each request, each at least 1
  bool paged = false;                     // pages of 64 tokens, scattered, one table a request
  unsigned seed = 1;
  int min_tiles = 0;  // smallest piece a sequence is cut into, in tiles; 0: the kernel's own choice
};

/// Splits every sequence over the multiprocessors (schedule.hpp), attends, and combines partial
/// results. Output: BF16 [request][query head][head_dim]. Throws CudaError, also when memory is
/// short.
[[nodiscard]] std::unique_ptr<Work> make_attention(const AttentionCase& attention);

}  // namespace afford::calibrate
