#pragma once
// What moves between the GPUs of a server, as kernels of our own: stores into another GPU's memory,
// flags between running kernels, and collectives for messages of decode size.

#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <vector>

#include "device.hpp"

namespace afford::calibrate {

/// Stores `bytes` (a multiple of 16) into `to`, which may be another GPU's.
void enqueue_store(const void* from, void* to, size_t bytes, cudaStream_t stream);

/// As enqueue_store, through shared memory by bulk copies, which one thread a block starts.
void enqueue_bulk(const void* from, void* to, size_t bytes, cudaStream_t stream);

/// Stores the same `bytes` into each of `to`, most_targets at most, in one kernel.
void enqueue_fan_out(const void* from, const std::vector<void*>& to, size_t bytes,
                     cudaStream_t stream);

/// One block of nothing: what depends on what.
void enqueue_nothing(cudaStream_t stream);

/// Raises `other` and waits for `mine`, `rounds` times from the value `base` on, which both flags
/// have; who is not `first` waits first.
struct Ping {
  int *mine = nullptr, *other = nullptr;
  int base = 0, rounds = 0;
  bool first = false;
};
void enqueue_ping(const Ping& ping, cudaStream_t stream);

/// Writes the GPU's clock in nanoseconds, which GPUs keep each for itself.
void enqueue_stamp(unsigned long long* to, cudaStream_t stream);
/// Both GPUs of a ping take the time: who is first [rounds][before it calls, after it is answered],
/// the other [rounds] when it is called.
void enqueue_clock(const Ping& ping, unsigned long long* times, cudaStream_t stream);

/// Gathering and summing over GPUs 0 to n - 1 by stores into each other's memory and flags, in one
/// kernel a GPU, which all have to run at the same time.
class PeerCollective {
 public:
  /// Room for results of `most_bytes`. Peer access must be on. Throws CudaError.
  PeerCollective(int gpus, size_t most_bytes);

  /// out[of every GPU] = the parts of all, `bytes` together (a multiple of 16 for each GPU).
  void enqueue_gather(int gpu, const void* part, size_t bytes, cudaStream_t stream);
  /// out[of every GPU] = the sum of all operands of `bytes`, BF16.
  void enqueue_sum(int gpu, const void* operand, size_t bytes, cudaStream_t stream);
  [[nodiscard]] const __nv_bfloat16* result(int gpu) const;

 private:
  void enqueue(int gpu, const void* from, size_t bytes, bool sum, cudaStream_t stream);

  int gpus_;
  size_t most_bytes_;
  std::vector<DeviceArray<unsigned char>> parts_;  // [two in turn][GPU it is from]...
  std::vector<DeviceArray<unsigned char>> results_;
  std::vector<DeviceArray<int>> flags_, turns_;
};

}  // namespace afford::calibrate
