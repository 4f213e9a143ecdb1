#pragma once
// Many tokens an expert: 128 tokens on the M side of the tensor core, 64 to each warpgroup, 256
// weight rows on N. A thread's sums belong to two tokens, so that the scales of FP8 are a few
// registers, not a load from shared memory for every sum.
//
// On an H200 this is bound by the 700 W cap: under sustained load the clock falls from 1.98 to 1.3
// or 1.4 GHz. Tried without gain: clusters of four that share tokens too, tokens in registers (RS),
// taking turns only after the sums are complete, asking weights into L2 ahead of the ring.

#include "moe_ring.cuh"
#include "warp.cuh"

namespace afford::calibrate::moe {

/// One of the two warpgroups that compute. Accumulator i belongs to weight row 8 * (i / 4) + 2 *
/// (lane % 4) + i % 2 and to the lower token (of two, 8 rows apart) where i / 2 is odd.
template <class S>
class TokensOnM {
 public:
  __device__ TokensOnM(const MoeInput& in, const Ring<S>& ring, unsigned char* memory)
      : in_(in),
        ring_(ring),
        memory_(memory),
        group_(static_cast<int>(threadIdx.x) / 128),
        warp_(static_cast<int>(threadIdx.x) % 128 / 32),
        lane_(static_cast<int>(threadIdx.x) % 32) {
    if (S::fp8 && group_ == 1) pass_turn();
  }

  [[nodiscard]] __device__ float& sum(int i) {
    if constexpr (S::fp8) return sum_[i / 64][i % 64];
    return sum_[0][i];
  }

  /// Sums up the next k_blocks stages.
  __device__ void multiply(int k_blocks) {
    if constexpr (S::fp8) {
#pragma unroll
      for (int i = 0; i < S::N; ++i) sum(i) = 0;
      for (int k = 0; k < k_blocks; ++k, place_.step()) {
        wait(ring_.full(place_.stage), place_.parity);
        sum_up(place_.stage);
      }
    } else {
      int before = 0;
      for (int k = 0; k < k_blocks; ++k, place_.step()) {
        wait(ring_.full(place_.stage), place_.parity);
        const uint64_t a = tokens(place_.stage), b = swizzled(ring_.weights(place_.stage));
        wgmma_fence();
#pragma unroll
        for (int step = 0; step < 4; ++step)
          Wgmma<256>::bf16(sum_[0], a + 2 * step, b + 2 * step, k | step);
        wgmma_commit();
        wgmma_wait<1>();
        if (k > 0) release<S>(ring_, before);
        before = place_.stage;
      }
      wgmma_wait<0>();
      keep(sum_[0]);
      release<S>(ring_, before);
    }
  }

  __device__ void finish(const MoeTile& tile) {
#pragma unroll
    for (int lower = 0; lower < 2; ++lower) {
      const int token = 64 * group_ + 16 * warp_ + 8 * lower + lane_ / 4;
      if constexpr (S::gate_up)
        activate(tile, token, lower);
      else
        store(tile, token, lower);
    }
  }

 private:
  [[nodiscard]] __device__ uint64_t tokens(int stage) const {
    return swizzled(ring_.tokens(stage) + group_ * 64 * 128);
  }

  /// The warpgroups issue to the tensor core in turn, so that one rather scales its sums while the
  /// other's are made: 2 to 3 % faster than left alone.
  __device__ void wait_for_turn() {
    if (group_ == 0)
      sync_threads<2, 256>();
    else
      sync_threads<3, 256>();
  }
  __device__ void pass_turn() {
    if (group_ == 0)
      arrive_threads<3, 256>();
    else
      arrive_threads<2, 256>();
  }

  /// A stage in FP8: each half of the weight rows summed by the tensor core, then scaled.
  __device__ void sum_up(int stage) {
    const float* scales =
        reinterpret_cast<const float*>(memory_ + S::at_scales + stage * S::scale_bytes);
    const uint64_t a = tokens(stage), b = swizzled(ring_.weights(stage));
    float scale[2][2];  // [lower token][which of the two scales of weights]
    const int token = 64 * group_ + 16 * warp_ + lane_ / 4;
#pragma unroll
    for (int i = 0; i < 4; ++i)
      scale[i / 2][i % 2] = scales[(token + 8 * (i / 2)) / 2 * 4 + token % 2 + 2 * (i % 2)];
    float part[64];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      wait_for_turn();
      wgmma_fence();
#pragma unroll
      for (int step = 0; step < 4; ++step)
        Wgmma<128>::fp8(part, a + 2 * step, b + half * (128 * 128 >> 4) + 2 * step, step);
      wgmma_commit();
      pass_turn();
      wgmma_wait<0>();
      keep(part);
      if (half == 1) release<S>(ring_, stage);
#pragma unroll
      for (int i = 0; i < 64; ++i)
        sum_[half][i] += part[i] * scale[i / 2 % 2][S::gate_up ? i / 4 % 2 : half];
    }
  }

