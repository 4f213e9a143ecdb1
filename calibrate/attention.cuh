#pragma once
// The decode attention kernel. One persistent block per multiprocessor works through its segments
// (runs of tiles of one sequence and KV head). Two warpgroups take alternate tiles, each with an
// online softmax of its own, and merge at the end of a task. A producer warp streams K and V tiles
// into a ring in shared memory for each of them. So the copy engine never waits for the tensor
// cores, which are busy a third of the time.
//
// BF16: S = Q K^T with heads on rows; P stays in registers; O += P V with V read transposed.
// FP8: the tensor core takes 8-bit operands K-major only, so O^T += V^T P^T: V^T comes into
// registers by transposing loads and byte permutes, P goes through shared memory, heads stand on
// columns.

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <type_traits>

#include "ptx.cuh"
#include "schedule.hpp"
#include "warp.cuh"
#include "wgmma.cuh"

namespace afford::calibrate {

/// A segment as the kernel reads it, in one go: every further load on the way to the first copy
/// would cost a round trip to memory. Block b starts with task b.
struct alignas(16) Task {
  int unit, tiles, length, partial;  // as in Segment
  int place;                         // first KV row, or where pages: index of the first in `pages`
  int places_end;                    // where pages: end of the request's
  int head;                          // KV head within a page
  int next;                          // task of the same block; -1: the last
};

/// What the kernel reads besides the three tensor maps (queries [unit][group][D], keys and values
/// [rows][D]).
struct AttentionInput {
  const Task* tasks;
  const int* pages;       // of each request, one after another; null: contiguous
  int kv_heads, group;    // query heads of a KV head
  float scale;            // of the logits, times log2(e)
  __nv_bfloat16* output;  // [unit][group][D]
  float* partial;         // [slot][group][D]
  float* partial_lse;     // [slot][group], base 2
};

/// `few`: FP8 of at most 16 heads. Each warp has all of them as its 16 rows of the query tile, and
/// so all scores, of which it makes a quarter of the tokens into probabilities: where the heads
/// were rows of one warp, the others waited for it.
template <class Element_, int D_, bool few_ = false>
struct AttentionShape {
  using Element = Element_;
  static constexpr int D = D_;
  static constexpr bool fp8 = sizeof(Element) == 1, few = few_;
  static constexpr int heads = 64;                   // rows of the query tile; fewer are padded
  static constexpr int columns = few ? 16 : heads;   // FP8: of the transposed outputs
  static constexpr int outputs = D * columns / 128;  // accumulators of a thread
  static constexpr int tile = fp8 ? 128 : 64;        // KV rows
  static constexpr int page_rows = 64, pages = tile / page_rows;
  static constexpr int chunk_elements = 128 / static_cast<int>(sizeof(Element));
  static constexpr int chunks =
      D * static_cast<int>(sizeof(Element)) / 128;  // 128-byte columns of a row
  // A tile stands in groups of 8 rows, a group in its columns of 128 bytes one behind the other, as
  // one copy brings it: so all columns of a row come from memory at about the same time. One column
  // of 64 rows after another, the same bytes take 2 % longer.
  static constexpr int column_bytes = 1024, group_bytes = chunks * column_bytes;
  static constexpr int tile_bytes = chunks * tile * 128;
  // Of each group's ring, K and V in turn. More in flight than this makes BF16 of 128 slower by 0.5
  // %.
  static constexpr int stages = (!fp8 && D == 128 ? 64 : 96) * 1024 / tile_bytes;
  static constexpr int query_column_bytes = heads * 128;
  static constexpr int query_bytes = chunks * query_column_bytes;
  static constexpr int probability_bytes = fp8 ? heads * tile : 0;  // of each warpgroup
  static constexpr int threads = 384;

