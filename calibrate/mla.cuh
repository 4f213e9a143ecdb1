#pragma once
// The MLA decode kernel. One persistent block per multiprocessor takes 64 query heads (rows of
// every product) through its segments (runs of 64-token tiles of one request). The 64 x 512 output
// in FP32 is half of the register file, so two warpgroups hold 256 columns each. They also share
// the tiles: in each pair of tiles warpgroup w scores tile w, and both multiply its probabilities,
// which cross in shared memory, into their own columns. While one is at its softmax the other keeps
// the tensor core busy.
//
// Shared memory holds the queries (72 KB) and just one pair of tiles (2 x 72 KB), so a tile comes
// in nine boxes of 64 columns, each with a barrier of its own, and leaves in two parts, as soon as
// either warpgroup is done with its columns. With more than 64 heads two neighbouring blocks read
// the same tiles at about the same time, one of them from the L2 cache.
//
// On an H200 with 128 heads the clock falls from 1.98 to about 1.4 GHz under this load. Slower
// there: a cluster of two blocks that load half of each tile for both, and a prefetch of later
// tiles into the L2 cache.

#include <cuda_bf16.h>

#include "ptx.cuh"
#include "schedule.hpp"
#include "warp.cuh"
#include "wgmma.cuh"

namespace afford::calibrate {

struct MlaInput {
  const Segment* segments;
  const int* block_begin;
  const int* pages;            // of each request, one after another; null: contiguous
  const int* page_begin;       // first page of a request in `pages`
  const int* first_row;        // of each request, where contiguous
  const unsigned char* cache;  // entries, one after another
  int heads;
  int head_tiles;         // of 64 heads: 1 or 2
  float scale;            // of the logits, times log2(e)
  __nv_bfloat16* output;  // [request][head][512]
  float* partial;         // [slot][head][512]
  float* partial_lse;     // [slot][head], base 2
};

struct MlaShape {
  static constexpr int width = 576, values = 512;  // columns of a cache row
  static constexpr int heads = 64;                 // rows of the query tile; fewer are padded
  static constexpr int tile = 64;                  // cache rows, also of a page
  static constexpr int boxes = 9;                  // of 64 columns
  static constexpr int box_bytes = tile * 128;
  static constexpr int tile_bytes = boxes * box_bytes;
  static constexpr int row_bytes = width * 2;
  static constexpr int threads = 384;

  // Shared memory, from a 1024-byte boundary.
  static constexpr int at_tiles = tile_bytes;                // behind the queries
  static constexpr int at_tops = at_tiles + 2 * tile_bytes;  // [2 tiles][heads]
  static constexpr int at_sums = at_tops + 2 * heads * 4;    // [2 parities][2 groups][heads]
  static constexpr int at_barriers = at_sums + 4 * heads * 4;
  static constexpr int shared_bytes = at_barriers + (2 * boxes + 6) * 8;
};

namespace mla {

using namespace ptx;
using S = MlaShape;

/// Shared memory by address. Tile w of a pair is released in two parts: 0 by warpgroup w, its value
/// columns; 1 by the other, its value columns and the last box, which holds the tile's
/// probabilities once it is scored.
struct Shared {
  uint32_t base;
  __device__ uint32_t queries() const { return base; }
  __device__ uint32_t tile(int w) const { return base + S::at_tiles + w * S::tile_bytes; }
  __device__ uint32_t box(int w, int i) const { return tile(w) + i * S::box_bytes; }
  __device__ uint32_t probabilities(int w) const { return box(w, S::boxes - 1); }
  __device__ uint32_t top(int w, int head) const {
    return base + S::at_tops + 4 * (w * S::heads + head);
  }
  __device__ uint32_t sum(int parity, int w, int head) const {
    return base + S::at_sums + 4 * ((2 * parity + w) * S::heads + head);
  }
  __device__ uint32_t full(int w, int i) const { return barrier(w * S::boxes + i); }
  __device__ uint32_t empty(int w, int part) const { return barrier(2 * S::boxes + 2 * w + part); }
  __device__ uint32_t query_full() const { return barrier(2 * S::boxes + 4); }
  __device__ uint32_t query_empty() const { return barrier(2 * S::boxes + 5); }

