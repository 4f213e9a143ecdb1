#pragma once
// The prefill attention kernel: causal attention of a chunk of queries over a cached prefix and the
// chunk itself. One persistent block per multiprocessor takes query tiles (128 queries of one head)
// from a common counter, the longest first, so that the short ones fill the end. Two warpgroups
// hold 64 queries each and share the tiles of keys and values that a producer warp streams in, from
// the diagonal down to the first key.
//
// In each step a warpgroup starts the scores of the next tile, then the product of the last tile's
// probabilities with its values, and is at the softmax of the scores while that product runs. With
// `in_turn` the two warpgroups also start their products in turn, so that one is at its softmax
// while the other keeps the tensor core busy (as FlashAttention-3 does, arXiv 2407.08608).

#include <cuda_bf16.h>

#include "ptx.cuh"
#include "warp.cuh"
#include "wgmma.cuh"

namespace afford::calibrate {

struct PrefillInput {
  int tokens, prefix;     // of each sequence: new ones, and those cached before
  int heads, group;       // query heads; those of a KV head
  int query_tiles;        // of a head
  int section;            // sequences' KV heads that are worked through together: they fit in L2
  int kv_units;           // KV heads of all sequences
  float scale;            // of the logits, times log2(e)
  int* counter;           // the next tile; back to 0 at the end
  __nv_bfloat16* output;  // [sequence][token][head][value dimension]
};

/// A query tile: 128 queries of one head.
struct QueryTile {
  int sequence, kv_head, head, first;  // first: query among the new tokens
  int keys;                            // tiles of keys it sees
};

template <int key_dim_, int value_dim_, int tile_>
struct PrefillShape {
  static constexpr int key_dim = key_dim_, value_dim = value_dim_;
  static constexpr int tile = tile_;                 // keys
  static constexpr int rows = 64, block_rows = 128;  // queries of a warpgroup and of the block
  static constexpr int key_chunks = key_dim / 64, value_chunks = value_dim / 64;  // of 128 bytes
  static constexpr int query_bytes = rows * key_dim * 2;                          // a warpgroup's
  static constexpr int key_bytes = tile * key_dim * 2, value_bytes = tile * value_dim * 2;
  static constexpr int threads = 384;
  static constexpr int largest_shared = 232448;
  static constexpr int stages =
      (largest_shared - 1024 - 2 * query_bytes) / (key_bytes + value_bytes);
  static constexpr bool in_turn = value_dim <= 128;

  // Shared memory, from a 1024-byte boundary: queries, then
  static constexpr int at_keys = 2 * query_bytes;
  static constexpr int at_values = at_keys + stages * key_bytes;
  static constexpr int at_tiles = at_values + stages * value_bytes;  // [2 warpgroups]
  static constexpr int at_barriers = at_tiles + 2 * 4;
  static constexpr int shared_bytes = at_barriers + (4 * stages + 4) * 8;
  static_assert(stages >= 2 && key_bytes % 1024 == 0 && value_bytes % 1024 == 0);
};

namespace prefill {

using namespace ptx;

/// Tiles of keys that the queries [first, first + 128) see.
template <class S>
__host__ __device__ inline int key_tiles(int tokens, int prefix, int first) {
  const int end = first + S::block_rows < tokens ? first + S::block_rows : tokens;
  return (prefix + end + S::tile - 1) / S::tile;
}

/// Tile `index` in the order of work: sections of KV heads, within them from the last queries to
/// the first, so from the longest tile to the shortest.
template <class S>
__device__ QueryTile tile_of(const PrefillInput& in, int index) {
  const int tiles_of_section = in.section * in.group * in.query_tiles;
  const int first_unit = index / tiles_of_section * in.section;
  const int units = min(in.section, in.kv_units - first_unit);
  const int within = index % tiles_of_section, wide = units * in.group;
  const int unit = first_unit + within % wide / in.group, kv_heads = in.heads / in.group;
  QueryTile tile;
  tile.sequence = unit / kv_heads;
  tile.kv_head = unit % kv_heads;
  tile.head = tile.kv_head * in.group + within % wide % in.group;
  tile.first = (in.query_tiles - 1 - within / wide) * S::block_rows;
  tile.keys = key_tiles<S>(in.tokens, in.prefix, tile.first);
  return tile;
}

/// Shared memory by address.
template <class S>
struct Shared {
  uint32_t base;
  __device__ uint32_t queries(int w) const { return base + w * S::query_bytes; }
  __device__ uint32_t keys(int stage) const { return base + S::at_keys + stage * S::key_bytes; }
  __device__ uint32_t values(int stage) const {
    return base + S::at_values + stage * S::value_bytes;
  }
  __device__ uint32_t tile(int w) const { return base + S::at_tiles + 4 * w; }
  __device__ uint32_t key_full(int stage) const { return barrier(stage); }
  __device__ uint32_t key_empty(int stage) const { return barrier(S::stages + stage); }
  __device__ uint32_t value_full(int stage) const { return barrier(2 * S::stages + stage); }
  __device__ uint32_t value_empty(int stage) const { return barrier(3 * S::stages + stage); }
  __device__ uint32_t query_full(int w) const { return barrier(4 * S::stages + w); }
  __device__ uint32_t query_empty(int w) const { return barrier(4 * S::stages + 2 + w); }

