#include <algorithm>

#include "fabric.hpp"
#include "glue.hpp"
#include "gpu.hpp"
#include "ptx.cuh"
#include "warp.cuh"

namespace afford::calibrate {
namespace {

constexpr int blocks = 32, threads = 512;

__device__ __forceinline__ void raise(int* flag, int value) {
  asm volatile("st.release.sys.global.b32 [%0], %1;" ::"l"(flag), "r"(value) : "memory");
}
__device__ __forceinline__ void wait_for(const int* flag, int value) {
  int now;
  do {
    asm volatile("ld.acquire.sys.global.b32 %0, [%1];" : "=r"(now) : "l"(flag) : "memory");
  } while (now < value);
}

__global__ void store_kernel(const uint4* from, uint4* to, size_t count) {
  const size_t stride = size_t{gridDim.x} * blockDim.x;
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += stride)
    to[i] = from[i];
}

/// One thread a block: its chunks come into shared memory and leave it again, `ahead` of them on
/// the way in while those before go out.
constexpr int bulk_stages = 4, bulk_ahead = 2;
constexpr uint32_t most_bulk_chunk = 16 << 10, least_bulk_chunk = 1 << 10;
__global__ void bulk_kernel(const char* from, char* to, size_t bytes, uint32_t chunk) {
  using namespace ptx;
  extern __shared__ __align__(128) unsigned char memory[];
  __shared__ uint64_t full[bulk_stages];
  const auto stage = [&](size_t i) {
    return shared_address(memory) + static_cast<uint32_t>(i % bulk_stages) * most_bulk_chunk;
  };
  const auto barrier = [&](size_t i) { return shared_address(full + i % bulk_stages); };
  const auto place = [&](size_t i) { return (i * gridDim.x + blockIdx.x) * chunk; };
  const auto size = [&](size_t i) {
    const size_t left = bytes - place(i);
    return left < chunk ? static_cast<uint32_t>(left) : chunk;
  };
  for (int i = 0; i < bulk_stages; ++i) barrier_init(barrier(i), 1);
  fence_barrier_init();
  const size_t all = (bytes + chunk - 1) / chunk,
               own = all > blockIdx.x ? (all - blockIdx.x - 1) / gridDim.x + 1 : 0;
  for (size_t i = 0; i < own + bulk_ahead; ++i) {
    if (i < own) {
      bulk_wait_read<bulk_stages - bulk_ahead - 1>();
      expect_bytes(barrier(i), size(i));
      bulk_load(stage(i), from + place(i), size(i), barrier(i), evict_first());
    }
    if (i < bulk_ahead) continue;
    const size_t out = i - bulk_ahead;
    if (out >= own) break;
    wait(barrier(out), out / bulk_stages & 1);
    bulk_store(to + place(out), stage(out), size(out));
    bulk_commit();
  }
  bulk_wait();
}

struct FanTargets {
  uint4* to[most_targets];
  int count;
};
__global__ void fan_kernel(const uint4* from, FanTargets targets, size_t count) {
  const size_t stride = size_t{gridDim.x} * blockDim.x;
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += stride) {
    const uint4 value = from[i];
    for (int t = 0; t < targets.count; ++t) targets.to[t][i] = value;
  }
}

__global__ void nothing_kernel() {}

__device__ __forceinline__ unsigned long long now_ns() {
  unsigned long long now;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  return now;
}
__global__ void stamp_kernel(unsigned long long* to) { *to = now_ns(); }

/// Who is first takes the time before it calls and after it is answered; the other when called.
__global__ void clock_kernel(Ping ping, unsigned long long* times) {
  for (int i = 0; i < ping.rounds; ++i) {
    const int value = ping.base + 1 + i;
    if (ping.first) {
      times[2 * i] = now_ns();
      raise(ping.other, value);
      wait_for(ping.mine, value);
      times[2 * i + 1] = now_ns();
    } else {
      wait_for(ping.mine, value);
      times[i] = now_ns();
      raise(ping.other, value);
    }
  }
}