 private:
  __device__ uint32_t barrier(int i) const { return base + S::at_barriers + 8 * i; }
};

/// Boxes of tile w in the order of their release, in which they are loaded and scored.
__device__ constexpr int box_in_order(int w, int i) {
  return i < 4 ? 4 * w + i : i < 8 ? 4 * (1 - w) + i - 4 : 8;
}

/// The block's first query head.
__device__ __forceinline__ int first_head(const MlaInput& in) {
  return static_cast<int>(blockIdx.x) % in.head_tiles * S::heads;
}

/// Walks the tiles of the block's segments: every `step`-th from tile `first` of each on.
template <int step>
class Cursor {
 public:
  __device__ Cursor(const MlaInput& in, int first, int begin, int end)
      : in_(in), first_(first), next_(begin), end_(end) {
    enter();
  }
  [[nodiscard]] __device__ bool done() const { return done_; }
  [[nodiscard]] __device__ int request() const { return segment_.unit; }
  [[nodiscard]] __device__ bool starts() const { return tile_ == 0; }
  /// Of the tile in its pair.
  [[nodiscard]] __device__ int place() const { return tile_ % 2; }
  /// First row of the tile in the cache; after the last still that.
  [[nodiscard]] __device__ int row() const { return row_; }
  __device__ void advance() {
    tile_ += step;
    if (tile_ < segment_.tiles)
      find();
    else
      enter();
  }

 private:
  __device__ void enter() {
    do {
      done_ = next_ == end_;
      if (done_) return;
      segment_ = in_.segments[next_++];
      tile_ = first_;
    } while (tile_ >= segment_.tiles);
    base_ = in_.pages == nullptr ? in_.first_row[segment_.unit] + segment_.first_tile * S::tile
                                 : in_.page_begin[segment_.unit] + segment_.first_tile;
    find();
  }
  __device__ void find() {
    row_ = in_.pages == nullptr ? base_ + tile_ * S::tile : in_.pages[base_ + tile_] * S::tile;
  }

  const MlaInput& in_;
  int first_, next_, end_;
  bool done_ = false;
  Segment segment_{};
  int base_ = 0;  // row of the segment's first tile, or the place of its page
  int tile_ = 0, row_ = 0;
};

/// One thread that loads one part of tile w of every pair; the first loads the queries too.
template <int w, int part>
class Producer {
 public:
  __device__ Producer(const MlaInput& in, const CUtensorMap* queries, const CUtensorMap* cache,
                      Shared shared)
      : in_(in), queries_(queries), cache_(cache), shared_(shared) {}

  __device__ void run(int begin, int end) {
    int i = 0, segments = 0;
    for (Cursor<2> tiles(in_, w, begin, end); !tiles.done(); tiles.advance(), ++i) {
      load(tiles.row(), i);
      if (w == 0 && part == 0 && tiles.starts()) load_queries(tiles.request(), segments++);
    }
  }

 private:
  static constexpr int from = part == 0 ? 0 : 4, to = part == 0 ? 4 : S::boxes;  // boxes, in order

  __device__ void load_queries(int request, int segment) {
    wait(shared_.query_empty(), (segment & 1) ^ 1);
    expect_bytes(shared_.query_full(), S::tile_bytes);
#pragma unroll
    for (int i = 0; i < S::boxes; ++i)
      tensor_load(shared_.queries() + i * S::box_bytes, queries_, 64 * i, first_head(in_), request,
                  shared_.query_full(), evict_last());
  }

  __device__ void load(int row, int use) {
    wait(shared_.empty(w, part), (use & 1) ^ 1);
    const uint64_t policy = evict_first();
#pragma unroll
    for (int i = from; i < to; ++i) {
      const int box = box_in_order(w, i);
      const uint32_t full = shared_.full(w, box), at = shared_.box(w, box);
      expect_bytes(full, S::box_bytes);
      tensor_load(at, cache_, 64 * box, row, full, policy);
    }
  }

