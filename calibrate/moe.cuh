#pragma once
// The grouped matrix product of the expert networks. One persistent block per multiprocessor works through
// its segments (moe_plan.hpp) of tiles: 256 weight rows (on the M side of the tensor core) by N tokens. A
// producer warp streams blocks
// of 128 bytes of K into a ring in shared memory; two warpgroups take 128 weight rows each. Weights on M keep
// the padding to the tokens' multiple of 8 and a block's share of the weights large whatever the number of
// tokens.
//
// The weights' layout is chosen here, at load time: [expert][tile][block of K][256 rows][128 bytes], every
// such 32 KB as it will stand in shared memory (128-byte swizzle), so that they come by plain bulk copies of
// contiguous memory. The order of rows in a tile is such that a thread's accumulators are neighbours in the
// output: see weight_row.
//
// FP8: the tensor core sums 128 of K, then the block scales are applied in FP32. A spare warp multiplies
// the scales of weights and tokens for each stage.

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

template <class Element_, bool gate_up_, int N_, MoeShare share_>
struct MoeShape {
  using Element = Element_;
  static constexpr bool fp8 = sizeof(Element) == 1;
  static constexpr bool gate_up = gate_up_;
  static constexpr int N = N_;  // tokens of a tile
  static constexpr MoeShare share = share_;
  static constexpr int cluster = share == MoeShare::none ? 1 : 2;
  static constexpr int rows = 256;  // weights of a tile
  static constexpr int block_k = 128 / static_cast<int>(sizeof(Element));
  static constexpr int weight_bytes = rows * 128;
  static constexpr int token_bytes = N * 128;
  static constexpr int scale_bytes = fp8 ? 8 * N : 0;
  static constexpr int threads = 384;

  // Shared memory, from a 1024-byte boundary.
  static constexpr int stage_bytes = weight_bytes + token_bytes;
  static constexpr int reduced_bytes = fp8 && gate_up ? 9 * N * 4 : 0;
  static constexpr int room = 232448 - 256 - reduced_bytes;
  static constexpr int stages =
      room / (stage_bytes + scale_bytes) < 8 ? room / (stage_bytes + scale_bytes) : 8;
  static constexpr int at_scales = stages * stage_bytes;
  static constexpr int at_reduced = at_scales + stages * scale_bytes;  // [8 warps][N] and the result [N]
  static constexpr int at_barriers = at_reduced + reduced_bytes;
  static constexpr int shared_bytes = at_barriers + 2 * stages * 8;
};

/// Row in a tile (of 256) of the weights that yield output `feature` of the tile's. Gate and up: 128 features
/// a tile, gate and up 8 rows apart; a thread has two neighbouring features. Down: 256 features, a thread has
/// four.
template <bool gate_up>
__host__ __device__ constexpr int weight_row(int feature, bool up) {
  if (gate_up)
    return feature / 64 * 128 + feature % 2 * 64 + feature % 64 / 16 * 16 + (up ? 8 : 0) + feature % 16 / 2;
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

/// Segment i, as this block of its cluster has it. Past an expert's last weight tile, none are left.
template <class S>
__device__ __forceinline__ MoeSegment read_segment(const MoeInput& in, int i) {
  const auto* raw = reinterpret_cast<const int4*>(in.segments + i);
  const int4 tile = raw[0], rest = raw[1];
  MoeSegment segment{{tile.x, tile.y, tile.z, tile.w}, rest.x, rest.y, rest.z, rest.w};
  if constexpr (S::share == MoeShare::weights) {
    segment.tile.first_row += rank<S>() * S::N;
    segment.tile.tokens -= rank<S>() * S::N;
  }
  if constexpr (S::share == MoeShare::tokens) segment.tile.weight_tile += rank<S>();
  segment.tile.tokens = min(segment.tile.tokens, S::N);
  return segment;
}

/// Weight rows a tile has; none or fewer past the expert's last.
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
    return (static_cast<size_t>(tile().expert) * in_.weight_tiles + tile().weight_tile) * in_.k_blocks + k_;
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
  [[nodiscard]] __device__ uint32_t weights(int stage) const { return base + stage * S::stage_bytes; }
  [[nodiscard]] __device__ uint32_t tokens(int stage) const { return weights(stage) + S::weight_bytes; }
  [[nodiscard]] __device__ uint32_t full(int stage) const { return base + S::at_barriers + 8 * stage; }
  [[nodiscard]] __device__ uint32_t empty(int stage) const { return full(S::stages + stage); }
};