 private:
  __device__ uint32_t barrier(int i) const { return base + S::at_barriers + 8 * i; }
};

/// A place in a ring of stages, and the parity of its current use.
template <class S>
struct Place {
  int stage = 0, parity = 0;
  __device__ void advance() {
    if (++stage == S::stages) {
      stage = 0;
      parity ^= 1;
    }
  }
};

struct PrefillMaps {
  CUtensorMap queries, keys, values;
};

/// One thread that takes tiles and feeds the rings. Scores come a step before values are needed, so
/// the keys of a tile go ahead of the values of the one before.
template <class S>
class Producer {
 public:
  __device__ Producer(const PrefillInput& in, const PrefillMaps& maps, Shared<S> shared)
      : in_(in),
        maps_(maps),
        shared_(shared),
        all_(in.heads * in.query_tiles * (in.kv_units / (in.heads / in.group))) {}

  __device__ void run() {
    wait_for_previous_kernel();  // which may write the operands
    int parity = 1;
    for (int index = take(); index < all_; parity ^= 1) {
      const QueryTile tile = tile_of<S>(in_, index);
      load<keys_of>(tile, tile.keys - 1);
      for (int w = 0; w < 2; ++w) load_queries(tile, index, w, parity);
      for (int i = tile.keys - 2; i >= 0; --i) {
        load<keys_of>(tile, i);
        load<values_of>(tile, i + 1);
      }
      index = take();
      load<values_of>(tile, 0);
    }
    for (int w = 0; w < 2; ++w) {
      wait(shared_.query_empty(w), parity);
      store_shared(shared_.tile(w), ~0u);
      arrive(shared_.query_full(w));
    }
  }

 private:
  static constexpr bool keys_of = false, values_of = true;

  /// The last of all takes sets the counter back: every block takes once in vain.
  __device__ int take() {
    const int index = atomicAdd(in_.counter, 1);
    if (index == all_ + static_cast<int>(gridDim.x) - 1) *in_.counter = 0;
    return index;
  }

  __device__ void load_queries(const QueryTile& tile, int index, int w, int parity) {
    wait(shared_.query_empty(w), parity);
    store_shared(shared_.tile(w), static_cast<uint32_t>(index));
    expect_bytes(shared_.query_full(w), S::query_bytes);
#pragma unroll
    for (int chunk = 0; chunk < S::key_chunks; ++chunk)
      tensor_load(shared_.queries(w) + chunk * S::rows * 128, &maps_.queries, 64 * chunk,
                  tile.first + w * S::rows, tile.head, tile.sequence, shared_.query_full(w),
                  stream_);
  }
  /// Tile i of the keys or of the values into the next place of their ring.
  template <bool values>
  __device__ void load(const QueryTile& tile, int i) {
    constexpr int chunks = values ? S::value_chunks : S::key_chunks;
    Place<S>& place = values ? values_ : keys_;
    const CUtensorMap* map = values ? &maps_.values : &maps_.keys;
    const int stage = place.stage;
    const uint32_t to = values ? shared_.values(stage) : shared_.keys(stage);
    const uint32_t full = values ? shared_.value_full(stage) : shared_.key_full(stage);
    wait(values ? shared_.value_empty(stage) : shared_.key_empty(stage), place.parity ^ 1);
    expect_bytes(full, values ? S::value_bytes : S::key_bytes);
#pragma unroll
    for (int chunk = 0; chunk < chunks; ++chunk)
      tensor_load(to + chunk * S::tile * 128, map, 64 * chunk, i * S::tile, tile.kv_head,
                  tile.sequence, full, keep_);
    place.advance();
  }

  const PrefillInput& in_;
  const PrefillMaps& maps_;
  Shared<S> shared_;
  int all_;
  Place<S> keys_, values_;
  uint64_t stream_ = evict_first(), keep_ = evict_last();
};

/// One of the two warpgroups that compute, on 64 queries of each tile.
template <class S, int W>
class Consumer {
 public:
  __device__ Consumer(const PrefillInput& in, Shared<S> shared)
      : in_(in),
        shared_(shared),
        warp_(static_cast<int>(threadIdx.x) % 128 / 32),
        lane_(static_cast<int>(threadIdx.x) % 32),
        row_(W * S::rows + 16 * warp_ + lane_ / 4) {}