  const MlaInput& in_;
  const CUtensorMap *queries_, *cache_;
  Shared shared_;
};

/// Warpgroup W of the two that compute. `widened`: threads have stored the latent columns, not the
/// copy engine, and have taken registers for it.
template <int W, bool widened>
class Consumer {
 public:
  __device__ Consumer(const MlaInput& in, Shared shared)
      : in_(in),
        shared_(shared),
        thread_(static_cast<int>(threadIdx.x) % 128),
        warp_(thread_ / 32),
        lane_(thread_ % 32),
        row_(16 * warp_ + lane_ / 4) {}

  __device__ void run(int begin, int end) {
    for (int s = begin; s < end; ++s) {
      const Segment segment = in_.segments[s];
      wait(shared_.query_full(), (s - begin) & 1);
      keep_queries();
      m_[0] = m_[1] = -INFINITY;
      l_[0] = l_[1] = 0;
#pragma unroll
      for (float& x : o_) x = 0;
      if constexpr (W == 0)
        attend_first(segment);
      else
        attend_second(segment);
      finish(segment, (s - begin) & 1);
    }
  }

 private:
  // Boxes of the queries, the last in order, that are operands from registers: saves shared-memory
  // bandwidth.
  static constexpr int in_registers = widened ? 0 : 1;
  static constexpr int probabilities_ready = 1, own_barrier = 3 + W, both_barrier = 5;

  __device__ void sync_group() { sync_threads<own_barrier, 128>(); }
  /// Each warp tells for itself that it is done.
  __device__ void release(uint32_t barrier) {
    __syncwarp();
    if (lane_ == 0) arrive(barrier);
  }

  /// Warpgroup 0 scores the first tile of each pair.
  __device__ void attend_first(const Segment& segment) {
    float s[32];
    score<0, S::boxes>(s);
    int left = segment.tiles, rows = segment.length;
    wgmma_wait<0>();
    keep(s);
    for (; left > 2; left -= 2, rows -= 2 * S::tile) first<true, true>(s, rows);
    release(shared_.query_empty());
    if (left == 2)
      first<true, false>(s, rows);
    else
      first<false, false>(s, rows);
  }

  /// One pair, whose first tile has its scores in `s`. Those of the next pair queue behind the
  /// product with the second tile's probabilities.
  template <bool both, bool next>
  __device__ void first(float (&s)[32], int rows) {
    if (!next && rows < S::tile) mask(s, rows);
    uint32_t p[4][4];
    soften(p, s);
    publish(p);
    ++uses_;
    multiply_own<next || both>(p, rows);
    if constexpr (both) multiply_others<next>(rows - S::tile);
    if constexpr (next) {
      score<0, 4>(s);
      wgmma_wait<1>();
      keep(o_);
      release(shared_.empty(1, 1));
      score<4, S::boxes>(s);
    }
    wgmma_wait<0>();
    if constexpr (next) keep(s);
    if constexpr (both && !next) {
      keep(o_);
      release(shared_.empty(1, 1));
    }
  }

  /// Warpgroup 1 scores the second tile of each pair. The product with the first's probabilities
  /// runs beside its softmax.
  __device__ void attend_second(const Segment& segment) {
    int left = segment.tiles, rows = segment.length;
    for (; left > 2; left -= 2, rows -= 2 * S::tile) second<true>(rows);
    if (left == 2) {
      second<false>(rows);
      return;
    }
    release(shared_.query_empty());
    multiply_others<false>(rows);
    wgmma_wait<0>();
    keep(o_);
    release(shared_.empty(0, 1));
  }

  template <bool next>
  __device__ void second(int rows) {
    float s[32];
    score<0, S::boxes>(s);
    wgmma_wait<0>();
    keep(s);
    multiply_others<true>(rows);
    if constexpr (!next) {
      release(shared_.query_empty());
      if (rows - S::tile < S::tile) mask(s, rows - S::tile);
    }
    uint32_t p[4][4];
    soften(p, s);
    publish(p);
    ++uses_;
    wgmma_wait<0>();
    keep(o_);
    release(shared_.empty(0, 1));
    multiply_own<next>(p, rows - S::tile);
  }

