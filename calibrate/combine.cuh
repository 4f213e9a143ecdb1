#pragma once
// Second kernel of a split-KV attention: weighs the partial results of each split unit.

#include <cuda_bf16.h>

#include "ptx.cuh"
#include "schedule.hpp"

namespace afford::calibrate {

/// One block per head of a split unit (blockIdx.y): weighs its partial results by their log-sum-exp.
/// `threads` = 4 rows of D / 4 columns.
template <int D>
__global__ void combine_kernel(const Split* splits, int group, const float* partial, const float* partial_lse,
                               __nv_bfloat16* output) {
  constexpr int lanes = D / 4, rows = 4;
  __shared__ float4 sums[rows][lanes];
  __shared__ float weights[rows];
  const Split split = splits[blockIdx.y];
  const int head = static_cast<int>(blockIdx.x), lane = static_cast<int>(threadIdx.x) % lanes,
            row = static_cast<int>(threadIdx.x) / lanes;
  ptx::wait_for_previous_kernel();
  const float* lse = partial_lse + static_cast<size_t>(split.first_partial) * group + head;
  float top = -INFINITY;
  for (int i = 0; i < split.partials; ++i) top = fmaxf(top, lse[static_cast<size_t>(i) * group]);
  float4 sum{};
  float weight = 0;
  for (int i = row; i < split.partials; i += rows) {
    const float w = ptx::exp2_approx(lse[static_cast<size_t>(i) * group] - top);
    const float4 x = reinterpret_cast<const float4*>(
        partial + (static_cast<size_t>(split.first_partial + i) * group + head) * D)[lane];
    sum.x += w * x.x, sum.y += w * x.y, sum.z += w * x.z, sum.w += w * x.w;
    weight += w;
  }
  sums[row][lane] = sum;
  if (lane == 0) weights[row] = weight;
  __syncthreads();
  if (row > 0) return;
  for (int r = 1; r < rows; ++r) {
    const float4 x = sums[r][lane];
    sum.x += x.x, sum.y += x.y, sum.z += x.z, sum.w += x.w;
    weight += weights[r];
  }
  const float inverse = 1 / weight;
  auto* to = reinterpret_cast<__nv_bfloat162*>(output + (static_cast<size_t>(split.unit) * group + head) * D +
                                               4 * lane);
  to[0] = __floats2bfloat162_rn(sum.x * inverse, sum.y * inverse);
  to[1] = __floats2bfloat162_rn(sum.z * inverse, sum.w * inverse);
}

}  // namespace afford::calibrate