  __device__ void run() {
    if (S::in_turn && W == 1) pass_turn();
    for (int parity = 0;; parity ^= 1) {
      wait(shared_.query_full(W), parity);
      const int index = static_cast<int>(load_shared(shared_.tile(W)));
      if (index < 0) return;
      const QueryTile tile = tile_of<S>(in_, index);
      attend(tile);
      write(tile);
    }
  }

 private:
  static constexpr int scores = S::tile / 2, outputs = S::value_dim / 2;  // registers of a thread

  /// Each warp tells for itself that it is done.
  __device__ void release(uint32_t barrier) {
    __syncwarp();
    if (lane_ == 0) arrive(barrier);
  }
  __device__ void await_turn() {
    if constexpr (S::in_turn) sync_threads<1 + W, 256>();
  }
  __device__ void pass_turn() {
    if constexpr (S::in_turn) arrive_threads<2 - W, 256>();
  }

  __device__ void attend(const QueryTile& tile) {
    const int position = in_.prefix + tile.first;                 // of the block's first query
    const int unmasked = (position + W * S::rows + 1) / S::tile;  // tiles that all rows see whole
    position_ = position + row_;
    m_[0] = m_[1] = lowest;
    l_[0] = l_[1] = 0;
#pragma unroll
    for (float& x : o_) x = 0;
    int i = tile.keys - 1;
    {
      float s[scores];
      wait(shared_.key_full(keys_.stage), keys_.parity);
      score(s);
      wgmma_wait<0>();
      keep(s);
      release(shared_.key_empty(keys_.stage));
      keys_.advance();
      if (i >= unmasked) mask(s, i);
      soften(s);
      pack(s);
    }
    for (--i; i >= unmasked; --i) step<true>(i);
    for (; i >= 0; --i) step<false>(i);
    release(shared_.query_empty(W));
    wait(shared_.value_full(values_.stage), values_.parity);
    multiply();
    wgmma_wait<0>();
    keep(o_);
    release(shared_.value_empty(values_.stage));
    values_.advance();
  }

  /// The scores of tile i and the product with the values of tile i + 1.
  template <bool masked>
  __device__ void step(int i) {
    float s[scores];
    wait(shared_.key_full(keys_.stage), keys_.parity);
    await_turn();
    score(s);
    wait(shared_.value_full(values_.stage), values_.parity);
    multiply();
    pass_turn();
    wgmma_wait<1>();
    keep(s);
    release(shared_.key_empty(keys_.stage));
    keys_.advance();
    if constexpr (masked) mask(s, i);
    soften(s);
    wgmma_wait<0>();
    keep(o_);
    release(shared_.value_empty(values_.stage));
    values_.advance();
    if (moved_) {
#pragma unroll
      for (int k = 0; k < outputs; ++k) o_[k] *= factors_[k / 2 % 2];
    }
    pack(s);
  }

  /// S = Q K^T.
  __device__ void score(float (&s)[scores]) {
    const uint64_t q = swizzled(shared_.queries(W)), k = swizzled(shared_.keys(keys_.stage));
    wgmma_fence();
#pragma unroll
    for (int chunk = 0; chunk < S::key_chunks; ++chunk)
#pragma unroll
      for (int at = 0; at < 4; ++at)
        Wgmma<S::tile>::template bf16<0>(s, q + (chunk * S::rows * 128 >> 4) + 2 * at,
                                         k + (chunk * S::tile * 128 >> 4) + 2 * at, chunk + at > 0);
    wgmma_commit();
  }

  /// O += P V.
  __device__ void multiply() {
    const uint64_t v = swizzled(shared_.values(values_.stage), S::tile * 128);
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < S::tile / 16; ++k)
      Wgmma<S::value_dim>::template bf16<1>(o_, p_[k], v + k * (16 * 128 >> 4), 1);
    wgmma_commit();
  }

  /// Keys behind a query.
  __device__ void mask(float (&s)[scores], int i) {
    const int first = i * S::tile + 2 * (lane_ % 4);
#pragma unroll
    for (int k = 0; k < scores; ++k)
      if (first + 8 * (k / 4) + k % 2 > position_ + 8 * (k / 2 % 2)) s[k] = -INFINITY;
  }

