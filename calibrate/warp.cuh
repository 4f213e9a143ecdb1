#pragma once
// What the threads of a warp do with accumulator fragments: reductions over the four threads of a
// row, packing, and access to shared memory by address. And the reduction over a whole block of the
// plain references.

#include <cstdint>

namespace afford::calibrate::ptx {

__device__ __forceinline__ float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(~0u, x, 1));
  return fmaxf(x, __shfl_xor_sync(~0u, x, 2));
}
__device__ __forceinline__ float quad_sum(float x) {
  x += __shfl_xor_sync(~0u, x, 1);
  return x + __shfl_xor_sync(~0u, x, 2);
}
/// Transposes over the four threads of a row: thread i gets every thread's value i, in the order of
/// threads.
__device__ __forceinline__ void quad_transpose(uint32_t (&v)[4]) {
  const auto lane = static_cast<int>(threadIdx.x);
#pragma unroll
  for (int step = 1; step <= 2; step *= 2)
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      uint32_t &low = v[step == 1 ? 2 * i : i], &high = v[step == 1 ? 2 * i + 1 : i + 2];
      const bool upper = (lane & step) != 0;
      const uint32_t other = __shfl_xor_sync(~0u, upper ? low : high, step);
      low = upper ? other : low;
      high = upper ? high : other;
    }
}
__device__ __forceinline__ uint32_t pack_bf16(float low, float high) {
  uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}
__device__ __forceinline__ uint32_t pack_fp8(float a, float b, float c, float d) {
  uint32_t packed;
  asm("{\n.reg .b16 low, high;\ncvt.rn.satfinite.e4m3x2.f32 low, %2, "
      "%1;\ncvt.rn.satfinite.e4m3x2.f32 high, "
      "%4, %3;\n"
      "mov.b32 %0, {low, high};\n}\n"
      : "=r"(packed)
      : "f"(a), "f"(b), "f"(c), "f"(d));
  return packed;
}
__device__ __forceinline__ uint32_t load_shared(uint32_t address) {
  uint32_t value;
  asm volatile("ld.shared.b32 %0, [%1];" : "=r"(value) : "r"(address) : "memory");
  return value;
}
__device__ __forceinline__ float2 load_shared_pair(uint32_t address) {
  float2 value;
  asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];"
               : "=f"(value.x), "=f"(value.y)
               : "r"(address)
               : "memory");
  return value;
}
__device__ __forceinline__ void store_shared(uint32_t address, uint32_t value) {
  asm volatile("st.shared.b32 [%0], %1;" ::"r"(address), "r"(value) : "memory");
}
__device__ __forceinline__ void store_shared(uint32_t address, float x, float y) {
  asm volatile("st.shared.v2.f32 [%0], {%1, %2};" ::"r"(address), "f"(x), "f"(y) : "memory");
}
__device__ __forceinline__ void store_vector(uint32_t address, const uint4& v) {
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(address), "r"(v.x), "r"(v.y),
               "r"(v.z), "r"(v.w)
               : "memory");
}
/// Four 8 x 8 matrices of BF16; lane i gives the address of row i % 8 of matrix i / 8.
__device__ __forceinline__ void load_matrices(uint32_t (&m)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3])
               : "r"(address)
               : "memory");
}
__device__ __forceinline__ void store_matrices(uint32_t address, const uint32_t (&m)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address),
               "r"(m[0]), "r"(m[1]), "r"(m[2]), "r"(m[3])
               : "memory");
}

/// What `combine` makes of x over a block of `threads`, a power of two; every thread gets it.
template <int threads, class Combine>
__device__ float reduce_block(float x, Combine combine) {
  __shared__ float reduced[threads];
  const auto thread = static_cast<int>(threadIdx.x);
  reduced[thread] = x;
  __syncthreads();
  for (int step = threads / 2; step > 0; step /= 2) {
    if (thread < step) reduced[thread] = combine(reduced[thread], reduced[thread + step]);
    __syncthreads();
  }
  const float result = reduced[0];
  __syncthreads();
  return result;
}

}  // namespace afford::calibrate::ptx