  // --- scores

  /// A operand fragments of this warp: lane i gives the address of row i % 16, 16-byte column i
  /// / 16.
  __device__ uint32_t fragment(uint32_t box, int k) const {
    const int row = 16 * warp_ + lane_ % 16, column = 2 * k + lane_ / 16;
    return box + row * 128 + ((column ^ (row & 7)) << 4);
  }
  __device__ void keep_queries() {
#pragma unroll
    for (int i = 0; i < in_registers; ++i)
#pragma unroll
      for (int k = 0; k < 4; ++k)
        load_matrices(
            q_[i][k],
            fragment(shared_.queries() + box_in_order(W, S::boxes - 1 - i) * S::box_bytes, k));
  }

  /// S (+)= Q K^T over the boxes [from, to) of the own tile, each once it is there.
  template <int from, int to>
  __device__ void score(float (&s)[32]) {
    const uint64_t q = swizzled(shared_.queries()), t = swizzled(shared_.tile(W));
    wgmma_fence();
#pragma unroll
    for (int i = from; i < to; ++i) {
      const int box = box_in_order(W, i);
      wait_for(i);
      wgmma_fence();
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const uint64_t at = (box * S::box_bytes >> 4) + 2 * k;
        if (i < S::boxes - in_registers)
          Wgmma<64>::bf16<0>(s, q + at, t + at, i + k > 0);
        else
          Wgmma<64>::bf16<0>(s, q_[S::boxes - 1 - i][k], t + at, i + k > 0);
      }
    }
    wgmma_commit();
  }

  /// For box i in order of the own tile. Threads fill two at a time.
  __device__ void wait_for(int i) {
    wait(shared_.full(W, box_in_order(W, i)), uses_ & 1);
    if (widened && i % 2 == 0 && i < S::boxes - 1) fence_async_shared();
  }

  __device__ void mask(float (&s)[32], int rows) {
#pragma unroll
    for (int i = 0; i < 32; ++i)
      if (8 * (i / 4) + 2 * (lane_ % 4) + i % 2 >= rows) s[i] = -INFINITY;
  }

