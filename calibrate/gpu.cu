#include <cuda_runtime.h>

#include "device.hpp"
#include "gpu.hpp"

namespace afford::calibrate {
namespace {

/// Memory of one GPU; zero when it cannot be opened (all of it in use, or in a forbidden mode).
void read_memory(Gpu& gpu) {
  size_t free = 0, total = 0;
  if (cudaSetDevice(gpu.index) != cudaSuccess || cudaMemGetInfo(&free, &total) != cudaSuccess) {
    (void)cudaGetLastError();
    return;
  }
  gpu.free_bytes = static_cast<double>(free);
}

}  // namespace

Driver find_gpus() {
  Driver found;
  (void)cudaRuntimeGetVersion(&found.runtime);
  (void)cudaDriverGetVersion(&found.driver);
  if (found.driver == 0) {
    found.error = "the NVIDIA driver is not installed";
    return found;
  }
  int count = 0;
  if (const cudaError_t status = cudaGetDeviceCount(&count); status != cudaSuccess) {
    found.error = cudaGetErrorString(status);
    return found;
  }
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties{};
    if (const cudaError_t status = cudaGetDeviceProperties(&properties, i); status != cudaSuccess) {
      found.error = cudaGetErrorString(status);
      return found;
    }
    Gpu gpu;
    gpu.index = i;
    gpu.name = properties.name;
    gpu.major = properties.major;
    gpu.minor = properties.minor;
    gpu.multiprocessors = properties.multiProcessorCount;
    gpu.memory_bytes = static_cast<double>(properties.totalGlobalMem);
    gpu.l2_bytes = static_cast<double>(properties.l2CacheSize);
    gpu.ecc = properties.ECCEnabled != 0;
    read_memory(gpu);
    found.gpus.push_back(gpu);
  }
  return found;
}

std::string pci_bus(int index) {
  char address[32] = "";
  if (cudaDeviceGetPCIBusId(address, sizeof address, index) != cudaSuccess) {
    (void)cudaGetLastError();
    return "";
  }
  return address;
}

void use_gpu(int index) { check(cudaSetDevice(index), "cudaSetDevice"); }

bool gpu_answers() {
  (void)cudaGetLastError();
  return cudaDeviceSynchronize() == cudaSuccess;
}

}  // namespace afford::calibrate
