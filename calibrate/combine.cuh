#pragma once
// Second kernel of a split-KV attention: weighs the partial results of each split unit.

#include <cuda_bf16.h>

#include "device.hpp"
#include "ptx.cuh"
#include "schedule.hpp"

namespace afford::calibrate {
namespace combining {

__device__ __forceinline__ float4 load_vector(const float* from) {
  return *reinterpret_cast<const float4*>(from);
}
/// Adds four dimensions of a partial result.
__device__ __forceinline__ void add_weighted(float4& sum, float& weight, float w, const float4& x) {
  sum.x += w * x.x, sum.y += w * x.y, sum.z += w * x.z, sum.w += w * x.w;
  weight += w;
}
__device__ __forceinline__ void store_mean(__nv_bfloat16* output, const float4& sum, float weight) {
  const float inverse = 1 / weight;
  auto* to = reinterpret_cast<__nv_bfloat162*>(output);
  to[0] = __floats2bfloat162_rn(sum.x * inverse, sum.y * inverse);
  to[1] = __floats2bfloat162_rn(sum.z * inverse, sum.w * inverse);
}

}  // namespace combining

/// Weighs the partial results of a split unit (blockIdx.y) by their log-sum-exp: units of few
/// parts. A row of D / 4 threads has a head of its own and walks through its parts.
template <int D>
__global__ void __launch_bounds__(256)
    combine_few(const Split* splits, int group, const float* partial, const float* partial_lse,
                __nv_bfloat16* output) {
  constexpr int columns = D / 4, rows = 256 / columns;
  const int head = static_cast<int>(blockIdx.x) * rows + static_cast<int>(threadIdx.x) / columns;
  const int dimension = 4 * (static_cast<int>(threadIdx.x) % columns);
  const Split split = splits[blockIdx.y];
  ptx::wait_for_previous_kernel();
  if (head >= group) return;
  const size_t first = static_cast<size_t>(split.first_partial) * group + head;
  float top = -INFINITY;
#pragma unroll 4
  for (int i = 0; i < split.partials; ++i)
    top = fmaxf(top, partial_lse[first + static_cast<size_t>(i) * group]);
  float4 sum{};
  float weight = 0;
#pragma unroll 4
  for (int i = 0; i < split.partials; ++i) {
    const size_t at = first + static_cast<size_t>(i) * group;
    combining::add_weighted(sum, weight, ptx::exp2_approx(partial_lse[at] - top),
                            combining::load_vector(partial + at * D + dimension));
  }
  combining::store_mean(output + (static_cast<size_t>(split.unit) * group + head) * D + dimension,
                        sum, weight);
}

constexpr int most_parts = 256;  // of a unit: more than there are multiprocessors

/// The same for units of many parts (at most `most_parts`): a block has one head and 64 dimensions,
/// and its 16 rows of threads share the parts.
template <int D>
__global__ void __launch_bounds__(256)
    combine_many(const Split* splits, int group, const float* partial, const float* partial_lse,
                 __nv_bfloat16* output) {
  constexpr int columns = 16, rows = 256 / columns, slices = D / 64;
  __shared__ float4 sums[rows][columns];
  __shared__ float weights[most_parts], tops[8], totals[rows];
  const int thread = static_cast<int>(threadIdx.x), column = thread % columns,
            row = thread / columns;
  const int head = static_cast<int>(blockIdx.x) / slices;
  const int dimension = static_cast<int>(blockIdx.x) % slices * 64 + 4 * column;
  const Split split = splits[blockIdx.y];
  ptx::wait_for_previous_kernel();
  const size_t first = static_cast<size_t>(split.first_partial) * group + head;
  const float lse = thread < split.partials
                        ? partial_lse[first + static_cast<size_t>(thread) * group]
                        : -INFINITY;
  float top = lse;
#pragma unroll
  for (int step = 16; step > 0; step /= 2) top = fmaxf(top, __shfl_xor_sync(~0u, top, step));
  if (thread % 32 == 0) tops[thread / 32] = top;
  __syncthreads();
#pragma unroll
  for (const float other : tops) top = fmaxf(top, other);
  weights[thread] = ptx::exp2_approx(lse - top);
  __syncthreads();
  float4 sum{};
  float weight = 0;
#pragma unroll 4
  for (int i = row; i < split.partials; i += rows)
    combining::add_weighted(
        sum, weight, weights[i],
        combining::load_vector(partial + (first + static_cast<size_t>(i) * group) * D + dimension));
  sums[row][column] = sum;
  if (column == 0) totals[row] = weight;
  __syncthreads();
  if (row > 0) return;
#pragma unroll
  for (int r = 1; r < rows; ++r) {
    const float4 x = sums[r][column];
    sum.x += x.x, sum.y += x.y, sum.z += x.z, sum.w += x.w;
    weight += totals[r];
  }
  combining::store_mean(output + (static_cast<size_t>(split.unit) * group + head) * D + dimension,
                        sum, weight);
}

/// What the combine kernels read: partial results [slot][group][D] with their log-sum-exp
/// [slot][group] (base 2), and where they write, [unit][group][D].
struct CombineInput {
  const Split* splits;
  int group;
  const float *partial, *partial_lse;
  __nv_bfloat16* output;
};

/// Once before the first launch. With another split of the L1 cache than the attention kernel's, a
/// multiprocessor would have to drain between the two.
template <int D>
void prepare_combine() {
  prefer_shared(combine_few<D>);
  prefer_shared(combine_many<D>);
}

/// Combines all split units of the schedule, those of many parts first; starts while the attention
/// kernel ends.
template <int D>
void launch_combine(const Schedule& schedule, CombineInput in, cudaStream_t stream) {
  const int units = static_cast<int>(schedule.splits.size()), many = units_of_many_parts(schedule);
  const auto start = [&](auto kernel, int blocks, int rows) {
    if (rows == 0) return;
    launch({.blocks = blocks, .rows = rows, .threads = 256, .dependent = true}, stream, kernel,
           in.splits, in.group, in.partial, in.partial_lse, in.output);
    in.splits += rows;
  };
  start(combine_many<D>, in.group * (D / 64), many);
  start(combine_few<D>, (in.group * D / 4 + 255) / 256, units - many);
}

}  // namespace afford::calibrate