  /// Online softmax: scores become probabilities against a reference that both groups share and
  /// that moves only when the maximum leaves it far behind: accumulators in FP32 have room for
  /// powers of two.
  __device__ void soften(uint32_t (&p)[4][4], const float (&s)[32]) {
    constexpr float room = 8;  // powers of two above the reference
    float tops[2];
    bool above = false;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      tops[r] = s[2 * r];
#pragma unroll
      for (int j = 0; j < 8; ++j)
        tops[r] = fmaxf(tops[r], fmaxf(s[4 * j + 2 * r], s[4 * j + 2 * r + 1]));
      above = above || (tops[r] - m_[r]) * in_.scale > room;
    }
    moved_ = __any_sync(~0u, above);
    if (moved_) {
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        const float top = quad_max(tops[r]);
        move_reference(r, (top - m_[r]) * in_.scale > room ? top : m_[r]);
      }
    }
    const float base[2] = {-m_[0] * in_.scale, -m_[1] * in_.scale};
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      const float low = exp2_approx(fmaf(s[2 * i], in_.scale, base[i % 2])),
                  high = exp2_approx(fmaf(s[2 * i + 1], in_.scale, base[i % 2]));
      p[i / 4][i % 4] = pack_bf16(low, high);
      l_[i % 2] += low + high;
    }
  }
  __device__ void move_reference(int r, float to) {
    factors_[r] = exp2_approx((m_[r] - to) * in_.scale);
    m_[r] = to;
    l_[r] *= factors_[r];
  }

  // --- values

  /// Probabilities into the last box of the own tile, which the whole group has scored by then, and
  /// their reference beside them; tells the other group.
  __device__ void publish(const uint32_t (&p)[4][4]) {
    sync_group();
#pragma unroll
    for (int k = 0; k < 4; ++k) store_matrices(fragment(shared_.probabilities(W), k), p[k]);
    if (lane_ % 4 == 0) {
      store_shared(shared_.top(W, row_), __float_as_uint(m_[0]));
      store_shared(shared_.top(W, row_ + 8), __float_as_uint(m_[1]));
    }
    fence_async_shared();
    arrive_threads<probabilities_ready + W, 256>();
  }

  /// O += P V of the own tile, and frees its columns.
  template <bool full>
  __device__ void multiply_own(const uint32_t (&p)[4][4], int rows) {
    if (!full && rows < S::tile) clear_values(W, rows);
    rescale();
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < 4; ++k) Wgmma<256>::bf16<1>(o_, p[k], value(W, k), 1);
    wgmma_commit();
    wgmma_wait<0>();
    keep(o_);
    release(shared_.empty(W, 0));
  }

  /// Starts O += P V of the other group's tile, once its probabilities are there.
  template <bool full>
  __device__ void multiply_others(int rows) {
    constexpr int V = 1 - W;
    sync_threads<probabilities_ready + V, 256>();
    const float m[2] = {__uint_as_float(load_shared(shared_.top(V, row_))),
                        __uint_as_float(load_shared(shared_.top(V, row_ + 8)))};
    moved_ = __any_sync(~0u, m[0] != m_[0] || m[1] != m_[1]);
    if (moved_) {
      move_reference(0, m[0]);
      move_reference(1, m[1]);
    }
    if (!full && rows < S::tile) clear_values(V, rows);
    rescale();
    const uint64_t p = swizzled(shared_.probabilities(V));
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < 4; ++k) Wgmma<256>::bf16<1>(o_, p + 2 * k, value(V, k), 1);
    wgmma_commit();
  }

  /// Rows 16 k to 16 k + 15 of this group's columns of tile w.
  __device__ uint64_t value(int w, int k) const {
    return swizzled(shared_.box(w, 4 * W), S::box_bytes) + k * (16 * 128 >> 4);
  }

  __device__ void rescale() {
    if (!moved_) return;
#pragma unroll
    for (int i = 0; i < 128; ++i) o_[i] *= factors_[i / 2 % 2];
  }

  /// Rows past the end may hold anything, NaN too, and 0 * NaN is NaN.
  __device__ void clear_values(int w, int rows) {
    const int words = (S::tile - rows) * 32;
    for (int i = 0; i < 4; ++i)
      for (int word = thread_; word < words; word += 128)
        store_shared(shared_.box(w, 4 * W + i) + rows * 128 + 4 * word, 0u);
    fence_async_shared();
    sync_group();
  }

  // --- end of a segment

  /// The sums alternate between two places: a group can be at most one segment ahead of the other's
  /// reading.
  __device__ void finish(const Segment& segment, int parity) {
    float inverse[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      l_[r] = quad_sum(l_[r]);
      if (lane_ % 4 == 0)
        store_shared(shared_.sum(parity, W, row_ + 8 * r), __float_as_uint(l_[r]));
    }
    sync_threads<both_barrier, 256>();
    const int head = first_head(in_) + row_;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float sum =
          l_[r] + __uint_as_float(load_shared(shared_.sum(parity, 1 - W, row_ + 8 * r)));
      inverse[r] = __fdividef(1, sum);
      if (W == 0 && segment.partial >= 0 && lane_ % 4 == 0 && head + 8 * r < in_.heads)
        in_.partial_lse[segment.partial * in_.heads + head + 8 * r] =
            m_[r] * in_.scale + __log2f(sum);
    }