  // Shared memory, from a 1024-byte boundary.
  static constexpr int at_rings = query_bytes;
  static constexpr int at_probabilities = at_rings + 2 * stages * tile_bytes;
  static constexpr int at_stats =
      at_probabilities + 2 * probability_bytes;                // [2 parities][2 groups][heads]
  static constexpr int at_factors = at_stats + 4 * heads * 8;  // [2 groups][heads]
  static constexpr int at_barriers = at_factors + (fp8 ? 2 * heads * 4 : 0);
  static constexpr int shared_bytes = at_barriers + (4 * stages + 2) * 8;
};

namespace attention {

using namespace ptx;

/// Place of a tile in a group's ring, and the parity of the wait for its data. Tile i of a group
/// comes as load 2 i (K) and 2 i + 1 (V). Each ring has one consumer: were it shared, a group could
/// mistake the phase before for its own.
template <class S>
struct Place {
  int stage, parity;
  __device__ explicit Place(int load) : stage(load % S::stages), parity(load / S::stages & 1) {}
};

/// Shared memory of the rings and their barriers, by address.
template <class S>
struct Rings {
  uint32_t base;
  __device__ uint32_t stage(int group, int s) const {
    return base + S::at_rings + (group * S::stages + s) * S::tile_bytes;
  }
  __device__ uint32_t full(int group, int s) const { return barrier(group * S::stages + s); }
  __device__ uint32_t empty(int group, int s) const { return barrier((2 + group) * S::stages + s); }
  __device__ uint32_t query_full() const { return barrier(4 * S::stages); }
  __device__ uint32_t query_empty() const { return barrier(4 * S::stages + 1); }

 private:
  __device__ uint32_t barrier(int i) const { return base + S::at_barriers + 8 * i; }
};

/// KV rows of the 64-row boxes of one task, in order; reads the page table one box ahead.
class Boxes {
 public:
  __device__ Boxes(const AttentionInput& in, const Task& task)
      : in_(in), at_(task.place), task_(task) {
    if (in.pages != nullptr) next_ = in.pages[at_];
  }
  /// First row of the next box. Past the last page it repeats that page: the rows are masked.
  __device__ int take() {
    if (in_.pages == nullptr) {
      const int row = at_;
      at_ += 64;
      return row;
    }
    const int row = (next_ * in_.kv_heads + task_.head) * 64;
    if (at_ + 1 < task_.places_end) next_ = in_.pages[++at_];
    return row;
  }

 private:
  const AttentionInput& in_;
  int at_, next_ = 0;
  const Task& task_;
};

/// Loads one K or V tile into its place once that is free: `whole` in one copy, else page by page.
template <class S>
__device__ void load_tile(const Rings<S>& rings, int group, int load, const CUtensorMap* map,
                          const int (&rows)[S::pages], bool whole, uint64_t policy) {
  const Place<S> place(load);
  const uint32_t to = rings.stage(group, place.stage), full = rings.full(group, place.stage);
  wait(rings.empty(group, place.stage), place.parity ^ 1);
  expect_bytes(full, S::tile_bytes);
#pragma unroll
  for (int page = 0; page < S::pages; ++page) {
    const uint32_t at = to + page * (S::page_rows / 8 * S::group_bytes);
    if constexpr (S::chunks == 1)
      tensor_load(at, map, 0, rows[page], full, policy);
    else if (page == 0 || !whole)
      tensor_load(at, map, 0, rows[page], 0, 0, full, policy);
  }
}

/// One thread feeds the rings for all segments of the block.
template <class S>
__device__ void produce(const AttentionInput& in, const CUtensorMap* queries,
                        const CUtensorMap* keys, const CUtensorMap* values, const Rings<S>& rings,
                        Task task) {
  const uint64_t stream = evict_first(), keep_in_l2 = evict_last();
  wait_for_previous_kernel();  // which may write the queries and the newest rows
  const bool whole = in.pages == nullptr;
  for (int g = 0, parity = 1;; parity ^= 1) {
    wait(rings.query_empty(), parity);
    expect_bytes(rings.query_full(), S::query_bytes);
#pragma unroll
    for (int row = 0; row < S::heads; row += S::columns)
#pragma unroll
      for (int chunk = 0; chunk < S::chunks; ++chunk)
        tensor_load(rings.base + chunk * S::query_column_bytes + row * 128, queries,
                    chunk * S::chunk_elements, 0, task.unit, rings.query_full(), keep_in_l2);
    Boxes boxes(in, task);
    for (int i = 0; i < task.tiles; ++i, ++g) {
      int rows[S::pages];
#pragma unroll
      for (int& row : rows) row = boxes.take();
      load_tile(rings, g & 1, g / 2 * 2, keys, rows, whole, stream);
      load_tile(rings, g & 1, g / 2 * 2 + 1, values, rows, whole, stream);
    }
    if (task.next < 0) return;
    task = in.tasks[task.next];
  }
}

/// One of the two warpgroups that compute. Accumulators: BF16 o[j][4] is rows (heads) and 8-column
/// groups as the tensor core leaves them; FP8 the same of O^T, 64 rows (dimensions) after 64.
/// Either way D / 2 registers, the first half of which covers the first half of the dimensions.
template <class S, int W>
class Consumer {
 public:
  __device__ Consumer(const AttentionInput& in, const Rings<S>& rings)
      : in_(in),
        rings_(rings),
        shared_(rings.base),
        thread_(static_cast<int>(threadIdx.x) % 128),
        warp_(thread_ / 32),
        lane_(thread_ % 32),
        row_(16 * warp_ + lane_ / 4),
        busy_(S::few || 16 * warp_ < in.group) {}