  /// Online softmax: scores become probabilities against a reference that moves only when the
  /// maximum leaves it far behind, as in mla.cuh. A row that has seen no key yet stands at
  /// `lowest`, against which every masked score comes to 0.
  __device__ void soften(float (&s)[scores]) {
    constexpr float room = 8;  // powers of two above the reference
    float tops[2];
    bool above = false;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float a = s[2 * r], b = s[2 * r + 1];
#pragma unroll
      for (int j = 1; j < S::tile / 8; ++j) {
        a = fmaxf(a, s[4 * j + 2 * r]);
        b = fmaxf(b, s[4 * j + 2 * r + 1]);
      }
      tops[r] = fmaxf(a, b);
      above = above || (tops[r] - m_[r]) * in_.scale > room;
    }
    moved_ = __any_sync(~0u, above);
    if (moved_) {
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        const float top = fmaxf(quad_max(tops[r]), m_[r]);
        factors_[r] = exp2_approx((m_[r] - top) * in_.scale);
        m_[r] = top;
        l_[r] *= factors_[r];
      }
    }
    const float base[2] = {-m_[0] * in_.scale, -m_[1] * in_.scale};
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float a = 0, b = 0;
#pragma unroll
      for (int j = 0; j < S::tile / 8; ++j) {
        float &x = s[4 * j + 2 * r], &y = s[4 * j + 2 * r + 1];
        x = exp2_approx(fmaf(x, in_.scale, base[r]));
        y = exp2_approx(fmaf(y, in_.scale, base[r]));
        a += x;
        b += y;
      }
      l_[r] += a + b;
    }
  }

  __device__ void pack(const float (&s)[scores]) {
#pragma unroll
    for (int k = 0; k < scores / 2; ++k) p_[k / 4][k % 4] = pack_bf16(s[2 * k], s[2 * k + 1]);
  }

  /// 32 columns after 32, of which each thread of a row stores eight neighbours.
  __device__ void write(const QueryTile& tile) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float inverse = __fdividef(1, quad_sum(l_[r]));
      const int token = tile.first + row_ + 8 * r;
      const size_t row =
          (static_cast<size_t>(tile.sequence) * in_.tokens + token) * in_.heads + tile.head;
      __nv_bfloat16* to = in_.output + row * S::value_dim + 8 * (lane_ % 4);
#pragma unroll
      for (int j = 0; j < S::value_dim / 8; j += 4) {
        uint32_t v[4];
#pragma unroll
        for (int k = 0; k < 4; ++k)
          v[k] =
              pack_bf16(o_[4 * (j + k) + 2 * r] * inverse, o_[4 * (j + k) + 2 * r + 1] * inverse);
        quad_transpose(v);
        if (token < in_.tokens)
          *reinterpret_cast<uint4*>(to + 8 * j) = make_uint4(v[0], v[1], v[2], v[3]);
      }
    }
  }

  static constexpr float lowest = -1e30f;  // finite: differences of two are 0, not NaN

  const PrefillInput& in_;
  Shared<S> shared_;
  int warp_, lane_, row_;  // row_: of the block's queries, the upper of this thread's two
  int position_ = 0;       // of that row in the sequence
  Place<S> keys_, values_;
  bool moved_ = false;  // the reference of a row of this warp, in the last softmax
  float m_[2], l_[2], factors_[2];
  uint32_t p_[S::tile / 16][4];
  float o_[outputs];
};

}  // namespace prefill

template <class S>
__global__ void __launch_bounds__(S::threads, 1)
    prefill_kernel(const __grid_constant__ PrefillInput in,
                   const __grid_constant__ prefill::PrefillMaps maps) {
  using namespace ptx;
  extern __shared__ __align__(1024) unsigned char memory[];
  const prefill::Shared<S> shared{shared_address(memory)};
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < S::stages; ++stage) {
      barrier_init(shared.key_full(stage), 1);
      barrier_init(shared.value_full(stage), 1);
      barrier_init(shared.key_empty(stage), 8);  // one arrival of each warp
      barrier_init(shared.value_empty(stage), 8);
    }
    for (int w = 0; w < 2; ++w) {
      barrier_init(shared.query_full(w), 1);
      barrier_init(shared.query_empty(w), 4);
    }
    fence_barrier_init();
  }
  __syncthreads();
  let_next_kernel_start();
  const int warpgroup = static_cast<int>(threadIdx.x) / 128;
  if (warpgroup == 2) {
    give_registers<40>();
    if (threadIdx.x == 256) prefill::Producer<S>(in, maps, shared).run();
  } else {
    take_registers<232>();
    if (warpgroup == 0)
      prefill::Consumer<S, 0>(in, shared).run();
    else
      prefill::Consumer<S, 1>(in, shared).run();
  }
}

}  // namespace afford::calibrate
