#pragma once
// What the driver says of the GPUs of this machine. Plain structs: .cu files format no text.

#include <string>
#include <vector>

namespace afford::calibrate {

struct Gpu {
  int index = 0;
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  double memory_bytes = 0, free_bytes = 0;
  double l2_bytes = 0;
  bool ecc = false;
};

struct Driver {
  int driver = 0, runtime = 0;  // 13000 is CUDA 13.0
  std::vector<Gpu> gpus;
  std::string error;  // why there is none; empty otherwise
};

/// Asks the CUDA runtime; never throws.
[[nodiscard]] Driver find_gpus();

/// PCI bus address of a GPU, by which the management library knows it too; empty when there is
/// none. Takes no memory on the GPU. Not to be recorded: it tells machines apart.
[[nodiscard]] std::string pci_bus(int index);

/// Makes it the device of this thread. Throws CudaError.
void use_gpu(int index);

/// Whether the device still answers after a failed call; clears the error.
[[nodiscard]] bool gpu_answers();

}  // namespace afford::calibrate