  __device__ void run(Task task) {
    for (int first = 0, parity = 0;; parity ^= 1) {
      wait(rings_.query_full(), parity);
      attend(task, first);
      finish(task, first);
      if (task.next < 0) return;
      first += task.tiles;
      task = in_.tasks[task.next];
    }
  }

 private:
  static constexpr int own_barrier = 2 + W;

  __device__ void sync_group() { sync_threads<own_barrier, 128>(); }
  __device__ void sync_both() { sync_threads<1, 256>(); }
  /// Each warp tells for itself that it is done with a stage.
  __device__ void release(uint32_t barrier) {
    __syncwarp();
    if (lane_ == 0) arrive(barrier);
  }
  __device__ float& o(int i) {
    if constexpr (S::fp8)
      return o_[i / (S::columns / 2)][i % (S::columns / 2)];
    else
      return o_[0][i];
  }

  /// Tiles of the segment that are this group's: every other one, counted over the block's whole
  /// life.
  __device__ void attend(const Task& task, int first) {
    m_[0] = m_[1] = -INFINITY;
    l_[0] = l_[1] = 0;
#pragma unroll
    for (int i = 0; i < S::outputs; ++i) o(i) = 0;
    const int start = (first ^ W) & 1;
    for (int i = start; i < task.tiles; i += 2) {
      const int g = first + i, rows = task.length - i * S::tile;
      const bool last = i + 2 >= task.tiles;
      step(g, rows, last, last && task.tiles > 1);
    }
    if (start >= task.tiles) release(rings_.query_empty());
  }

  /// Attends to the first `rows` of a tile. The last of a segment frees the queries; `hold` keeps
  /// the value stage for the merge.
  __device__ void step(int g, int rows, bool last, bool hold) {
    const Place<S> key(g / 2 * 2), value(g / 2 * 2 + 1);
    const uint32_t values = rings_.stage(W, value.stage);
    float scores[S::tile / 2];
    wait(rings_.full(W, key.stage), key.parity);
    score(scores, rings_.stage(W, key.stage));
    if (last) release(rings_.query_empty());
    release(rings_.empty(W, key.stage));
    if (rows < S::tile) mask(scores, rows);
    if constexpr (S::fp8) {
      float factors[2];
      soften(scores, factors,
             8);     // probabilities times 2^8 use the range of e4m3; l carries it too
      sync_group();  // the tensor core has read the last tile's probabilities, the threads its
                     // factors
      store_probabilities(scores, factors);
      fence_async_shared();
      sync_group();
      wait(rings_.full(W, value.stage), value.parity);
      if (rows < S::tile) clear_values(values, rows);
      rescale_columns();
      accumulate_transposed(values);
    } else {
      float factors[2];
      soften(scores, factors, 0);
#pragma unroll
      for (int i = 0; i < S::outputs; ++i) o(i) *= factors[i / 2 % 2];
      uint32_t p[S::tile / 16][4];
#pragma unroll
      for (int i = 0; i < S::tile / 4; ++i)
        p[i / 4][i % 4] = pack_bf16(scores[2 * i], scores[2 * i + 1]);
      wait(rings_.full(W, value.stage), value.parity);
      if (rows < S::tile) clear_values(values, rows);
      wgmma_fence();
#pragma unroll
      for (int k = 0; k < S::tile / 16; ++k)
        Wgmma<S::D>::template bf16<1>(
            o_[0], p[k],
            swizzled(values, S::column_bytes, S::group_bytes) + k * (2 * S::group_bytes >> 4), 1);
      wgmma_commit();
      wgmma_wait<0>();
      keep(o_[0]);
    }
    if (!hold) release(rings_.empty(W, value.stage));
  }

