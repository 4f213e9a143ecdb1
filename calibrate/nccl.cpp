#include "nccl.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <numeric>
#include <stdexcept>

namespace afford::calibrate {
namespace {

// Of NCCL's API reference (2.x): ncclBfloat16, ncclSum.
constexpr int bf16 = 9, sum = 0, success = 0;

}  // namespace

Nccl::Nccl(int gpus) {
  setenv("NCCL_NVLS_ENABLE", "0", 1);
  library_ = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) throw std::runtime_error("libnccl.so.2 is not in LD_LIBRARY_PATH");
  find(version_, "ncclGetVersion");
  find(init_all_, "ncclCommInitAll");
  find(destroy_, "ncclCommDestroy");
  find(error_text_, "ncclGetErrorString");
  find(group_start_, "ncclGroupStart");
  find(group_end_, "ncclGroupEnd");
  find(all_reduce_, "ncclAllReduce");
  find(all_gather_, "ncclAllGather");
  find(reduce_scatter_, "ncclReduceScatter");
  find(send_, "ncclSend");
  find(receive_, "ncclRecv");
  std::vector<int> devices(static_cast<size_t>(gpus));
  std::iota(devices.begin(), devices.end(), 0);
  comms_.resize(devices.size());
  check(init_all_(comms_.data(), gpus, devices.data()), "communicators");
}

Nccl::~Nccl() {
  for (const Comm comm : comms_) destroy_(comm);
}  // the library stays open: its kernels are loaded in the contexts

std::string Nccl::version() const {
  int number = 0;
  check(version_(&number), "version");  // 22809 is 2.28.9
  return fmt::format("{}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

void Nccl::start() const { check(group_start_(), "group"); }
void Nccl::end() const { check(group_end_(), "group"); }

void Nccl::all_reduce(int gpu, const void* from, void* to, size_t count,
                      cudaStream_t stream) const {
  check(all_reduce_(from, to, count, bf16, sum, comms_[static_cast<size_t>(gpu)], stream),
        "all-reduce");
}
void Nccl::all_gather(int gpu, const void* from, void* to, size_t count,
                      cudaStream_t stream) const {
  check(all_gather_(from, to, count, bf16, comms_[static_cast<size_t>(gpu)], stream), "all-gather");
}
void Nccl::reduce_scatter(int gpu, const void* from, void* to, size_t count,
                          cudaStream_t stream) const {
  check(reduce_scatter_(from, to, count, bf16, sum, comms_[static_cast<size_t>(gpu)], stream),
        "reduce-scatter");
}
void Nccl::send(int gpu, const void* from, size_t count, int to, cudaStream_t stream) const {
  check(send_(from, count, bf16, to, comms_[static_cast<size_t>(gpu)], stream), "send");
}
void Nccl::receive(int gpu, void* to, size_t count, int from, cudaStream_t stream) const {
  check(receive_(to, count, bf16, from, comms_[static_cast<size_t>(gpu)], stream), "receive");
}

template <class Function>
void Nccl::find(Function*& function, const char* symbol) {
  function = reinterpret_cast<Function*>(dlsym(library_, symbol));
  if (function == nullptr) throw std::runtime_error(fmt::format("NCCL has no {}", symbol));
}

void Nccl::check(int status, const char* what) const {
  if (status != success)
    throw std::runtime_error(fmt::format("NCCL {}: {}", what, error_text_(status)));
}

}  // namespace afford::calibrate