__global__ void ping_kernel(Ping ping) {
  for (int value = ping.base + 1; value <= ping.base + ping.rounds; ++value) {
    if (ping.first) raise(ping.other, value);
    wait_for(ping.mine, value);
    if (!ping.first) raise(ping.other, value);
  }
}

/// Memory of every GPU, as one of them sees it.
struct Peers {
  uint4* parts[most_targets];  // [two in turn][GPU][vectors]
  int* flags[most_targets];    // [GPU][block]
  uint4* result;
  int* turns;  // of this GPU's blocks: launches so far
  int gpus, self;
  size_t room;  // vectors of a part
};

__device__ __forceinline__ uint4 add(const uint4& a, const uint4& b) {
  const uint32_t x[4] = {a.x, a.y, a.z, a.w}, y[4] = {b.x, b.y, b.z, b.w};
  uint32_t sum[4];
#pragma unroll
  for (int i = 0; i < 4; ++i)
    sum[i] =
        ptx::pack_bf16(__uint_as_float(x[i] << 16) + __uint_as_float(y[i] << 16),
                       __uint_as_float(x[i] & 0xffff0000u) + __uint_as_float(y[i] & 0xffff0000u));
  return make_uint4(sum[0], sum[1], sum[2], sum[3]);
}

/// Every block sends its share of the operand to the same block of every GPU, says so, waits for
/// theirs, and leaves the result. Two rooms in turn: who waits for turn t has read turn t - 2.
template <bool sum>
__global__ void __launch_bounds__(threads)
    collective_kernel(Peers all, const uint4* from, size_t vectors) {
  __shared__ int turn;
  if (threadIdx.x == 0) turn = ++all.turns[blockIdx.x];
  __syncthreads();
  const size_t stride = size_t{gridDim.x} * threads,
               first = size_t{blockIdx.x} * threads + threadIdx.x,
               half = (turn & 1) * all.gpus * all.room;
  for (int i = 1; i <= all.gpus; ++i) {
    const int gpu = (all.self + i) % all.gpus;
    uint4* to = all.parts[gpu] + half + all.self * all.room;
    for (size_t v = first; v < vectors; v += stride) to[v] = from[v];
  }
  __threadfence_system();
  __syncthreads();
  if (threadIdx.x < all.gpus) {
    raise(all.flags[threadIdx.x] + all.self * blocks + blockIdx.x, turn);
    wait_for(all.flags[all.self] + threadIdx.x * blocks + blockIdx.x, turn);
  }
  __syncthreads();
  const uint4* parts = all.parts[all.self] + half;
  for (size_t v = first; v < vectors; v += stride) {
    if (!sum) {
      for (int gpu = 0; gpu < all.gpus; ++gpu)
        all.result[gpu * vectors + v] = __ldcg(parts + gpu * all.room + v);
      continue;
    }
    uint4 total = __ldcg(parts + v);
    for (int gpu = 1; gpu < all.gpus; ++gpu) total = add(total, __ldcg(parts + gpu * all.room + v));
    all.result[v] = total;
  }
}

}  // namespace

void enqueue_store(const void* from, void* to, size_t bytes, cudaStream_t stream) {
  const size_t vectors = bytes / 16, wanted = (vectors + threads - 1) / threads;
  const auto used = static_cast<unsigned>(wanted < blocks ? wanted : blocks);
  store_kernel<<<used, threads, 0, stream>>>(static_cast<const uint4*>(from),
                                             static_cast<uint4*>(to), vectors);
  check(cudaGetLastError(), "stores");
}

void enqueue_bulk(const void* from, void* to, size_t bytes, cudaStream_t stream) {
  constexpr int shared_bytes = bulk_stages * static_cast<int>(most_bulk_chunk);
  allow_shared(bulk_kernel, shared_bytes);
  const size_t share = (bytes / blocks + 15) / 16 * 16;
  const auto chunk =
      static_cast<uint32_t>(std::clamp<size_t>(share, least_bulk_chunk, most_bulk_chunk));
  const size_t wanted = (bytes + chunk - 1) / chunk;
  const auto used = static_cast<unsigned>(wanted < blocks ? wanted : blocks);
  bulk_kernel<<<used, 1, shared_bytes, stream>>>(static_cast<const char*>(from),
                                                 static_cast<char*>(to), bytes, chunk);
  check(cudaGetLastError(), "bulk copy");
}

