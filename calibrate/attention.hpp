#pragma once
// Decode attention with grouped queries (MFA: one KV head of 256; GQA: several of 128): the query
// heads of a request against its KV cache. More than 64 of a KV head stand for several query tokens
// (drafted ones) without the mask among them: tiles of 64 rows that read the same cache.

#include <cuda_bf16.h>

#include <memory>
#include <string>
#include <vector>

#include "device.hpp"
#include "work.hpp"

namespace afford::calibrate {

struct AttentionCase {
  int query_heads = 64, kv_heads = 1,
      head_dim = 256;  // head_dim 128 or 256. Query heads a KV head: up to 64, or
                       // a multiple of 64, as of several query tokens
  Precision precision = Precision::bf16;  // of queries, KV cache and probabilities
  std::vector<int> lengths;               // KV tokens of each request, each at least 1
  bool paged = false;                     // pages of 64 tokens, scattered, one table a request
  unsigned seed = 1;
  int min_tiles = 0;  // smallest piece a sequence is cut into, in tiles; 0: the kernel's own choice
  int copies = 0;     // input sets; 0: enough that none stays in the L2 cache
};

/// Operands of one input set of a decode attention, on the device.
struct AttentionBuffers {
  void* queries = nullptr;          // [request][query head][width of a key]
  void *keys = nullptr,             // rows of the cache
      *values = nullptr;            // null where a key's row is the value too
  __nv_bfloat16* output = nullptr;  // of the last call on any set
};

/// Decode attention whose operands other kernels can write.
class DecodeAttention : public Work {
 public:
  [[nodiscard]] virtual AttentionBuffers buffers(int copy) = 0;
  /// The row of the cache that holds the newest token, of each request (and KV head of it).
  /// Contiguous caches only.
  [[nodiscard]] virtual std::vector<int> newest_rows() const = 0;
  /// A plain FP32 kernel's output [i][query head][width of a value] for request requests[i] and the
  /// queries [i][query head][width of a key], which are on the device.
  [[nodiscard]] virtual std::vector<float> reference(int copy, const std::vector<int>& requests,
                                                     const DeviceArray<float>& queries) = 0;
};

/// Splits every sequence over the multiprocessors (schedule.hpp), attends, and combines partial
/// results. Output: BF16 [request][query head][head_dim]. Throws CudaError, also when memory is
/// short.
[[nodiscard]] std::unique_ptr<DecodeAttention> make_attention(const AttentionCase& attention);

}  // namespace afford::calibrate