  __device__ void score(float (&scores)[S::tile / 2], uint32_t keys) {
    const uint64_t q = swizzled(shared_), k = swizzled(keys, 16, S::group_bytes);
    wgmma_fence();
#pragma unroll
    for (int chunk = 0; chunk < S::chunks; ++chunk)
#pragma unroll
      for (int step = 0; step < 4; ++step) {
        const uint64_t at_q = q + (chunk * S::query_column_bytes >> 4) + 2 * step;
        const uint64_t at_k = k + (chunk * S::column_bytes >> 4) + 2 * step;
        if constexpr (S::fp8)
          Wgmma<S::tile>::fp8(scores, at_q, at_k, chunk + step > 0);
        else
          Wgmma<S::tile>::bf16(scores, at_q, at_k, chunk + step > 0);
      }
    wgmma_commit();
    wgmma_wait<0>();
    keep(scores);
  }

  __device__ void mask(float (&scores)[S::tile / 2], int rows) {
#pragma unroll
    for (int i = 0; i < S::tile / 2; ++i)
      if (8 * (i / 4) + 2 * (lane_ % 4) + i % 2 >= rows) scores[i] = -INFINITY;
  }

  /// Online softmax: scores become probabilities (times 2^shift) against the running maximum;
  /// `factors` is what the accumulators of either row shrink by.
  __device__ void soften(float (&scores)[S::tile / 2], float (&factors)[2], float shift) {
    // Padding, which nobody reads. With D = 256 the branch would cost registers that are not there.
    if (S::D < 256 && !busy_) {
#pragma unroll
      for (float& p : scores) p = 0;
      factors[0] = factors[1] = 1;
      return;
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float top = m_[r];
#pragma unroll
      for (int j = 0; j < S::tile / 8; ++j)
        top = fmaxf(top, fmaxf(scores[4 * j + 2 * r], scores[4 * j + 2 * r + 1]));
      top = quad_max(top);
      factors[r] = exp2_approx((m_[r] - top) * in_.scale);
      m_[r] = top;
      const float base = shift - top * in_.scale;
      l_[r] *= factors[r];
      of_own_tokens([&](auto first, auto count) {
        l_[r] += exponentiate<decltype(first)::value, decltype(count)::value>(scores, r, base);
      });
    }
  }

  /// Calls with the first and the number of the groups of eight tokens of which this warp makes
  /// probabilities.
  template <class Use>
  __device__ void of_own_tokens(const Use& use) {
    constexpr int all = S::tile / 8, own = S::few ? all / 4 : all;
    constexpr std::integral_constant<int, own> count;
    if (!S::few || warp_ == 0)
      use(std::integral_constant<int, 0>(), count);
    else if (warp_ == 1)
      use(std::integral_constant<int, own % all>(), count);
    else if (warp_ == 2)
      use(std::integral_constant<int, 2 * own % all>(), count);
    else
      use(std::integral_constant<int, 3 * own % all>(), count);
  }
  /// Scores of row r become probabilities; their sum.
  template <int first, int count>
  __device__ float exponentiate(float (&scores)[S::tile / 2], int r, float base) {
    float sum = 0;
#pragma unroll
    for (int j = first; j < first + count; ++j)
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        float& p = scores[4 * j + 2 * r + c];
        p = exp2_approx(fmaf(p, in_.scale, base));
        sum += p;
      }
    return sum;
  }

  /// Rows past the end may hold anything, NaN too, and 0 * NaN is NaN.
  __device__ void clear_values(uint32_t values, int rows) {
    const int words = (S::tile - rows) * 32;
    for (int chunk = 0; chunk < S::chunks; ++chunk)
      for (int i = thread_; i < words; i += 128)
        store_shared(values + chunk * S::column_bytes + rows * 128 + 4 * i +
                         (rows + i / 32) / 8 * (S::group_bytes - 1024),
                     0u);
    fence_async_shared();
    sync_group();
  }

  // --- FP8 only
  // ---------------------------------------------------------------------------------------------