/// One thread feeds the ring. The first stages' weights, which no kernel writes, come before the wait for the
/// kernel ahead, whose output the tokens may be.
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
    const int bytes = max(0, at.weight_rows()) * 128;
    expect_bytes(full, bytes + S::token_bytes);
    if constexpr (S::share == MoeShare::weights) {
      const int half = bytes / 2 * rank_;
      bulk_load_multicast(to + half, from + half, bytes / 2, full, 3, weight_policy_);
    } else {
      if (bytes > 0) bulk_load(to, from, bytes, full, weight_policy_);
    }
  }
  __device__ void load_tokens(const Cursor<S>& at) {
    const uint32_t to = ring_.tokens(at.stage()), full = ring_.full(at.stage());
    const int x = at.k() * S::block_k, y = at.tile().first_row;
    if constexpr (S::share == MoeShare::tokens)
      tensor_load_multicast(to + rank_ * S::token_bytes / 2, map_, x, y + rank_ * S::N / 2, full, 3,
                            token_policy_);
    else
      tensor_load(to, map_, x, y, full, token_policy_);
  }

  const MoeInput& in_;
  const CUtensorMap* map_;
  const Ring<S>& ring_;
  uint64_t weight_policy_, token_policy_;
  int rank_;
};

/// One warp multiplies the scales of tokens and weights: for each pair of tokens (a0, a1, b0, b1), where a
/// and b are with the two scales of the weight tile. Reads one stage ahead.
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
    if (at.weight_rows() > 0) next.weights = in.weight_scales[at.block()];
    const float* from = in.token_scales + static_cast<size_t>(at.k()) * in.scale_stride + at.tile().first_row;
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

__device__ __forceinline__ float silu(float x) { return __fdividef(x, 1 + __expf(-x)); }

/// One of the two warpgroups that compute: 128 weight rows as two blocks of 64.
template <class S>
class Consumer {
 public:
  __device__ Consumer(const MoeInput& in, const Ring<S>& ring, unsigned char* memory)
      : in_(in),
        ring_(ring),
        memory_(memory),
        group_(static_cast<int>(threadIdx.x) / 128),
        warp_(static_cast<int>(threadIdx.x) % 128 / 32),
        lane_(static_cast<int>(threadIdx.x) % 32) {}

  __device__ void run() {
    const int block = static_cast<int>(blockIdx.x) / S::cluster, end = in_.segment_begin[block + 1];
    for (int i = in_.segment_begin[block]; i < end; ++i) {
      multiply(in_.segments[i].end_k - in_.segments[i].first_k);
      const MoeSegment segment = read_segment<S>(in_, i);
      if (segment.slot >= 0 && segment.parts == 0) {
        leave(segment.slot);
        continue;
      }
      for (int part = 0; part < segment.parts; ++part) collect(segment.slot + part);
      if constexpr (S::gate_up)
        activate(segment.tile);
      else
        store(segment.tile);
    }
  }

 private:
  static constexpr int count = S::N / 2;  // accumulators of a block of 64 rows

  __device__ void release(int stage) {
    __syncwarp();
    if constexpr (S::cluster > 1) {
      if (lane_ < S::cluster) arrive_remote(ring_.empty(stage), lane_);
    } else {
      if (lane_ == 0) arrive(ring_.empty(stage));
    }
  }

  /// Sums up the next k_blocks stages.
  __device__ void multiply(int k_blocks) {
    if constexpr (S::fp8) {
#pragma unroll
      for (int m = 0; m < 2; ++m)
#pragma unroll
        for (int i = 0; i < count; ++i) sum_[m][i] = 0;
      for (int k = 0; k < k_blocks; ++k, place_.step()) {
        wait(ring_.full(place_.stage), place_.parity);
        if constexpr (S::N <= 64)
          together(place_.stage);
        else
          in_turn(place_.stage);
        release(place_.stage);
      }
    } else {
      int before = 0;
      for (int k = 0; k < k_blocks; ++k, place_.step()) {
        wait(ring_.full(place_.stage), place_.parity);
        wgmma_fence();
        issue(sum_[0], 0, place_.stage, k);
        issue(sum_[1], 1, place_.stage, k);
        wgmma_commit();
        wgmma_wait<1>();
        if (k > 0) release(before);
        before = place_.stage;
      }
      wgmma_wait<0>();
      keep(sum_[0]);
      keep(sum_[1]);
      release(before);
    }
  }

  /// Block m of 64 rows times the tokens of a stage.
  __device__ void issue(float (&d)[count], int m, int stage, int accumulate) {
    const uint64_t a = swizzled(ring_.weights(stage) + (2 * group_ + m) * 64 * 128),
                   b = swizzled(ring_.tokens(stage));
#pragma unroll
    for (int step = 0; step < 4; ++step)
      if constexpr (S::fp8)
        Wgmma<S::N>::fp8(d, a + 2 * step, b + 2 * step, accumulate | step);
      else
        Wgmma<S::N>::bf16(d, a + 2 * step, b + 2 * step, accumulate | step);
  }

