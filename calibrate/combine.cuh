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

/// What combining reads: partial results [slot][group][D] with their log-sum-exp [slot][group]
/// (base 2), and where it writes, [unit][group][D].
struct CombineInput {
  const Split* splits;
  int group;
  const float *partial, *partial_lse;
  __nv_bfloat16* output;
};

/// Weighs the partial results of a split unit by their log-sum-exp: units of few parts. A row of
/// D / 4 threads has a head of its own and walks through its parts; `block` of those of the unit.
template <int D>
__device__ void combine_few(const CombineInput& in, const Split& split, int block) {
  constexpr int columns = D / 4, rows = 256 / columns;
  const int group = in.group;
  const int head = block * rows + static_cast<int>(threadIdx.x) / columns;
  const int dimension = 4 * (static_cast<int>(threadIdx.x) % columns);
  if (head >= group) return;
  const size_t first = static_cast<size_t>(split.first_partial) * group + head;
  float top = -INFINITY;
#pragma unroll 4
  for (int i = 0; i < split.partials; ++i)
    top = fmaxf(top, in.partial_lse[first + static_cast<size_t>(i) * group]);
  float4 sum{};
  float weight = 0;
#pragma unroll 4
  for (int i = 0; i < split.partials; ++i) {
    const size_t at = first + static_cast<size_t>(i) * group;
    combining::add_weighted(sum, weight, ptx::exp2_approx(in.partial_lse[at] - top),
                            combining::load_vector(in.partial + at * D + dimension));
  }
  combining::store_mean(
      in.output + (static_cast<size_t>(split.unit) * group + head) * D + dimension, sum, weight);
}

constexpr int most_parts = 256;  // of a unit: more than there are multiprocessors

/// The same for units of many parts (at most `most_parts`): a block has one head and 64 dimensions,
/// and its 16 rows of threads share the parts.
template <int D>
__device__ void combine_many(const CombineInput& in, const Split& split, int block) {
  constexpr int columns = 16, rows = 256 / columns, slices = D / 64;
  const int group = in.group;
  __shared__ float4 sums[rows][columns];
  __shared__ float weights[most_parts], tops[8], totals[rows];
  const int thread = static_cast<int>(threadIdx.x), column = thread % columns,
            row = thread / columns;
  const int head = block / slices;
  const int dimension = block % slices * 64 + 4 * column;
  const size_t first = static_cast<size_t>(split.first_partial) * group + head;
  const float lse = thread < split.partials
                        ? in.partial_lse[first + static_cast<size_t>(thread) * group]
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
        combining::load_vector(in.partial + (first + static_cast<size_t>(i) * group) * D +
                               dimension));
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
  combining::store_mean(
      in.output + (static_cast<size_t>(split.unit) * group + head) * D + dimension, sum, weight);
}

/// Of a unit that few threads combine. With 512 dimensions (MLA) 8 parts already take 3 % of a call
/// more than by many, on 16 x 4K; with 256 they take 1 to 10 % less.
template <int D>
constexpr int few_parts = D > 256 ? 4 : 16;

/// Blocks that share a unit of many parts, of few.
template <int D>
__host__ __device__ constexpr int blocks_of_many(int group) {
  return group * (D / 64);
}
template <int D>
__host__ __device__ constexpr int blocks_of_few(int group) {
  return (group * D / 4 + 255) / 256;
}

/// Combines the split units, all as of few or of many parts.
template <int D, bool is_many>
__global__ void __launch_bounds__(256) combine_alike(CombineInput in) {
  ptx::let_next_kernel_start();
  const Split split = in.splits[blockIdx.y];
  ptx::wait_for_previous_kernel();
  if constexpr (is_many)
    combine_many<D>(in, split, static_cast<int>(blockIdx.x));
  else
    combine_few<D>(in, split, static_cast<int>(blockIdx.x));
}

/// Combines the split units, the first `many` of them as of many parts: in a mix of lengths one
/// launch costs less than two, one after the other.
template <int D>
__global__ void __launch_bounds__(256, 8) combine_both(CombineInput in, int many) {
  ptx::let_next_kernel_start();
  const int block = static_cast<int>(blockIdx.x), each = blocks_of_many<D>(in.group);
  const bool is_many = block < many * each;
  const int rest = block - many * each, few = blocks_of_few<D>(in.group);
  const Split split = in.splits[is_many ? block / each : many + rest / few];
  ptx::wait_for_previous_kernel();
  if (is_many)
    combine_many<D>(in, split, block % each);
  else
    combine_few<D>(in, split, rest % few);
}

/// Once before the first launch. With another split of the L1 cache than the attention kernel's, a
/// multiprocessor would have to drain between the two.
template <int D>
void prepare_combine() {
  prefer_shared(combine_alike<D, false>);
  prefer_shared(combine_alike<D, true>);
  prefer_shared(combine_both<D>);
}

/// Combines all split units of the schedule; starts while the attention kernel ends.
template <int D>
void launch_combine(const Schedule& schedule, const CombineInput& in, cudaStream_t stream) {
  const int few_each = blocks_of_few<D>(in.group), many_each = blocks_of_many<D>(in.group);
  const int units = static_cast<int>(schedule.splits.size()),
            many = units_of_many_parts(schedule, {few_parts<D>, few_each});
  Launch how{.blocks = few_each, .rows = units, .threads = 256, .dependent = true};
  if (many == 0) {
    launch(how, stream, combine_alike<D, false>, in);
  } else if (many == units) {
    how.blocks = many_each;
    launch(how, stream, combine_alike<D, true>, in);
  } else {
    how.blocks = many * many_each + (units - many) * few_each;
    how.rows = 1;
    launch(how, stream, combine_both<D>, in, many);
  }
}

}  // namespace afford::calibrate