  /// P as operand B: [head][KV], K-major. The order of KV within 16 is that of the scores'
  /// fragments, the same as the transposing loads of V give.
  __device__ void store_probabilities(const float (&p)[S::tile / 2], const float (&factors)[2]) {
    // 128-byte swizzle: 16-byte column k of a row stands at k ^ (row & 7).
    const int head = S::few ? lane_ / 4 : row_;
    const uint32_t at = shared_ + S::at_probabilities + W * S::probability_bytes + head * 128 +
                        ((head & 7) << 4) + 4 * (lane_ % 4);
    of_own_tokens([&](auto first, auto count) {
#pragma unroll
      for (int k = decltype(first)::value / 2;
           k < (decltype(first)::value + decltype(count)::value) / 2; ++k) {
        const uint32_t column = at ^ (k << 4);
#pragma unroll
        for (int r = 0; r < 2; ++r)
          store_shared(column + 8 * 128 * r, pack_fp8(p[8 * k + 2 * r], p[8 * k + 2 * r + 1],
                                                      p[8 * k + 4 + 2 * r], p[8 * k + 5 + 2 * r]));
      }
    });
    if (lane_ % 4 != 0 || (S::few && warp_ != 0)) return;
    store_shared(factor_address(head), __float_as_uint(factors[0]));
    store_shared(factor_address(head + 8), __float_as_uint(factors[1]));
  }
  __device__ uint32_t factor_address(int head) const {
    return shared_ + S::at_factors + 4 * (W * S::heads + head);
  }

  __device__ void rescale_columns() {
#pragma unroll
    for (int j = 0; j < S::columns / 8; ++j) {
      const float2 f = load_shared_pair(factor_address(8 * j + 2 * (lane_ % 4)));
#pragma unroll
      for (auto& block : o_) {
        block[4 * j] *= f.x, block[4 * j + 1] *= f.y;
        block[4 * j + 2] *= f.x, block[4 * j + 3] *= f.y;
      }
    }
  }

  /// O^T += V^T P^T, 64 dimensions after 64. A row of a V^T fragment is a dimension: even ones on
  /// the upper eight rows of a warp, odd ones on the lower.
  __device__ void accumulate_transposed(uint32_t values) {
    const uint64_t p = swizzled(shared_ + S::at_probabilities + W * S::probability_bytes);
    // This lane's row of V and this warp's 16 bytes of the first 64 dimensions, swizzled.
    const uint32_t at =
        values + lane_ * 128 + lane_ / 8 * (S::group_bytes - 1024) + ((warp_ ^ (lane_ & 7)) << 4);
#pragma unroll
    for (int block = 0; block < S::D / 64; ++block) {
      uint32_t v[4][4];
#pragma unroll
      for (int k = 0; k < 4; ++k)
        transposed_fragment(
            v[k], (at ^ (block % 2 * 64)) + block / 2 * S::column_bytes + 4 * k * S::group_bytes);
      wgmma_fence();
#pragma unroll
      for (int k = 0; k < 4; ++k) Wgmma<S::columns>::fp8(o_[block], v[k], p + 2 * k, 1);
      wgmma_commit();
      if (block > 0) wgmma_wait<1>();  // frees the fragments of the block before
    }
    wgmma_wait<0>();
#pragma unroll
    for (auto& block : o_) keep(block);
  }

  /// Lane i gives the address of 16 bytes of row i of 32; out come A fragments of the transposed 16
  /// x 32.
  __device__ static void transposed_fragment(uint32_t (&a)[4], uint32_t address) {
    uint32_t r[4];
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(address)
                 : "memory");
    a[0] = __byte_perm(r[0], r[1], 0x6420);
    a[1] = __byte_perm(r[0], r[1], 0x7531);
    a[2] = __byte_perm(r[2], r[3], 0x6420);
    a[3] = __byte_perm(r[2], r[3], 0x7531);
  }

  // --- end of a segment
  // -------------------------------------------------------------------------------------

  __device__ uint32_t stats(int group, int head) const {
    return shared_ + S::at_stats + 8 * ((merges_ & 1) * 2 * S::heads + group * S::heads + head);
  }

  /// Statistics alternate between two places: a group can be at most one segment ahead of the
  /// other's reading, as both must free the queries of a segment before those of the next but one
  /// come. Merges both groups' results, each group finishing half of the dimensions, and writes
  /// them out.
  __device__ void finish(const Task& task, int first) {
    if (task.tiles == 1) {
      if ((first & 1) == W) {
        publish_stats();
        sync_group();
        write<0, S::outputs>(task, false);
      }
      ++merges_;
      return;
    }
    const int last = first + task.tiles - 1;
    const int mine = (last & 1) == W ? last : last - 1, others = 2 * last - 1 - mine;
    const int here = Place<S>(mine / 2 * 2 + 1).stage, there = Place<S>(others / 2 * 2 + 1).stage;
    publish_stats();
    constexpr int half = S::outputs / 2;
    give<(1 - W) * half>(rings_.stage(W, here));
    fence_async_shared();
    sync_both();
    take<W * half>(rings_.stage(1 - W, there));
    fence_async_shared();
    release(rings_.empty(1 - W, there));
    write<W * half, half>(task, true);
    ++merges_;
  }