void enqueue_fan_out(const void* from, const std::vector<void*>& to, size_t bytes,
                     cudaStream_t stream) {
  FanTargets targets{};
  for (void* one : to) targets.to[targets.count++] = static_cast<uint4*>(one);
  const size_t vectors = bytes / 16, wanted = (vectors + threads - 1) / threads;
  const auto used = static_cast<unsigned>(wanted < blocks ? wanted : blocks);
  fan_kernel<<<used, threads, 0, stream>>>(static_cast<const uint4*>(from), targets, vectors);
  check(cudaGetLastError(), "stores to several GPUs");
}

void enqueue_nothing(cudaStream_t stream) {
  nothing_kernel<<<1, 32, 0, stream>>>();
  check(cudaGetLastError(), "empty kernel");
}

void enqueue_ping(const Ping& ping, cudaStream_t stream) {
  ping_kernel<<<1, 1, 0, stream>>>(ping);
  check(cudaGetLastError(), "flags");
}

void enqueue_stamp(unsigned long long* to, cudaStream_t stream) {
  stamp_kernel<<<1, 1, 0, stream>>>(to);
  check(cudaGetLastError(), "time stamp");
}

void enqueue_clock(const Ping& ping, unsigned long long* times, cudaStream_t stream) {
  clock_kernel<<<1, 1, 0, stream>>>(ping, times);
  check(cudaGetLastError(), "clocks");
}

PeerCollective::PeerCollective(int gpus, size_t most_bytes) : gpus_(gpus), most_bytes_(most_bytes) {
  const auto all = static_cast<size_t>(gpus);
  for (int gpu = 0; gpu < gpus; ++gpu) {
    use_gpu(gpu);
    parts_.emplace_back(2 * all * most_bytes);
    results_.emplace_back(all * most_bytes);
    flags_.emplace_back(all * blocks);
    turns_.emplace_back(blocks);
    flags_.back().zero(), turns_.back().zero();
    check(cudaDeviceSynchronize(), "flags");
  }
}

void PeerCollective::enqueue(int gpu, const void* from, size_t bytes, bool sum,
                             cudaStream_t stream) {
  const auto self = static_cast<size_t>(gpu);
  Peers all{};
  for (size_t i = 0; i < static_cast<size_t>(gpus_); ++i) {
    all.parts[i] = reinterpret_cast<uint4*>(parts_[i].data());
    all.flags[i] = flags_[i].data();
  }
  all.result = reinterpret_cast<uint4*>(results_[self].data());
  all.turns = turns_[self].data();
  all.gpus = gpus_, all.self = gpu, all.room = most_bytes_ / 16;
  const auto* vectors = static_cast<const uint4*>(from);
  if (sum)
    collective_kernel<true><<<blocks, threads, 0, stream>>>(all, vectors, bytes / 16);
  else
    collective_kernel<false><<<blocks, threads, 0, stream>>>(all, vectors, bytes / 16);
  check(cudaGetLastError(), "collective");
}

void PeerCollective::enqueue_gather(int gpu, const void* part, size_t bytes, cudaStream_t stream) {
  enqueue(gpu, part, bytes / static_cast<size_t>(gpus_), false, stream);
}

void PeerCollective::enqueue_sum(int gpu, const void* operand, size_t bytes, cudaStream_t stream) {
  enqueue(gpu, operand, bytes, true, stream);
}

const __nv_bfloat16* PeerCollective::result(int gpu) const {
  return reinterpret_cast<const __nv_bfloat16*>(results_[static_cast<size_t>(gpu)].data());
}

}  // namespace afford::calibrate
