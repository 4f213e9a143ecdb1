#pragma once
// What the two kinds of grouped matrix product of the expert networks share: shapes, the ring of
// stages in shared memory and what fills it, partial sums of split tiles.
//
// The weights' layout is chosen here, at load time: [expert][tile][block of K][256 rows][128
// bytes], every such 32 KB as it will stand in shared memory (128-byte swizzle), so that they come
// by plain bulk copies of contiguous memory. The order of rows in a tile is such that a thread's
// accumulators are neighbours in the output: see weight_row.

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include "moe_plan.hpp"
#include "ptx.cuh"
#include "wgmma.cuh"

namespace afford::calibrate {

struct MoeInput {
  const MoeSegment* segments;
  const int* segment_begin;  // of block (or cluster) b: segments [begin[b], begin[b + 1])
  float* partial;            // [slot][rank in the cluster] sums of 256 x N
  int* partial_ready;        // [slot][rank][warp], zero before and after a call
  int k_blocks;              // of 128 bytes
  int weight_tiles;          // of an expert, the last one possibly short
  int weight_rows;           // of an expert: 2 * intermediate, or hidden
  bool reread;               // an expert's weights are read by more than one token tile
  const unsigned char* weights;
  const float2* weight_scales;  // [expert][tile][k block]: gate and up, or lower and upper 128 rows
  const float* token_scales;    // [k block][scale_stride]
  int scale_stride;             // tokens, and room for a tile
  void* output;                 // [token][features]
  int features;
  float* output_scales;  // [block of 128 features][scale_stride]
};

template <class Element_, bool gate_up_, int N_, bool pairs_>
struct MoeShape {
  using Element = Element_;
  static constexpr bool fp8 = sizeof(Element) == 1;
  static constexpr bool gate_up = gate_up_;
  static constexpr int N = N_;  // tokens of a tile
  static constexpr bool pairs = pairs_;
  static constexpr bool tokens_on_m = N == 128;
  static constexpr int cluster = pairs ? 2 : 1;
  static constexpr int rows = 256;  // weights of a tile
  static constexpr int block_k = 128 / static_cast<int>(sizeof(Element));
  static constexpr int weight_bytes = rows * 128;
  static constexpr int token_bytes = N * 128;
  static constexpr int scale_bytes = fp8 ? 8 * N : 0;
  static constexpr int threads = 384;

  // Shared memory, from a 1024-byte boundary.
  static constexpr int stage_bytes = weight_bytes + token_bytes;
  static constexpr int reduced_bytes = fp8 && gate_up && !tokens_on_m ? 9 * N * 4 : 0;
  static constexpr int room = 232448 - 256 - reduced_bytes;
  static constexpr int stages =
      room / (stage_bytes + scale_bytes) < 8 ? room / (stage_bytes + scale_bytes) : 8;
  static constexpr int at_scales = stages * stage_bytes;
  static constexpr int at_reduced =
      at_scales + stages * scale_bytes;  // [8 warps][N] and the result [N]
  static constexpr int at_barriers = at_reduced + reduced_bytes;
  static constexpr int shared_bytes = at_barriers + 2 * stages * 8;
};

/// Row in a tile (of 256) of the weights that yield output `feature` of the tile's. Gate and up:
/// 128 features a tile, gate and up 8 rows apart; a thread has two neighbouring features. Down: 256
/// features, a thread has four.
template <bool gate_up>
__host__ __device__ constexpr int weight_row(int feature, bool up) {
  if (gate_up)
    return feature / 64 * 128 + feature % 2 * 64 + feature % 64 / 16 * 16 + (up ? 8 : 0) +
           feature % 16 / 2;
  return feature / 128 * 128 + feature / 2 % 2 * 64 + feature % 128 / 32 * 16 + feature % 2 * 8 +
         feature % 32 / 4;
}

namespace moe {

using namespace ptx;

/// Place in the ring, and the parity of the wait for its data.
template <class S>
struct Place {
  int stage = 0;
  uint32_t parity = 0;
  __device__ void step() {
    if (++stage == S::stages) stage = 0, parity ^= 1;
  }
};

/// Rank of this block in its cluster.
template <class S>
__device__ __forceinline__ int rank() {
  if constexpr (S::cluster == 1) return 0;
  return static_cast<int>(cluster_rank());
}

/// Segment i, as this block of its cluster has it; it may have no tokens left.
template <class S>
__device__ __forceinline__ MoeSegment read_segment(const MoeInput& in, int i) {
  const auto* raw = reinterpret_cast<const int4*>(in.segments + i);
  const int4 tile = raw[0], rest = raw[1];
  MoeSegment segment{{tile.x, tile.y, tile.z, tile.w}, rest.x, rest.y, rest.z, rest.w};
  segment.tile.first_row += rank<S>() * S::N;
  segment.tile.tokens = min(segment.tile.tokens - rank<S>() * S::N, S::N);
  return segment;
}

/// Weight rows a tile has: the expert's last may be short.
template <class S>
__device__ __forceinline__ int rows_of(const MoeInput& in, const MoeTile& tile) {
  return min(S::rows, in.weight_rows - tile.weight_tile * S::rows);
}

/// The segments of this block one after another, a block of K at a time.
template <class S>
class Cursor {
 public:
  __device__ explicit Cursor(const MoeInput& in) : in_(in) {
    const int block = static_cast<int>(blockIdx.x) / S::cluster;
    next_ = in.segment_begin[block];
    end_ = in.segment_begin[block + 1];
    read();
  }
  [[nodiscard]] __device__ bool done() const { return next_ >= end_; }
  /// To the next block of K, of the next segment after the last.
  __device__ void step() {
    place_.step();
    if (++k_ < segment_.end_k) return;
    ++next_;
    read();
  }
  [[nodiscard]] __device__ int k() const { return k_; }
  [[nodiscard]] __device__ int stage() const { return place_.stage; }
  [[nodiscard]] __device__ uint32_t parity() const { return place_.parity; }
  [[nodiscard]] __device__ const MoeTile& tile() const { return segment_.tile; }
  [[nodiscard]] __device__ int weight_rows() const { return rows_of<S>(in_, tile()); }
  /// Blocks of K before this one in the array of weights.
  [[nodiscard]] __device__ size_t block() const {
    return (static_cast<size_t>(tile().expert) * in_.weight_tiles + tile().weight_tile) *
               in_.k_blocks +
           k_;
  }

