#pragma once
// MLA decode over a cache in FP8 as DeepSeek's FlashMLA lays it out: an entry of 656 bytes has 512
// latent values in e4m3, the FP32 scales of each 128 of them, and 64 rotary values in BF16. The two
// warpgroups that compute are those of mla.cuh, on tiles in BF16. The third widens the latent
// values on their way from global memory, through registers, as queries and tiles fill the shared
// memory: while its warps widen one part of a tile, the next part is on its way into the same
// registers. The rotary columns come by tensor copies.

#include "mla.cuh"

namespace afford::calibrate {

struct MlaEntry {
  static constexpr int bytes = 656, at_scales = 512, at_rotary = 528;
  static constexpr int scaled = 128;  // values of a scale
};

namespace mla {

/// One of the four warps that fill tiles: 16 rows of each. A lane has 16 columns of every other
/// row, so that eight neighbours store to different banks.
class Widener {
 public:
  __device__ Widener(const MlaInput& in, const CUtensorMap* queries, const CUtensorMap* rotary,
                     Shared shared)
      : in_(in),
        queries_(queries),
        rotary_(rotary),
        shared_(shared),
        policy_(evict_first()),
        warp_(static_cast<int>(threadIdx.x) % 128 / 32),
        lane_(static_cast<int>(threadIdx.x) % 32) {}

  __device__ void run(int begin, int end) {
    Cursor<1> tiles(in_, 0, begin, end);
    if (tiles.done()) return;
    Tile now = tile_of(tiles);
    fetch_first(part_of(now, 0));
    for (int segments = 0;;) {
      if (tiles.starts()) load_queries(tiles.request(), segments++);
      tiles.advance();
      const Tile next = tile_of(tiles);
      widen(now, 0, part_of(now, 1));
      widen(now, 1, part_of(next, 0));  // behind the last tile in vain
      uses_ ^= 1 << now.w;
      if (tiles.done()) return;
      now = next;
    }
  }

 private:
  static constexpr int rounds = 4;  // of a half, of four rows each

  struct Tile {
    int row, w;  // first in the cache; place in its pair
  };
  __device__ static Tile tile_of(const Cursor<1>& tiles) { return {tiles.row(), tiles.place()}; }
  /// 256 columns of a tile in the cache.
  struct Source {
    int row, column;
  };
  /// First latent column of a part of tile w.
  __device__ static int column_of(int w, int part) { return 256 * (w ^ part); }
  __device__ static Source part_of(const Tile& tile, int part) {
    return {tile.row, column_of(tile.w, part)};
  }

  /// Of this lane in the first round, within the warp's rows; in each further one four below.
  __device__ int first_row() const { return lane_ / 16 * 2 + lane_ / 4 % 2; }
  /// An entry of the cache, which has room for a tile behind its last; of the warp's rows.
  __device__ const unsigned char* entry(const Source& from, int row) const {
    return in_.cache + static_cast<size_t>(from.row + 16 * warp_ + row) * MlaEntry::bytes;
  }
  /// Where this lane's values of the first round of a part stand.
  __device__ const unsigned char* values_at(const Source& from) const {
    return entry(from, first_row()) + from.column + 64 * (lane_ / 8 % 2) + 16 * (lane_ % 4);
  }
  __device__ void fetch(int half, int round, const unsigned char* from) {
    values_[half][round] =
        load_streamed(from + MlaEntry::scaled * half + 4 * round * MlaEntry::bytes, policy_);
  }
  __device__ void fetch_first(const Source& from) {
    fetch_scale(from);
#pragma unroll
    for (int i = 0; i < 2 * rounds; ++i) fetch(i / rounds, i % rounds, values_at(from));
  }
  /// Of row lane % 16, in the first or the second half.
  __device__ void fetch_scale(const Source& from) {
    const auto* scales =
        reinterpret_cast<const float*>(entry(from, lane_ % 16) + MlaEntry::at_scales);
    scale_ = __ldg(scales + from.column / MlaEntry::scaled + lane_ / 16);
  }

  // All lanes wait where one loads: a warp that parts there runs in two from then on.
  __device__ void load_queries(int request, int segment) {
    if (warp_ != 0) return;
    wait(shared_.query_empty(), (segment & 1) ^ 1);
    if (lane_ == 0) {
      expect_bytes(shared_.query_full(), S::tile_bytes);
#pragma unroll
      for (int i = 0; i < S::boxes; ++i)
        tensor_load(shared_.queries() + i * S::box_bytes, queries_, 64 * i, first_head(in_),
                    request, shared_.query_full(), evict_last());
    }
    __syncwarp();
  }
  __device__ void load_rotary(const Tile& tile) {
    if (warp_ == 0 && lane_ == 0) {
      const uint32_t full = shared_.full(tile.w, S::boxes - 1);
      expect_bytes(full, S::box_bytes);
      tensor_load(shared_.box(tile.w, S::boxes - 1), rotary_, 0, tile.row, full, policy_);
    }
    __syncwarp();
  }

