#pragma once
// An MLA cache as plain kernels see it, in BF16 or in FP8: its reference attention in FP32, and
// random entries.

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include "device.hpp"
#include "mla.cuh"
#include "mla_fp8.cuh"

namespace afford::calibrate {

/// Column d of a row of the cache.
template <bool fp8>
__device__ float cached(const unsigned char* row, int d) {
  if constexpr (!fp8) {
    return static_cast<float>(reinterpret_cast<const __nv_bfloat16*>(row)[d]);
  } else {
    if (d >= MlaShape::values)
      return static_cast<float>(
          reinterpret_cast<const __nv_bfloat16*>(row + MlaEntry::at_rotary)[d - MlaShape::values]);
    const auto* scales = reinterpret_cast<const float*>(row + MlaEntry::at_scales);
    return static_cast<float>(reinterpret_cast<const __nv_fp8_e4m3*>(row)[d]) *
           scales[d / MlaEntry::scaled];
  }
}

/// Plain attention of one query head in FP32; block (place in `requests`, place in `heads`).
/// `scores` has `stride` floats a block. `given`: queries of the blocks in turn, instead of those
/// of the input set; null: none.
template <bool fp8>
__global__ void reference_kernel(const int* requests, const int* heads, const float* given,
                                 const __nv_bfloat16* queries, MlaInput in, const int* lengths,
                                 float* scores, size_t stride, float* output) {
  using S = MlaShape;
  constexpr int row_bytes = fp8 ? MlaEntry::bytes : S::row_bytes;
  const int request = requests[blockIdx.x], head = heads[blockIdx.y],
            thread = static_cast<int>(threadIdx.x);
  const int length = lengths[request];
  const size_t block = static_cast<size_t>(blockIdx.x) * gridDim.y + blockIdx.y;
  const auto row_of = [&](int token) {
    const int row =
        in.pages == nullptr
            ? in.first_row[request] + token
            : in.pages[in.page_begin[request] + token / S::tile] * S::tile + token % S::tile;
    return in.cache + static_cast<size_t>(row) * row_bytes;
  };
  float* p = scores + block * stride;
  const __nv_bfloat16* q = queries + (static_cast<size_t>(request) * in.heads + head) * S::width;
  const float* f = given + block * S::width;
  float top = -INFINITY;
  for (int token = thread; token < length; token += S::values) {
    const unsigned char* row = row_of(token);
    float dot = 0;
    for (int d = 0; d < S::width; ++d)
      dot += (given != nullptr ? f[d] : static_cast<float>(q[d])) * cached<fp8>(row, d);
    p[token] = dot * in.scale;
    top = fmaxf(top, p[token]);
  }
  top = ptx::reduce_block<S::values>(top, [](float a, float b) { return fmaxf(a, b); });
  float sum = 0;
  for (int token = thread; token < length; token += S::values)
    sum += p[token] = exp2f(p[token] - top);
  sum = ptx::reduce_block<S::values>(sum, [](float a, float b) { return a + b; });
  float out = 0;
  for (int token = 0; token < length; ++token) out += p[token] * cached<fp8>(row_of(token), thread);
  output[block * S::values + thread] = out / sum;
}

/// Scales and rotary columns into entries; a thread for each element.
static __global__ void place_in_entries(unsigned char* entries, size_t rows, const float* scales,
                                        const __nv_bfloat16* rotary) {
  constexpr size_t blocks = MlaShape::values / MlaEntry::scaled, columns = 64;
  const size_t all = rows * (blocks + columns),
               threads = static_cast<size_t>(gridDim.x) * blockDim.x;
  for (size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < all;
       i += threads) {
    const size_t row = i / (blocks + columns), at = i % (blocks + columns);
    unsigned char* entry = entries + row * MlaEntry::bytes;
    if (at < blocks)
      reinterpret_cast<float*>(entry + MlaEntry::at_scales)[at] = scales[row * blocks + at];
    else
      reinterpret_cast<__nv_bfloat16*>(entry + MlaEntry::at_rotary)[at - blocks] =
          rotary[row * columns + at - blocks];
  }
}

/// Entries of about normal values, every block with a scale of its own.
inline void fill_entries(unsigned char* entries, size_t rows, unsigned seed) {
  constexpr float range = 100;  // of e4m3's 448: four deviations and a half
  const DeviceArray<float> scales(rows * (MlaShape::values / MlaEntry::scaled));
  const DeviceArray<__nv_bfloat16> rotary(rows * 64);
  fill_normal(reinterpret_cast<__nv_fp8_e4m3*>(entries), rows * MlaEntry::bytes, seed, range);
  fill_uniform(scales.data(), scales.size(), seed + 1, 0.5F / range, 1.5F / range);
  fill_normal(rotary.data(), rotary.size(), seed + 2, 1);
  place_in_entries<<<1024, 256>>>(entries, rows, scales.data(), rotary.data());
  check(cudaGetLastError(), "fill");
  check(cudaDeviceSynchronize(), "fill");
}

}  // namespace afford::calibrate