  __device__ void publish_stats() {
    l_[0] = quad_sum(l_[0]);
    l_[1] = quad_sum(l_[1]);
    if (lane_ % 4 != 0) return;
    store_shared(stats(W, row_), m_[0], l_[0]);
    store_shared(stats(W, row_ + 8), m_[1], l_[1]);
  }

  /// Maximum and sum of a head, the sums of the warps that share it added up.
  __device__ float2 stats_of(int group, int head) const {
    float2 all = load_shared_pair(stats(group, head));
    if constexpr (S::few)
#pragma unroll
      for (int warp = 1; warp < 4; ++warp)
        all.y += load_shared_pair(stats(group, 16 * warp + head)).y;
    return all;
  }

  /// Both groups' threads hold the same places of their accumulators: thread i gives to thread i.
  template <int from>
  __device__ void give(uint32_t buffer) {
#pragma unroll
    for (int i = 0; i < S::outputs / 2; i += 4)
      asm volatile(
          "st.shared.v4.f32 [%0], {%1, %2, %3, %4};" ::"r"(buffer + 16 * (i / 4 * 128 + thread_)),
          "f"(o(from + i)), "f"(o(from + i + 1)), "f"(o(from + i + 2)), "f"(o(from + i + 3))
          : "memory");
  }
  template <int from>
  __device__ void take(uint32_t buffer) {
#pragma unroll
    for (int outer = 0; outer < head_pairs; ++outer) {
      float mine[2], others[2];
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const float m = load_shared_pair(stats(W, head(outer, h))).x;
        const float n = load_shared_pair(stats(1 - W, head(outer, h))).x;
        mine[h] = exp2_approx((m - fmaxf(m, n)) * in_.scale);
        others[h] = exp2_approx((n - fmaxf(m, n)) * in_.scale);
      }
#pragma unroll
      for (int inner = 0; inner < S::outputs / 8 / head_pairs; ++inner) {
        const int i = place(outer, inner);
        float x[4];
        asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
                     : "=f"(x[0]), "=f"(x[1]), "=f"(x[2]), "=f"(x[3])
                     : "r"(buffer + 16 * (i / 4 * 128 + thread_))
                     : "memory");
#pragma unroll
        for (int c = 0; c < 4; ++c)
          o(from + i + c) = o(from + i + c) * mine[head_of(c)] + x[c] * others[head_of(c)];
      }
    }
  }

  // Four neighbouring accumulators belong to two heads: BF16 to this thread's two rows, always the
  // same; FP8 to two neighbouring columns, one pair of heads for each of the eight places in a
  // block.
  static constexpr int head_pairs = S::fp8 ? S::columns / 8 : 1;
  __device__ static constexpr int head_of(int c) { return S::fp8 ? c % 2 : c / 2; }
  __device__ int head(int pair, int h) const {
    return S::fp8 ? 8 * pair + 2 * (lane_ % 4) + h : row_ + 8 * h;
  }
  __device__ static constexpr int place(int pair, int i) {
    return S::fp8 ? S::columns / 2 * i + 4 * pair : 4 * i;
  }

  /// Normalises `count` accumulators from `from` on, and leaves the log-sum-exp beside a partial
  /// result. `merged`: with the other group's share of the task.
  template <int from, int count>
  __device__ void normalise(int partial, bool merged) {
    const bool tells =
        partial >= 0 && (S::fp8 ? thread_ / 4 == 0 : lane_ % 4 == 0) && (!merged || W == 0);
#pragma unroll
    for (int pair = 0; pair < head_pairs; ++pair)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const float2 a = stats_of(W, head(pair, h));
        float top = a.x, sum = a.y;
        if (merged) {
          const float2 b = stats_of(1 - W, head(pair, h));
          top = fmaxf(a.x, b.x);
          sum = a.y * exp2_approx((a.x - top) * in_.scale) +
                b.y * exp2_approx((b.x - top) * in_.scale);
        }
        if (tells && head(pair, h) < in_.group) {
          const float lse = top * in_.scale + __log2f(sum) - (S::fp8 ? 8.0f : 0.0f);
          in_.partial_lse[partial * in_.group + head(pair, h)] = lse;
        }
        const float inverse = __fdividef(1, sum);
#pragma unroll
        for (int k = 0; k < count / 4 / head_pairs; ++k)
#pragma unroll
          for (int c = 0; c < 4; ++c)
            if (head_of(c) == h) o(from + place(pair, k) + c) *= inverse;
      }
  }

  /// Stores `count` accumulators from `from` on as [head][D], in pairs of neighbouring dimensions
  /// of a head: BF16 two columns of a row, FP8 two rows of a column.
  template <int from, int count, class Pair>
  __device__ void store(Pair* output) {
    const int dimension = S::fp8 ? 16 * warp_ + 2 * (lane_ / 4) : 2 * (lane_ % 4);
    Pair* to = output + (head(0, 0) * S::D + dimension) / 2;
#pragma unroll
    for (int pair = 0; pair < head_pairs; ++pair)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        if (head(pair, h) >= in_.group) continue;
        const int heads_on = S::fp8 ? 8 * pair + h : 8 * h;
#pragma unroll
        for (int k = 0; k < count / 4 / head_pairs; ++k) {
          const int i = from + place(pair, k), x = S::fp8 ? i + h : i + 2 * h,
                    y = S::fp8 ? x + 2 : x + 1;
          const int on = heads_on * S::D + (S::fp8 ? 64 * (i / (S::columns / 2)) : 2 * i);
          if constexpr (sizeof(Pair) == 4)
            to[on / 2] = __floats2bfloat162_rn(o(x), o(y));
          else
            to[on / 2] = make_float2(o(x), o(y));
        }
      }
  }

  template <int from, int count>
  __device__ void write(const Task& task, bool merged) {
    normalise<from, count>(task.partial, merged);
    const auto unit_size = static_cast<size_t>(in_.group) * S::D;
    if (task.partial < 0)
      store<from, count>(reinterpret_cast<__nv_bfloat162*>(in_.output + task.unit * unit_size));
    else
      store<from, count>(reinterpret_cast<float2*>(in_.partial + task.partial * unit_size));
  }

  const AttentionInput& in_;
  Rings<S> rings_;
  uint32_t shared_;
  int thread_, warp_, lane_, row_;
  bool busy_;  // this warp's rows hold query heads
  int merges_ = 0;
  float m_[2], l_[2];
  float o_[S::fp8 ? S::D / 64 : 1][S::fp8 ? S::columns / 2 : S::D / 2];
};

}  // namespace attention