  /// Puts the part that was fetched into its place in tile w as BF16, and fetches the next. Who
  /// reads it by tensor core fences: a fence here would wait for what is on its way.
  __device__ void widen(const Tile& tile, int part, const Source& next) {
    const int w = tile.w;
    wait(shared_.empty(w, part), (uses_ >> w & 1) ^ 1);
    if (part == 1) load_rotary(tile);
    const uint32_t scales = scale_of(scale_);
    fetch_scale(next);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int box = column_of(w, part) / 64 + 2 * half;
      widen_half(half, shared_.box(w, box + lane_ / 8 % 2), scales, values_at(next));
      __syncwarp();
      if (lane_ < 2) arrive(shared_.full(w, box + lane_));
      __syncwarp();
    }
  }
  __device__ void widen_half(int half, uint32_t box, uint32_t scales, const unsigned char* next) {
    // Two 16-byte columns of a row of 128 bytes, under the 128-byte swizzle.
    const uint32_t to =
        box + (16 * warp_ + first_row()) * 128 + ((2 * (lane_ % 4) ^ first_row()) << 4);
#pragma unroll
    for (int i = 0; i < rounds; ++i) {
      const uint32_t scale = __shfl_sync(~0u, scales, 16 * half + 4 * i + first_row());
      const uint4 v = values_[half][i];
      const int swizzle = 4 * i % 8 << 4;
      store_vector((to ^ swizzle) + 512 * i, widened(v.x, v.y, scale));
      store_vector((to ^ swizzle ^ 16) + 512 * i, widened(v.z, v.w, scale));
      fetch(half, i, next);
    }
  }

  /// What e4m3 values times their scale are in BF16: two of them, each in the low byte of a half.
  /// The bits of e4m3, denormal ones too, are those of a BF16 value smaller by a power of two,
  /// which `scale` makes up for. Converting instructions are slower: 3 cycles and more for each
  /// value.
  __device__ static uint32_t pair(uint32_t bytes, uint32_t scale) {
    const uint32_t bits = (bytes * 16 & 0x07f007f0) | (bytes * 256 & 0x80008000);
    uint32_t product;
    asm("mul.rn.bf16x2 %0, %1, %2;" : "=r"(product) : "r"(bits), "r"(scale));
    return product;
  }
  __device__ static uint4 widened(uint32_t low, uint32_t high, uint32_t scale) {
    constexpr uint32_t first = 0x4140, second = 0x4342;
    return make_uint4(
        pair(__byte_perm(low, 0, first), scale), pair(__byte_perm(low, 0, second), scale),
        pair(__byte_perm(high, 0, first), scale), pair(__byte_perm(high, 0, second), scale));
  }
  /// Twice in BF16, times what the exponents of BF16 and e4m3 are apart. Scales beyond 128, of
  /// values beyond 57344, are infinite.
  __device__ static uint32_t scale_of(float scale) {
    constexpr float apart = 0x1p120F;
    return pack_bf16(scale * apart, scale * apart);
  }

  const MlaInput& in_;
  const CUtensorMap *queries_, *rotary_;
  Shared shared_;
  uint64_t policy_;
  int warp_, lane_;
  int uses_ = 0;             // of each tile's place, modulo two
  uint4 values_[2][rounds];  // of the halves to widen next
  float scale_ = 0;
};

}  // namespace mla

__global__ void __launch_bounds__(MlaShape::threads, 1)
    mla_fp8_kernel(const __grid_constant__ MlaInput in, const __grid_constant__ CUtensorMap queries,
                   const __grid_constant__ CUtensorMap rotary) {
  using namespace ptx;
  constexpr int warps_of_a_tile = 4;
  extern __shared__ __align__(1024) unsigned char memory[];
  const mla::Shared shared{shared_address(memory)};
  mla::init_barriers(shared, warps_of_a_tile);
  const int share = static_cast<int>(blockIdx.x) / in.head_tiles;
  const int begin = in.block_begin[share], end = in.block_begin[share + 1];
  const int warpgroup = static_cast<int>(threadIdx.x) / 128;
  if (warpgroup == 2) {
    give_registers<88>();
    mla::Widener(in, &queries, &rotary, shared).run(begin, end);
  } else {
    take_registers<208>();
    if (warpgroup == 0)
      mla::Consumer<0, true>(in, shared).run(begin, end);
    else
      mla::Consumer<1, true>(in, shared).run(begin, end);
  }
  let_next_kernel_start();
}

}  // namespace afford::calibrate
