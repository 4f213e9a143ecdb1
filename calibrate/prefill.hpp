#pragma once
// Prefill attention: causal attention of the new tokens of each sequence (a chunk of its prompt)
// over those cached before them and themselves. MFA and GQA (keys and values of 256 or 128), and
// MLA unabsorbed, with keys of 192 and values of 128 for every head.

#include <memory>

#include "work.hpp"

namespace afford::calibrate {

struct PrefillCase {
  int query_heads = 64, kv_heads = 4;
  int key_dim = 128;  // 128, 192 (values of 128) or 256
  int sequences = 1;
  int tokens = 8192;  // new ones of each sequence
  int prefix = 0;     // cached tokens before them
  unsigned seed = 1;
};

/// BF16 queries and outputs [sequence][token][head][dimension], keys and values [sequence][prefix
/// and new tokens][KV head][dimension]. Throws CudaError, also when memory is short.
[[nodiscard]] std::unique_ptr<Work> make_prefill(const PrefillCase& prefill);

}  // namespace afford::calibrate
