#pragma once
// Host side of the CUDA kernels: checked calls, memory that frees itself, tensor maps, launches.

#include <cuda.h>
#include <cuda_bf16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace afford::calibrate {

/// A CUDA call that failed: what was being done, and the driver's words.
struct CudaError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw CudaError(std::string(what) + ": " + cudaGetErrorString(status));
}

/// An array of `size` elements in device memory.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  explicit DeviceArray(size_t size) : size_(size) {
    if (size > 0) check(cudaMalloc(&data_, size * sizeof(T)), "cudaMalloc");
  }
  explicit DeviceArray(const std::vector<T>& host) : DeviceArray(host.size()) {
    if (!host.empty())
      check(cudaMemcpy(data_, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice),
            "copy to device");
  }
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~DeviceArray() { cudaFree(data_); }

  [[nodiscard]] T* data() const { return static_cast<T*>(data_); }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] std::vector<T> to_host() const {
    std::vector<T> host(size_);
    check(cudaMemcpy(host.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost),
          "copy to host");
    return host;
  }
  /// Every byte 0xff: NaN in BF16, FP8 (e4m3) and FP32.
  void poison() { check(cudaMemset(data_, 0xff, size_ * sizeof(T)), "cudaMemset"); }
  void zero() { check(cudaMemset(data_, 0, size_ * sizeof(T)), "cudaMemset"); }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

/// Normally distributed values of standard deviation `scale`, the same for the same seed.
void fill_normal(__nv_bfloat16* data, size_t size, uint64_t seed, float scale);
void fill_normal(__nv_fp8_e4m3* data, size_t size, uint64_t seed, float scale);
void fill_normal(float* data, size_t size, uint64_t seed, float scale);
/// Uniform values in [low, high).
void fill_uniform(float* data, size_t size, uint64_t seed, float low, float high);

/// Map of a row-major array for tensor copies with the 128-byte swizzle (inner box of at most 128
/// bytes) or none. `sizes` and `box` from the innermost dimension; `strides` in bytes of all but
/// the innermost.
struct MapLayout {
  std::vector<uint64_t> sizes, strides;
  std::vector<uint32_t> box;
  bool swizzle = true;
};
[[nodiscard]] CUtensorMap make_map(const __nv_bfloat16* data, const MapLayout& layout);
[[nodiscard]] CUtensorMap make_map(const __nv_fp8_e4m3* data, const MapLayout& layout);
[[nodiscard]] CUtensorMap make_map(const float* data, const MapLayout& layout);

struct Launch {
  int blocks = 1, rows = 1, threads = 1;  // blocks: of a row of the grid
  size_t shared_bytes = 0;                // dynamic shared memory
  int cluster = 1;                        // blocks of a cluster
  bool dependent =
      false;  // may start before the kernel ahead of it ends (programmatic dependent launch)
};

/// A launch as the runtime takes it; holds the attributes it points to.
class LaunchConfig {
 public:
  LaunchConfig(const Launch& how, cudaStream_t stream) {
    config_.gridDim = dim3(static_cast<unsigned>(how.blocks), static_cast<unsigned>(how.rows));
    config_.blockDim = dim3(static_cast<unsigned>(how.threads));
    config_.dynamicSmemBytes = how.shared_bytes;
    config_.stream = stream;
    config_.attrs = attributes_;
    if (how.cluster > 1) {
      attributes_[config_.numAttrs].id = cudaLaunchAttributeClusterDimension;
      attributes_[config_.numAttrs++].val.clusterDim = {static_cast<unsigned>(how.cluster), 1, 1};
    }
    if (how.dependent) {
      attributes_[config_.numAttrs].id = cudaLaunchAttributeProgrammaticStreamSerialization;
      attributes_[config_.numAttrs++].val.programmaticStreamSerializationAllowed = 1;
    }
  }
  LaunchConfig(const LaunchConfig&) = delete;
  LaunchConfig& operator=(const LaunchConfig&) = delete;
  [[nodiscard]] const cudaLaunchConfig_t* get() const { return &config_; }

 private:
  cudaLaunchConfig_t config_{};
  cudaLaunchAttribute attributes_[2]{};
};

/// Launches a kernel; its dynamic shared memory must have been allowed once by `allow_shared`.
template <class... Parameters, class... Arguments>
void launch(const Launch& how, cudaStream_t stream, void (*kernel)(Parameters...),
            Arguments&&... arguments) {
  const LaunchConfig config(how, stream);
  check(cudaLaunchKernelEx(config.get(), kernel,
                           static_cast<Parameters>(std::forward<Arguments>(arguments))...),
        "kernel launch");
}

template <class Kernel>
void allow_shared(Kernel* kernel, size_t bytes) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes)),
        "shared memory of a kernel");
}

/// Lets a kernel run with as much of the L1 cache as shared memory as there is.
template <class Kernel>
void prefer_shared(Kernel* kernel) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout,
                             cudaSharedmemCarveoutMaxShared),
        "shared memory of a kernel");
}

[[nodiscard]] int multiprocessors();

/// |a - b| / |b| over `size` elements, in FP64 on the host; infinite when any element of `a` is not
/// finite.
[[nodiscard]] double relative_error(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace afford::calibrate