 private:
  __device__ void read() {
    if (done()) return;
    segment_ = read_segment<S>(in_, next_);
    k_ = segment_.first_k;
  }

  const MoeInput& in_;
  int next_, end_, k_ = 0;
  Place<S> place_;
  MoeSegment segment_{};
};

template <class S>
struct Ring {
  uint32_t base;
  [[nodiscard]] __device__ uint32_t weights(int stage) const {
    return base + stage * S::stage_bytes;
  }
  [[nodiscard]] __device__ uint32_t tokens(int stage) const {
    return weights(stage) + S::weight_bytes;
  }
  [[nodiscard]] __device__ uint32_t full(int stage) const {
    return base + S::at_barriers + 8 * stage;
  }
  [[nodiscard]] __device__ uint32_t empty(int stage) const { return full(S::stages + stage); }
};

/// One thread feeds the ring. The first stages' weights, which no kernel writes, come before the
/// wait for the kernel ahead, whose output the tokens may be.
template <class S>
class Producer {
 public:
  __device__ Producer(const MoeInput& in, const CUtensorMap* tokens, const Ring<S>& ring)
      : in_(in),
        map_(tokens),
        ring_(ring),
        weight_policy_(in.reread ? evict_normal() : evict_first()),
        token_policy_(in.reread ? evict_normal() : evict_last()),
        rank_(rank<S>()) {}

  __device__ void run() {
    Cursor<S> first(in_), cursor(in_);
    for (int i = 0; i < S::stages && !cursor.done(); ++i, cursor.step()) load_weights(cursor);
    wait_for_previous_kernel();
    for (int i = 0; i < S::stages && !first.done(); ++i, first.step()) load_tokens(first);
    for (; !cursor.done(); cursor.step()) {
      wait(ring_.empty(cursor.stage()), cursor.parity() ^ 1);
      load_weights(cursor);
      load_tokens(cursor);
    }
  }

 private:
  __device__ void load_weights(const Cursor<S>& at) {
    const uint32_t to = ring_.weights(at.stage()), full = ring_.full(at.stage());
    const unsigned char* from = in_.weights + at.block() * static_cast<size_t>(S::weight_bytes);
    const int bytes = at.weight_rows() * 128;
    expect_bytes(full, bytes + S::token_bytes);
    if constexpr (S::pairs) {  // each block loads half, for both
      const int half = bytes / 2 * rank_;
      bulk_load_multicast(to + half, from + half, bytes / 2, full, 3, weight_policy_);
    } else {
      bulk_load(to, from, bytes, full, weight_policy_);
    }
  }
  __device__ void load_tokens(const Cursor<S>& at) {
    tensor_load(ring_.tokens(at.stage()), map_, at.k() * S::block_k, at.tile().first_row,
                ring_.full(at.stage()), token_policy_);
  }

