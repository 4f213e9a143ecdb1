#pragma once
// The small kernels of a decode layer, between its matrix products and attention: residual sums,
// norms, quantisation, rotary embedding with the cache write, routing, and the packing of tokens
// for their experts. Each moves little; a pipeline (afd.hpp) chains the large kernels with them.
// Rows are tokens. Quantised values are e4m3 with an FP32 scale for each 128 of a row. Pointers may
// be those of another GPU with peer access.

#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include "work.hpp"

namespace afford::calibrate {

inline constexpr int most_targets = 8;  // GPUs that one kernel writes to

/// Where scale (row, block of 128) stands.
struct ScaleLayout {
  int row_stride = 1, block_stride = 0;
};

/// One destination of rows of `width` values: BF16, or FP8 with scales.
struct RowTarget {
  void* values = nullptr;
  float* scales = nullptr;
};

/// sum = input + the partial results; out = sum / rms(sum) * gain.
struct NormCall {
  int rows = 0, width = 0;  // width: a multiple of 128, at most 8192
  const __nv_bfloat16* input = nullptr;
  int input_stride = 0;
  const __nv_bfloat16* partial = nullptr;  // [partials][rows][width]
  int partials = 0;
  const __nv_bfloat16* gain = nullptr;    // [width]
  __nv_bfloat16* sum = nullptr;           // [rows][width]; null: not kept
  __nv_bfloat16* normed = nullptr;        // [rows][width]; null: not kept
  Precision precision = Precision::bf16;  // of the targets
  RowTarget targets[most_targets];
  int target_count = 0;
  ScaleLayout scales;
};
void enqueue_norm(const NormCall& call, cudaStream_t stream);

/// Quantises rows of BF16 in 128-blocks; width a multiple of 128.
struct QuantiseCall {
  int rows = 0, width = 0;
  const __nv_bfloat16* input = nullptr;
  RowTarget target;
  ScaleLayout scales;
};
void enqueue_quantise(const QuantiseCall& call, cudaStream_t stream);

/// Rotary embedding (halves, NeoX order) of queries and of the newest key, which goes into the
/// cache with its value. `turns` [rows][dim / 2] are cosine and sine of a row's position.
struct RotaryCall {
  int rows = 0, query_heads = 0, kv_heads = 0, dim = 0;
  const __nv_bfloat16* queries = nullptr;  // [rows][query_stride], heads one after another
  const __nv_bfloat16 *keys = nullptr, *values = nullptr;  // [rows][kv_stride]
  int query_stride = 0, kv_stride = 0;
  const float2* turns = nullptr;
  const int* cache_rows = nullptr;                   // [rows][kv_heads]
  Precision precision = Precision::bf16;             // of the cache and the queries for attention
  void *queries_out = nullptr,                       // [rows][query_heads][dim]
      *key_cache = nullptr, *value_cache = nullptr;  // [row of the cache][dim]
};
void enqueue_rotary(const RotaryCall& call, cudaStream_t stream);

/// The same for MLA in absorbed form: the rotary part of each query goes behind its latent part,
/// and the newest cache row is the normed latent with the rotary key behind it. BF16.
struct LatentRotaryCall {
  int rows = 0, heads = 0, latent = 0, rope = 0;
  const __nv_bfloat16* queries = nullptr;  // [rows][heads][query_width], the last `rope` of each
  int query_width = 0;
  const __nv_bfloat16* kv = nullptr;  // [rows][kv_stride]: latent, then rotary key
  int kv_stride = 0;
  const __nv_bfloat16* gain = nullptr;                     // [latent]
  const float2* turns = nullptr;                           // [rows][rope / 2]
  const int* cache_rows = nullptr;                         // [rows]
  __nv_bfloat16 *queries_out = nullptr, *cache = nullptr;  // [rows][heads], [rows] of latent + rope
};
void enqueue_latent_rotary(const LatentRotaryCall& call, cudaStream_t stream);

/// The `active` largest logits of each row (the lower index first among equals) and their softmax
/// among themselves.
struct TopKCall {
  int rows = 0, experts = 0, active = 0;
  const __nv_bfloat16* logits = nullptr;
  int* ids[most_targets] = {};  // [rows][active], of every target
  float* weights[most_targets] = {};
  int target_count = 0;
};
void enqueue_top_k(const TopKCall& call, cudaStream_t stream);

/// Experts that this GPU holds, of all that rows are routed to, and the shared ones behind them,
/// each of which takes rows [shared_begin, shared_end).
struct LocalExperts {
  int total = 0, first = 0, count = 0, shared = 0;  // total: of all GPUs
  int shared_begin = 0, shared_end = 0;
};

/// Where each routed copy stands once packed expert by expert, in the order of rows.
struct PlaceCall {
  int rows = 0, active = 0;
  LocalExperts experts;
  const int* ids = nullptr;        // [rows][active]
  int* places = nullptr;           // [rows][active + shared]; -1: not on this GPU
  const int* planned = nullptr;    // [count + shared]: copies that calls were planned for
  unsigned* mismatches = nullptr;  // counts experts with another number
};
void enqueue_place(const PlaceCall& call, cudaStream_t stream);

/// Copies rows to their places; scales from [row][block] to [block][scale_stride].
struct PackCall {
  int rows = 0, width = 0, copies = 0;  // copies: active + shared
  const int* places = nullptr;
  Precision precision = Precision::fp8;
  RowTarget from, to;
  int scale_stride = 0;
};
void enqueue_pack(const PackCall& call, cudaStream_t stream);

/// Each row's weighted sum over its experts here (shared ones count once) goes to its owner: row r
/// to targets[r / rows_each], row r % rows_each.
struct CombineCall {
  int rows = 0, width = 0, active = 0, shared = 0, rows_each = 0;
  const int* places = nullptr;
  const float* weights = nullptr;          // [rows][active]
  const __nv_bfloat16* outputs = nullptr;  // [place][width]
  __nv_bfloat16* targets[most_targets] = {};
};
void enqueue_combine(const CombineCall& call, cudaStream_t stream);

}  // namespace afford::calibrate
