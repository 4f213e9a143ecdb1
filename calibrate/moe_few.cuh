#pragma once
// Few tokens an expert: weights on the M side of the tensor core, tokens on N, so that the padding
// is to a multiple of 8 tokens only and each block streams 256 weight rows.

#include "moe_ring.cuh"

namespace afford::calibrate::moe {

/// One of the two warpgroups that compute: 128 weight rows as two blocks of 64.
template <class S>
class WeightsOnM {
 public:
  __device__ WeightsOnM(const MoeInput& in, const Ring<S>& ring, unsigned char* memory)
      : in_(in),
        ring_(ring),
        memory_(memory),
        group_(static_cast<int>(threadIdx.x) / 128),
        warp_(static_cast<int>(threadIdx.x) % 128 / 32),
        lane_(static_cast<int>(threadIdx.x) % 32) {}

  [[nodiscard]] __device__ float& sum(int i) { return sum_[i / count][i % count]; }

  /// Sums up the next k_blocks stages.
  __device__ void multiply(int k_blocks) {
    if constexpr (S::fp8) {
#pragma unroll
      for (int m = 0; m < 2; ++m)
#pragma unroll
        for (int i = 0; i < count; ++i) sum_[m][i] = 0;
      for (int k = 0; k < k_blocks; ++k, place_.step()) {
        wait(ring_.full(place_.stage), place_.parity);
        sum_up(place_.stage);
        release<S>(ring_, place_.stage);
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
        if (k > 0) release<S>(ring_, before);
        before = place_.stage;
      }
      wgmma_wait<0>();
      keep(sum_[0]);
      keep(sum_[1]);
      release<S>(ring_, before);
    }
  }

  __device__ void finish(const MoeTile& tile) {
    if constexpr (S::gate_up)
      activate(tile);
    else
      store(tile);
  }

 private:
  static constexpr int count = S::N / 2;  // accumulators of a block of 64 rows

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

  __device__ void sum_up(int stage) {
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

  /// Token of the tile of column pair j, first of the pair.
  [[nodiscard]] __device__ int column(int j) const { return 8 * j + 2 * (lane_ % 4); }

  /// SwiGLU of two neighbouring features (m = 0, 1) of each token, left in the gate's accumulators.
  __device__ void activate(const MoeTile& tile) {
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int j = 0; j < S::N / 8; ++j)
#pragma unroll
        for (int c = 0; c < 2; ++c)
          sum_[m][4 * j + c] = silu<S::fp8>(sum_[m][4 * j + c]) * sum_[m][4 * j + 2 + c];
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

  /// Scale of each token's 128 features, from the largest of them; returns the factors to multiply
  /// by.
  __device__ const float* reduce(const MoeTile& tile, bool inside) {
    constexpr float top = 448, least = 1e-10f;  // of e4m3; of a row of zeros
    auto* reduced = reinterpret_cast<float*>(memory_ + S::at_reduced);
#pragma unroll
    for (int j = 0; j < S::N / 8; ++j)
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        float most = inside ? fmaxf(fabsf(sum_[0][4 * j + c]), fabsf(sum_[1][4 * j + c])) : 0;
#pragma unroll
        for (int step = 4; step < 32; step *= 2)
          most = fmaxf(most, __shfl_xor_sync(~0u, most, step));
        if (lane_ < 4) reduced[(4 * group_ + warp_) * S::N + column(j) + c] = most;
      }
    sync_threads<1, 256>();
    for (int token = static_cast<int>(threadIdx.x); token < S::N; token += 256) {
      float most = least;
#pragma unroll
      for (int warp = 0; warp < 8; ++warp) most = fmaxf(most, reduced[warp * S::N + token]);
      reduced[8 * S::N + token] = top / most;
      if (token < tile.tokens)
        in_.output_scales[static_cast<size_t>(tile.weight_tile) * in_.scale_stride +
                          tile.first_row + token] = most / top;
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
        *reinterpret_cast<uint2*>(
            to + static_cast<size_t>(tile.first_row + column(j) + c) * in_.features + feature) =
            *reinterpret_cast<const uint2*>(pairs);
      }
  }

  const MoeInput& in_;
  const Ring<S>& ring_;
  unsigned char* memory_;
  int group_, warp_, lane_;
  Place<S> place_;
  float sum_[2][count];
};

}  // namespace afford::calibrate::moe