  /// SwiGLU of this thread's 32 features of one token, in eights of four neighbours. Gate and up
  /// alternate in groups of eight accumulators' columns.
  __device__ void activate(const MoeTile& tile, int token, int lower) {
    const bool inside = token < tile.tokens;
    const int features = rows_of<S>(in_, tile) / 2;
    float most = 1e-10f;  // of a row of zeros
    // Feature 16 * w + 4 * (lane % 4) + 2 * e + m of half h stands in columns 64 * m + 16 * w of
    // that half.
#pragma unroll
    for (int h = 0; h < 2; ++h)
#pragma unroll
      for (int i = 0; i < 16; ++i) {
        float& gate = at(h, i / 4, i % 4 / 2, i % 2, false, lower);
        gate = silu<S::fp8>(gate) * at(h, i / 4, i % 4 / 2, i % 2, true, lower);
        if (64 * h < features) most = fmaxf(most, fabsf(gate));
      }
    const size_t row = static_cast<size_t>(tile.first_row + token);
    if constexpr (S::fp8) {
      most = quad_max(most);
      if (inside && lane_ % 4 == 0)
        in_.output_scales[static_cast<size_t>(tile.weight_tile) * in_.scale_stride + row] =
            most / 448;
    }
    const float scale = 448 / most;
    auto* to =
        static_cast<typename S::Element*>(in_.output) + row * in_.features + tile.weight_tile * 128;
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      if (64 * h >= features) continue;
      if constexpr (S::fp8)
        write_scaled(to + 64 * h, h, lower, scale, inside);
      else if (inside)
        write_features(to + 64 * h, h, lower);
    }
  }

  /// 64 features of one token in FP8. The four threads of a row exchange theirs, so that each
  /// writes 16 neighbours: half sectors cost L2 as much as whole ones.
  __device__ void write_scaled(__nv_fp8_e4m3* to, int h, int lower, float scale, bool inside) {
    uint32_t fours[4];
#pragma unroll
    for (int w = 0; w < 4; ++w)
      fours[w] =
          pack_fp8(at(h, w, 0, 0, false, lower) * scale, at(h, w, 0, 1, false, lower) * scale,
                   at(h, w, 1, 0, false, lower) * scale, at(h, w, 1, 1, false, lower) * scale);
    quad_transpose(fours);
    if (inside)
      *reinterpret_cast<uint4*>(to + lane_ % 4 * 16) =
          make_uint4(fours[0], fours[1], fours[2], fours[3]);
  }

  __device__ void write_features(__nv_bfloat16* to, int h, int lower) {
#pragma unroll
    for (int w = 0; w < 4; ++w)
      *reinterpret_cast<uint2*>(to + 16 * w + lane_ % 4 * 4) =
          make_uint2(pack_bf16(at(h, w, 0, 0, false, lower), at(h, w, 0, 1, false, lower)),
                     pack_bf16(at(h, w, 1, 0, false, lower), at(h, w, 1, 1, false, lower)));
  }

  /// Gate or up of feature (h, w, e, m) of a token: see weight_row.
  [[nodiscard]] __device__ float& at(int h, int w, int e, int m, bool up, int lower) {
    return sum(64 * h + 4 * (8 * m + 2 * w + (up ? 1 : 0)) + 2 * lower + e);
  }

  /// Eights of neighbouring features of one token, each a single store: two of eight bytes would
  /// leave every sector half written until the second comes.
  __device__ void store(const MoeTile& tile, int token, int lower) {
    if (token >= tile.tokens) return;
    const int rows = rows_of<S>(in_, tile);
    auto* to = static_cast<__nv_bfloat16*>(in_.output) +
               static_cast<size_t>(tile.first_row + token) * in_.features + tile.weight_tile * 256 +
               lane_ % 4 * 8;
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      if (128 * h >= rows) continue;
#pragma unroll
      for (int w = 0; w < 4; ++w) {
        uint32_t twos[4];
#pragma unroll
        for (int i = 0; i < 4; ++i)
          twos[i] =
              pack_bf16(at(h, w, i / 2, i % 2, false, lower), at(h, w, i / 2, i % 2, true, lower));
        *reinterpret_cast<uint4*>(to + 128 * h + 32 * w) =
            make_uint4(twos[0], twos[1], twos[2], twos[3]);
      }
    }
  }

  const MoeInput& in_;
  const Ring<S>& ring_;
  unsigned char* memory_;
  int group_, warp_, lane_;
  Place<S> place_;
  float sum_[S::fp8 ? 2 : 1][S::fp8 ? 64 : 128];
};

}  // namespace afford::calibrate::moe
