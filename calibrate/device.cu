#include <cudaTypedefs.h>

#include <cmath>
#include <limits>

#include "device.hpp"

namespace afford::calibrate {
namespace {

/// A counter-based generator (the finaliser of splitmix64): element i needs no state.
__device__ __forceinline__ uint64_t scramble(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

__device__ __forceinline__ float uniform(uint32_t bits) {
  return (static_cast<float>(bits) + 0.5f) * 0x1p-32f;
}

/// Box-Muller, one of the pair.
__device__ __forceinline__ float normal(uint64_t seed, uint64_t i) {
  const uint64_t bits = scramble(seed * 0x2545f4914f6cdd1du + i);
  const float u = uniform(static_cast<uint32_t>(bits)),
              v = uniform(static_cast<uint32_t>(bits >> 32));
  return sqrtf(-2.0f * __logf(u)) * __cosf(6.2831853f * v);
}

template <class T>
__global__ void normals(T* data, size_t size, uint64_t seed, float scale) {
  const size_t stride = size_t{gridDim.x} * blockDim.x;
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride)
    data[i] = static_cast<T>(scale * normal(seed, i));
}

__global__ void uniforms(float* data, size_t size, uint64_t seed, float low, float high) {
  const size_t stride = size_t{gridDim.x} * blockDim.x;
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride)
    data[i] = low + (high - low) *
                        uniform(static_cast<uint32_t>(scramble(seed * 0x2545f4914f6cdd1du + i)));
}

constexpr int fill_blocks = 1024, fill_threads = 256;

template <class T>
void fill(T* data, size_t size, uint64_t seed, float scale) {
  normals<<<fill_blocks, fill_threads>>>(data, size, seed, scale);
  check(cudaGetLastError(), "fill");
}

CUtensorMap encode(CUtensorMapDataType type, const void* data, const MapLayout& layout) {
  static const PFN_cuTensorMapEncodeTiled_v12000 encoder = [] {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult found{};
    check(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000,
                                           cudaEnableDefault, &found),
          "cuTensorMapEncodeTiled");
    if (found != cudaDriverEntryPointSuccess)
      throw CudaError("the driver has no tensor maps: CUDA 12 or later is needed");
    return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function);
  }();
  const std::vector<uint32_t> element_strides(layout.sizes.size(), 1);
  CUtensorMap map{};
  const CUresult status =
      encoder(&map, type, static_cast<cuuint32_t>(layout.sizes.size()), const_cast<void*>(data),
              layout.sizes.data(), layout.strides.data(), layout.box.data(), element_strides.data(),
              CU_TENSOR_MAP_INTERLEAVE_NONE,
              layout.swizzle ? CU_TENSOR_MAP_SWIZZLE_128B : CU_TENSOR_MAP_SWIZZLE_NONE,
              CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (status != CUDA_SUCCESS) throw CudaError("tensor map: driver error " + std::to_string(status));
  return map;
}

}  // namespace

void fill_normal(__nv_bfloat16* data, size_t size, uint64_t seed, float scale) {
  fill(data, size, seed, scale);
}
void fill_normal(__nv_fp8_e4m3* data, size_t size, uint64_t seed, float scale) {
  fill(data, size, seed, scale);
}
void fill_normal(float* data, size_t size, uint64_t seed, float scale) {
  fill(data, size, seed, scale);
}
void fill_uniform(float* data, size_t size, uint64_t seed, float low, float high) {
  uniforms<<<fill_blocks, fill_threads>>>(data, size, seed, low, high);
  check(cudaGetLastError(), "fill");
}

CUtensorMap make_map(const __nv_bfloat16* data, const MapLayout& layout) {
  return encode(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, data, layout);
}
CUtensorMap make_map(const __nv_fp8_e4m3* data, const MapLayout& layout) {
  return encode(CU_TENSOR_MAP_DATA_TYPE_UINT8, data, layout);
}
CUtensorMap make_map(const float* data, const MapLayout& layout) {
  return encode(CU_TENSOR_MAP_DATA_TYPE_FLOAT32, data, layout);
}

int multiprocessors() {
  int device = 0, count = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  check(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device),
        "multiprocessor count");
  return count;
}

double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    const double x = a[i], y = b[i];
    if (!std::isfinite(x)) return std::numeric_limits<double>::infinity();
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  return std::sqrt(difference / norm);
}

}  // namespace afford::calibrate