#pragma unroll
    for (int i = 0; i < 128; ++i) o_[i] *= inverse[i / 2 % 2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const bool partial = segment.partial >= 0, stored = head + 8 * r < in_.heads;
      const size_t row =
          static_cast<size_t>(partial ? segment.partial : segment.unit) * in_.heads + head + 8 * r;
      const size_t at = row * S::values + 256 * W + 8 * (lane_ % 4);
      if (partial)
        store(in_.partial + at, r, stored);
      else
        store(in_.output + at, r, stored);
    }
  }

  /// Row r of the accumulators, 32 columns after 32, of which each thread of the row stores eight
  /// neighbours.
  __device__ void store(__nv_bfloat16* to, int r, bool stored) {
#pragma unroll
    for (int j = 0; j < 32; j += 4) {
      uint32_t v[4];
#pragma unroll
      for (int i = 0; i < 4; ++i)
        v[i] = pack_bf16(o_[4 * (j + i) + 2 * r], o_[4 * (j + i) + 2 * r + 1]);
      quad_transpose(v);
      if (stored) *reinterpret_cast<uint4*>(to + 8 * j) = make_uint4(v[0], v[1], v[2], v[3]);
    }
  }
  __device__ void store(float* to, int r, bool stored) {
#pragma unroll
    for (int j = 0; j < 32; j += 4) {
      uint32_t x[4], y[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        x[i] = __float_as_uint(o_[4 * (j + i) + 2 * r]);
        y[i] = __float_as_uint(o_[4 * (j + i) + 2 * r + 1]);
      }
      quad_transpose(x);
      quad_transpose(y);
      if (!stored) continue;
      auto* vectors = reinterpret_cast<uint4*>(to + 8 * j);
      vectors[0] = make_uint4(x[0], y[0], x[1], y[1]);
      vectors[1] = make_uint4(x[2], y[2], x[3], y[3]);
    }
  }

  const MlaInput& in_;
  Shared shared_;
  int thread_, warp_, lane_, row_;
  int uses_ = 0;        // of the own tile's place
  bool moved_ = false;  // the reference of a row of this warp, since the accumulators were scaled
  float m_[2], l_[2], factors_[2];
  uint32_t q_[in_registers > 0 ? in_registers : 1][4][4];
  float o_[128];
};

/// `fillers`: arrivals that fill a box of latent columns; the rotary box has one.
__device__ inline void init_barriers(Shared shared, int fillers) {
  if (threadIdx.x == 0) {
    for (int w = 0; w < 2; ++w) {
      for (int i = 0; i < S::boxes; ++i)
        barrier_init(shared.full(w, i), i < S::boxes - 1 ? fillers : 1);
      for (int part = 0; part < 2; ++part) barrier_init(shared.empty(w, part), 4);
    }
    barrier_init(shared.query_full(), 1);
    barrier_init(shared.query_empty(), 8);
    fence_barrier_init();
  }
  __syncthreads();
}

}  // namespace mla

__global__ void __launch_bounds__(MlaShape::threads, 1)
    mla_kernel(const __grid_constant__ MlaInput in, const __grid_constant__ CUtensorMap queries,
               const __grid_constant__ CUtensorMap cache) {
  using namespace ptx;
  extern __shared__ __align__(1024) unsigned char memory[];
  const mla::Shared shared{shared_address(memory)};
  mla::init_barriers(shared, 1);
  const int share = static_cast<int>(blockIdx.x) / in.head_tiles;
  const int begin = in.block_begin[share], end = in.block_begin[share + 1];
  const int warpgroup = static_cast<int>(threadIdx.x) / 128;
  if (warpgroup == 2) {
    give_registers<24>();
    switch (static_cast<int>(threadIdx.x) % 128) {
      case 0:
        mla::Producer<0, 0>(in, &queries, &cache, shared).run(begin, end);
        break;
      case 32:
        mla::Producer<0, 1>(in, &queries, &cache, shared).run(begin, end);
        break;
      case 64:
        mla::Producer<1, 0>(in, &queries, &cache, shared).run(begin, end);
        break;
      case 96:
        mla::Producer<1, 1>(in, &queries, &cache, shared).run(begin, end);
        break;
      default:
        break;
    }
    __syncwarp();
  } else {
    take_registers<240>();
    if (warpgroup == 0)
      mla::Consumer<0, false>(in, shared).run(begin, end);
    else
      mla::Consumer<1, false>(in, shared).run(begin, end);
  }
  let_next_kernel_start();
}

}  // namespace afford::calibrate