  const MoeInput& in_;
  const CUtensorMap* map_;
  const Ring<S>& ring_;
  uint64_t weight_policy_, token_policy_;
  int rank_;
};

/// One warp multiplies the scales of tokens and weights: for each pair of tokens (a0, a1, b0, b1),
/// where a and b are with the two scales of the weight tile. Reads one stage ahead.
template <class S>
__device__ void multiply_scales(const MoeInput& in, const Ring<S>& ring, unsigned char* memory) {
  constexpr int each = (S::N + 31) / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  wait_for_previous_kernel();
  struct Scales {
    float2 weights{};
    float tokens[each]{};
  } next;
  const auto read = [&](const Cursor<S>& at) {
    if (at.done()) return;
    next.weights = in.weight_scales[at.block()];
    const float* from =
        in.token_scales + static_cast<size_t>(at.k()) * in.scale_stride + at.tile().first_row;
#pragma unroll
    for (int i = 0; i < each; ++i)
      if (32 * i + lane < S::N) next.tokens[i] = from[32 * i + lane];
  };
  Cursor<S> cursor(in), ahead(in);
  read(ahead);
  for (; !cursor.done(); cursor.step()) {
    const Scales now = next;
    ahead.step();
    read(ahead);
    wait(ring.empty(cursor.stage()), cursor.parity() ^ 1);
    auto* to = reinterpret_cast<float*>(memory + S::at_scales + cursor.stage() * S::scale_bytes);
#pragma unroll
    for (int i = 0; i < each; ++i) {
      const int column = 32 * i + lane, at = column / 2 * 4 + column % 2;
      if (column >= S::N) continue;
      to[at] = now.weights.x * now.tokens[i];
      to[at + 2] = now.weights.y * now.tokens[i];
    }
    __syncwarp();
    if (lane == 0) arrive(ring.full(cursor.stage()));
  }
}

/// Sums of this warp left for the block that finishes the tile. `sum(i)` is accumulator i of S::N.
template <class S>
class Partial {
 public:
  __device__ Partial(const MoeInput& in, int slot) {
    const int place = (slot * S::cluster + rank<S>()) * 8 + static_cast<int>(threadIdx.x) / 32;
    lane_ = static_cast<int>(threadIdx.x) % 32;
    ready_ = in.partial_ready + place;
    data_ = reinterpret_cast<float4*>(in.partial) + static_cast<size_t>(place) * (S::N / 4 * 32) +
            lane_;
  }
  template <class Sum>
  __device__ void leave(Sum sum) {
#pragma unroll
    for (int i = 0; i < S::N; i += 4)
      __stcg(data_ + i * 8, make_float4(sum(i), sum(i + 1), sum(i + 2), sum(i + 3)));
    __threadfence();
    __syncwarp();
    if (lane_ == 0) set_flag(ready_, 1);
  }
  template <class Sum>
  __device__ void collect(Sum sum) {
    if (lane_ == 0)
      while (get_flag(ready_) == 0) {
      }
    __syncwarp();
#pragma unroll
    for (int i = 0; i < S::N; i += 4) {
      const float4 x = __ldcg(data_ + i * 8);
      sum(i) += x.x, sum(i + 1) += x.y, sum(i + 2) += x.z, sum(i + 3) += x.w;
    }
    __syncwarp();
    if (lane_ == 0) set_flag(ready_, 0);  // for the next call
  }

 private:
  int lane_;
  int* ready_;
  float4* data_;
};

/// Tells the producers of the cluster that this warp is done with a stage.
template <class S>
__device__ __forceinline__ void release(const Ring<S>& ring, int stage) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  __syncwarp();
  if constexpr (S::cluster > 1) {
    if (lane < S::cluster) free_remote(ring.empty(stage), static_cast<uint32_t>(lane));
  } else {
    if (lane == 0) arrive(ring.empty(stage));
  }
}

/// x / (1 + exp(-x)). `rough`: off by at most 2.5e-4 of x, far below what FP8 rounds away, with one
/// special function instead of two and no care for the range, as the tensor core waits for it.
template <bool rough>
__device__ __forceinline__ float silu(float x) {
  if constexpr (rough) return fmaf(0.5f * x, tanh_approx(0.5f * x), 0.5f * x);
  return __fdividef(x, 1 + __expf(-x));
}

/// Works through the segments of this block with a `consumer`, which multiplies and finishes.
template <class S, class Consumer>
__device__ __forceinline__ void consume(const MoeInput& in, Consumer consumer) {
  const int block = static_cast<int>(blockIdx.x) / S::cluster, end = in.segment_begin[block + 1];
  for (int i = in.segment_begin[block]; i < end; ++i) {
    consumer.multiply(in.segments[i].end_k - in.segments[i].first_k);
    const MoeSegment segment = read_segment<S>(in, i);
    const auto sum = [&](int at) -> float& { return consumer.sum(at); };
    if (segment.slot >= 0 && segment.parts == 0) {
      Partial<S>(in, segment.slot).leave(sum);
      continue;
    }
    for (int part = 0; part < segment.parts; ++part)
      Partial<S>(in, segment.slot + part).collect(sum);
    consumer.finish(segment.tile);
  }
}

}  // namespace moe
}  // namespace afford::calibrate
