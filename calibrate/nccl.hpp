#pragma once
// NCCL, opened at run time: only collectives need it, and GPU machines without PyTorch do not have
// it. Its header is not needed: the few functions used are declared here, as its reference has
// them.

#include <cuda_runtime_api.h>

#include <string>
#include <vector>

namespace afford::calibrate {

/// One communicator over GPUs 0 to n - 1 of this process. NVLS (multicast by the switch) is off:
/// a server that uses it is faster than what is measured here.
class Nccl {
 public:
  /// Opens libnccl.so.2 from the loader's path. Throws std::runtime_error with the reason.
  explicit Nccl(int gpus);
  ~Nccl();
  Nccl(const Nccl&) = delete;
  Nccl& operator=(const Nccl&) = delete;

  [[nodiscard]] std::string version() const;  // "2.28.9"

  // On one GPU's stream each, between start() and end(). `count` values of BF16: of the whole
  // vector (all_reduce), of each GPU's part (all_gather, reduce_scatter), of a message (send,
  // recv).
  void start() const;
  void end() const;
  void all_reduce(int gpu, const void* from, void* to, size_t count, cudaStream_t stream) const;
  void all_gather(int gpu, const void* from, void* to, size_t count, cudaStream_t stream) const;
  void reduce_scatter(int gpu, const void* from, void* to, size_t count, cudaStream_t stream) const;
  void send(int gpu, const void* from, size_t count, int to, cudaStream_t stream) const;
  void receive(int gpu, void* to, size_t count, int from, cudaStream_t stream) const;

 private:
  template <class Function>
  void find(Function*& function, const char* symbol);
  void check(int status, const char* what) const;

  using Comm = void*;
  void* library_ = nullptr;
  std::vector<Comm> comms_;
  int (*version_)(int*) = nullptr;
  int (*init_all_)(Comm*, int, const int*) = nullptr;
  int (*destroy_)(Comm) = nullptr;
  const char* (*error_text_)(int) = nullptr;
  int (*group_start_)() = nullptr;
  int (*group_end_)() = nullptr;
  int (*all_reduce_)(const void*, void*, size_t, int, int, Comm, cudaStream_t) = nullptr;
  int (*all_gather_)(const void*, void*, size_t, int, Comm, cudaStream_t) = nullptr;
  int (*reduce_scatter_)(const void*, void*, size_t, int, int, Comm, cudaStream_t) = nullptr;
  int (*send_)(const void*, size_t, int, int, Comm, cudaStream_t) = nullptr;
  int (*receive_)(void*, size_t, int, int, Comm, cudaStream_t) = nullptr;
};

}  // namespace afford::calibrate