template <class S>
__global__ void __launch_bounds__(S::threads, 1)
    attention_kernel(const __grid_constant__ AttentionInput in,
                     const __grid_constant__ CUtensorMap queries,
                     const __grid_constant__ CUtensorMap keys,
                     const __grid_constant__ CUtensorMap values) {
  using namespace ptx;
  extern __shared__ __align__(1024) unsigned char memory[];
  const attention::Rings<S> rings{shared_address(memory)};
  const Task task = in.tasks[blockIdx.x];
  if (threadIdx.x == 256) {
    prefetch_map(&queries);
    prefetch_map(&keys);
    prefetch_map(&values);
  }
  if (threadIdx.x == 0) {
    for (int group = 0; group < 2; ++group)
      for (int stage = 0; stage < S::stages; ++stage) {
        barrier_init(rings.full(group, stage), 1);
        barrier_init(rings.empty(group, stage), 4);  // one arrival of each warp
      }
    barrier_init(rings.query_full(), 1);
    barrier_init(rings.query_empty(), 8);
    fence_barrier_init();
  }
  __syncthreads();
  // The combining kernel may take its place early: it waits for this grid's end all the same.
  let_next_kernel_start();
  const int warpgroup = static_cast<int>(threadIdx.x) / 128;
  if (warpgroup == 2) {
    give_registers<24>();
    if (threadIdx.x == 256) attention::produce<S>(in, &queries, &keys, &values, rings, task);
  } else {
    take_registers<240>();
    if (warpgroup == 0)
      attention::Consumer<S, 0>(in, rings).run(task);
    else
      attention::Consumer<S, 1>(in, rings).run(task);
  }
}

}  // namespace afford::calibrate