  __device__ void together(int stage) {
    float part[2][count];
    wgmma_fence();
    issue(part[0], 0, stage, 0);
    issue(part[1], 1, stage, 0);
    wgmma_commit();
    wgmma_wait<0>();
    keep(part[0]);
    keep(part[1]);
    promote(sum_[0], part[0], stage);
    promote(sum_[1], part[1], stage);
  }
  __device__ void in_turn(int stage) {
    float part[count];
#pragma unroll
    for (int m = 0; m < 2; ++m) {
      wgmma_fence();
      issue(part, m, stage, 0);
      wgmma_commit();
      wgmma_wait<0>();
      keep(part);
      promote(sum_[m], part, stage);
    }
  }
  __device__ void promote(float (&sum)[count], const float (&part)[count], int stage) {
    const unsigned char* scales = memory_ + S::at_scales + stage * S::scale_bytes + lane_ % 4 * 16;
#pragma unroll
    for (int j = 0; j < S::N / 8; ++j) {
      float4 scale;
      if constexpr (S::gate_up) {
        scale = *reinterpret_cast<const float4*>(scales + 64 * j);
      } else {
        const float2 pair = *reinterpret_cast<const float2*>(scales + 64 * j + 8 * group_);
        scale = {pair.x, pair.y, pair.x, pair.y};
      }
      sum[4 * j] += part[4 * j] * scale.x;
      sum[4 * j + 1] += part[4 * j + 1] * scale.y;
      sum[4 * j + 2] += part[4 * j + 2] * scale.z;
      sum[4 * j + 3] += part[4 * j + 3] * scale.w;
    }
  }

