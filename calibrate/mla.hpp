#pragma once
// Decode attention of multi-head latent attention (MLA) in its absorbed form: every query head of a
// request attends to one cache row of 576 per token (512 latent and 64 rotary), whose latent part
// is the value too.

#include <memory>
#include <vector>

#include "attention.hpp"

namespace afford::calibrate {

struct MlaCase {
  int heads = 128;  // query heads, 1 to 128
  Precision cache = Precision::bf16;
  std::vector<int> lengths;  // cached tokens of each request, each at least 1
  bool paged = false;        // pages of 64 tokens, scattered, one table a request
  unsigned seed = 1;
  int min_tiles =
      0;  // smallest piece a sequence is cut into, in tiles of 64 tokens; 0: the kernel's choice
  int copies = 0;  // input sets; 0: enough that none stays in the L2 cache
};

/// BF16 queries [request][head][576] and cache [token][576], output BF16 [request][head][512]; one
/// query token a request. A cache in FP8 has the entries of mla_fp8.cuh, and products are in BF16
/// all the same. Splits every sequence over the multiprocessors (schedule.hpp), attends,
/// and combines partial results. Throws CudaError, also when memory is short.
[[nodiscard]] std::unique_ptr<DecodeAttention> make_mla(const MlaCase& mla);

}  // namespace afford::calibrate