  /// Place of this warp in a slot of partial sums.
  [[nodiscard]] __device__ int partial_place(int slot) const {
    return (slot * S::cluster + rank<S>()) * 8 + 4 * group_ + warp_;
  }
  [[nodiscard]] __device__ float4* partial(int slot) const {
    return reinterpret_cast<float4*>(in_.partial) +
           static_cast<size_t>(partial_place(slot)) * (count / 2 * 32) + lane_;
  }
  /// Leaves this segment's sums for the block that finishes the tile; each warp tells for itself.
  __device__ void leave(int slot) {
    float4* to = partial(slot);
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int i = 0; i < count; i += 4)
        __stcg(to + (m * count + i) / 4 * 32,
               make_float4(sum_[m][i], sum_[m][i + 1], sum_[m][i + 2], sum_[m][i + 3]));
    __threadfence();
    __syncwarp();
    if (lane_ == 0) set_flag(in_.partial_ready + partial_place(slot), 1);
  }
  __device__ void collect(int slot) {
    int* ready = in_.partial_ready + partial_place(slot);
    if (lane_ == 0)
      while (get_flag(ready) == 0) {
      }
    __syncwarp();
    const float4* from = partial(slot);
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int i = 0; i < count; i += 4) {
        const float4 x = __ldcg(from + (m * count + i) / 4 * 32);
        sum_[m][i] += x.x, sum_[m][i + 1] += x.y, sum_[m][i + 2] += x.z, sum_[m][i + 3] += x.w;
      }
    __syncwarp();
    if (lane_ == 0) set_flag(ready, 0);  // for the next call
  }

  /// Token of the tile of column pair j, first of the pair.
  [[nodiscard]] __device__ int column(int j) const { return 8 * j + 2 * (lane_ % 4); }

  /// SwiGLU of two neighbouring features (m = 0, 1) of each token, left in the gate's accumulators.
  __device__ void activate(const MoeTile& tile) {
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int j = 0; j < S::N / 8; ++j)
#pragma unroll
        for (int c = 0; c < 2; ++c) sum_[m][4 * j + c] = silu(sum_[m][4 * j + c]) * sum_[m][4 * j + 2 + c];
    const bool inside = 128 * group_ < rows_of<S>(in_, tile);
    const int feature = tile.weight_tile * 128 + group_ * 64 + warp_ * 16 + lane_ / 4 * 2;
    if constexpr (S::fp8) {
      const float* scales = reduce(tile, inside);
      auto* to = static_cast<__nv_fp8x2_e4m3*>(in_.output);
      if (!inside) return;
#pragma unroll
      for (int j = 0; j < S::N / 8; ++j)
#pragma unroll
        for (int c = 0; c < 2; ++c) {
          if (column(j) + c >= tile.tokens) continue;
          const float scale = scales[column(j) + c];
          to[(static_cast<size_t>(tile.first_row + column(j) + c) * in_.features + feature) / 2] =
              __nv_fp8x2_e4m3(make_float2(sum_[0][4 * j + c] * scale, sum_[1][4 * j + c] * scale));
        }
    } else {
      auto* to = static_cast<__nv_bfloat162*>(in_.output);
      if (!inside) return;
#pragma unroll
      for (int j = 0; j < S::N / 8; ++j)
#pragma unroll
        for (int c = 0; c < 2; ++c)
          if (column(j) + c < tile.tokens)
            to[(static_cast<size_t>(tile.first_row + column(j) + c) * in_.features + feature) / 2] =
                __floats2bfloat162_rn(sum_[0][4 * j + c], sum_[1][4 * j + c]);
    }
  }

  /// Scale of each token's 128 features, from the largest of them; returns the factors to multiply by.
  __device__ const float* reduce(const MoeTile& tile, bool inside) {
    constexpr float top = 448, least = 1e-10f;  // of e4m3; of a row of zeros
    auto* reduced = reinterpret_cast<float*>(memory_ + S::at_reduced);
#pragma unroll
    for (int j = 0; j < S::N / 8; ++j)
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        float most = inside ? fmaxf(fabsf(sum_[0][4 * j + c]), fabsf(sum_[1][4 * j + c])) : 0;
#pragma unroll
        for (int step = 4; step < 32; step *= 2) most = fmaxf(most, __shfl_xor_sync(~0u, most, step));
        if (lane_ < 4) reduced[(4 * group_ + warp_) * S::N + column(j) + c] = most;
      }
    sync_threads<1, 256>();
    for (int token = static_cast<int>(threadIdx.x); token < S::N; token += 256) {
      float most = least;
#pragma unroll
      for (int warp = 0; warp < 8; ++warp) most = fmaxf(most, reduced[warp * S::N + token]);
      reduced[8 * S::N + token] = top / most;
      if (token < tile.tokens && tile.weight_tile < in_.weight_tiles)
        in_.output_scales[static_cast<size_t>(tile.weight_tile) * in_.scale_stride + tile.first_row + token] =
            most / top;
    }
    sync_threads<1, 256>();
    return reduced + 8 * S::N;
  }

  /// Four neighbouring features of each token.
  __device__ void store(const MoeTile& tile) {
    if (128 * group_ >= rows_of<S>(in_, tile)) return;
    const int feature = tile.weight_tile * 256 + group_ * 128 + warp_ * 32 + lane_ / 4 * 4;
    auto* to = static_cast<__nv_bfloat16*>(in_.output);
#pragma unroll
    for (int j = 0; j < S::N / 8; ++j)
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        if (column(j) + c >= tile.tokens) continue;
        __nv_bfloat162 pairs[2];
#pragma unroll
        for (int m = 0; m < 2; ++m)
          pairs[m] = __floats2bfloat162_rn(sum_[m][4 * j + c], sum_[m][4 * j + 2 + c]);
        *reinterpret_cast<uint2*>(to + static_cast<size_t>(tile.first_row + column(j) + c) * in_.features +
                                  feature) = *reinterpret_cast<const uint2*>(pairs);
      }
  }

  const MoeInput& in_;
  const Ring<S>& ring_;
  unsigned char* memory_;
  int group_, warp_, lane_;
  Place<S> place_;
  float sum_[2][count];
};

}  // namespace moe

template <class S>
__global__ void __launch_bounds__(S::threads, 1)
    moe_kernel(const __grid_constant__ MoeInput in, const __grid_constant__ CUtensorMap tokens) {
  using namespace ptx;
  extern __shared__ __align__(1024) unsigned char memory[];
  const moe::Ring<S> ring{shared_address(memory)};
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < S::stages; ++stage) {
      barrier_init(ring.full(stage), S::fp8 ? 2 : 1);   // the producer, and the warp of the scales
      barrier_init(ring.empty(stage), 8 * S::cluster);  // one arrival of each warp that computes
    }
    fence_barrier_init();
  }
  __syncthreads();
  if constexpr (S::cluster > 1) {
    cluster_arrive();
    cluster_wait();
  }
  let_next_kernel_start();
  const int warp = static_cast<int>(threadIdx.x) / 32;
  if (warp >= 8) {
    give_registers<40>();
    if (warp == 8) {
      if (threadIdx.x % 32 == 0) moe::Producer<S>(in, &tokens, ring).run();
      __syncwarp();
    } else if (S::fp8 && warp == 9) {
      moe::multiply_scales<S>(in, ring, memory);
    }
  } else {
    take_registers<232>();
    moe::Consumer<S>(in, ring, memory).run();
  }
  if constexpr (S::cluster > 1) {  // no block leaves while the other may still write into it
    cluster_arrive();
    cluster_wait();
  }
}

}  // namespace afford::calibrate
