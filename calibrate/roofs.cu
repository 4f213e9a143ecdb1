#include <algorithm>
#include <cmath>

#include "device.hpp"
#include "ptx.cuh"
#include "roofs.hpp"
#include "wgmma.cuh"

namespace afford::calibrate {
namespace {

using namespace ptx;

constexpr int chunk_bytes = 32 << 10, stages = 6;  // a ring of 192 KB
constexpr int ring_bytes = chunk_bytes * stages;
constexpr int ring_shared_bytes = ring_bytes + stages * 8;
constexpr double rotating_bytes = 1e9;
constexpr int most_copies = 64;
constexpr uint64_t fill_seed = 11;

/// How an array is shared out: chunks go round the blocks, or (`in_parts`) each block has its
/// chunks one behind the other, as a block of attention has the cache of a request; what is left
/// after the last full round is shared evenly. Bytes are a multiple of 128 and make one full round
/// at least. The divisions are done on the host: a block has only some 1000 cycles a chunk.
struct Pieces {
  size_t bytes;
  uint32_t blocks, rounds, share;
  bool in_parts;

  Pieces(size_t all, int among, bool contiguous = false)
      : bytes(all), blocks(static_cast<uint32_t>(among)), in_parts(contiguous) {
    const size_t round = size_t{chunk_bytes} * blocks;
    rounds = static_cast<uint32_t>(bytes / round);
    share = static_cast<uint32_t>((bytes % round / 128 + blocks - 1) / blocks * 128);
  }
  __device__ size_t offset(uint32_t i, uint32_t block) const {
    if (i < rounds)
      return (in_parts ? size_t{block} * rounds + i : size_t{i} * blocks + block) * chunk_bytes;
    return size_t{rounds} * blocks * chunk_bytes + size_t{block} * share;
  }
  __device__ uint32_t size(uint32_t i, uint32_t block) const {
    if (i < rounds) return chunk_bytes;
    const size_t at = offset(i, block);
    return at >= bytes ? 0 : bytes - at < share ? static_cast<uint32_t>(bytes - at) : share;
  }
  __device__ uint32_t count(uint32_t block) const {
    return rounds + (size(rounds, block) > 0 ? 1 : 0);
  }
};

/// Goes through the pieces of a block, then in further passes through those of other blocks.
struct Cursor {
  Pieces pieces;
  uint32_t block, passes, i = 0;
  __device__ Cursor(const Pieces& all, int times)
      : pieces(all), block(blockIdx.x), passes(static_cast<uint32_t>(times)) {}
  __device__ bool done() const { return passes == 0; }
  __device__ size_t offset() const { return pieces.offset(i, block); }
  __device__ uint32_t size() const { return pieces.size(i, block); }
  __device__ void next() {
    if (++i < pieces.count(block)) return;
    i = 0, --passes, block = (block + 37) % pieces.blocks;
  }
};

__device__ __forceinline__ uint32_t shared_word(uint32_t address) {
  uint32_t word;
  asm volatile("ld.shared.u32 %0, [%1];" : "=r"(word) : "r"(address) : "memory");
  return word;
}

/// The barriers of a ring of loads. One thread does everything: it waits for a chunk and loads the
/// next one into its place.
struct Ring {
  uint32_t base;
  __device__ explicit Ring(void* memory) : base(shared_address(memory)) {
    for (int s = 0; s < stages; ++s) barrier_init(full(s), 1);
    fence_barrier_init();
  }
  __device__ uint32_t stage(uint32_t i) const { return base + i % stages * chunk_bytes; }
  __device__ uint32_t full(uint32_t i) const { return base + ring_bytes + i % stages * 8; }
  __device__ void load(uint32_t i, const char* from, uint32_t bytes, uint64_t policy) const {
    expect_bytes(full(i), bytes);
    bulk_load(stage(i), from, bytes, full(i), policy);
  }
  __device__ void wait_for(uint32_t i) const { wait(full(i), i / stages & 1); }
};

/// Reads the array `passes` times, each time by other blocks; the result of a block is the XOR of
/// the first words of its chunks.
template <bool resident>
__global__ void read_kernel(const char* data, Pieces pieces, int passes, uint32_t* result) {
  extern __shared__ __align__(1024) char memory[];
  if (threadIdx.x != 0) return;
  const Ring ring(memory);
  const uint64_t policy = resident ? evict_last() : evict_first();
  Cursor next(pieces, passes);
  uint32_t loaded = 0, sum = 0;
  const auto load = [&] {
    ring.load(loaded++, data + next.offset(), next.size(), policy);
    next.next();
  };
  while (loaded < stages && !next.done()) load();
  for (uint32_t i = 0; i < loaded; ++i) {
    ring.wait_for(i);
    sum ^= shared_word(ring.stage(i));
    if (!next.done()) load();
  }
  result[blockIdx.x] = sum;
}

/// What one block of read_kernel must find in one pass.
__global__ void read_reference(const char* data, Pieces pieces, uint32_t* result) {
  uint32_t sum = 0;
  for (Cursor at(pieces, 1); !at.done(); at.next())
    sum ^= *reinterpret_cast<const uint32_t*>(data + at.offset());
  result[blockIdx.x] = sum;
}

__host__ __device__ __forceinline__ uint32_t pattern(uint32_t word) {
  word = (word + 1) * 2654435761u;
  return word ^ word >> 15;
}

__global__ void write_kernel(char* data, Pieces pieces) {
  extern __shared__ __align__(1024) char memory[];
  auto* words = reinterpret_cast<uint32_t*>(memory);
  for (uint32_t i = threadIdx.x; i < chunk_bytes / 4; i += blockDim.x) words[i] = pattern(i);
  fence_async_shared();
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (Cursor at(pieces, 1); !at.done(); at.next()) {
    bulk_store(data + at.offset(), shared_address(memory), at.size());
    bulk_commit();
    bulk_wait_read<stages>();
  }
  bulk_wait_read<0>();
}

__global__ void count_wrong_writes(const char* data, Pieces pieces, unsigned* wrong) {
  for (Cursor at(pieces, 1); !at.done(); at.next()) {
    const auto* words = reinterpret_cast<const uint32_t*>(data + at.offset());
    for (uint32_t w = threadIdx.x; w < at.size() / 4; w += blockDim.x)
      if (words[w] != pattern(w)) atomicAdd(wrong, 1);
  }
}

/// Half of the ring is being filled while the other half is being stored.
__global__ void copy_kernel(const char* from, char* to, Pieces pieces) {
  extern __shared__ __align__(1024) char memory[];
  if (threadIdx.x != 0) return;
  constexpr int ahead = stages / 2;
  const Ring ring(memory);
  const uint64_t policy = evict_first();
  Cursor next(pieces, 1), at(pieces, 1);
  uint32_t loaded = 0;
  const auto load = [&] {
    ring.load(loaded++, from + next.offset(), next.size(), policy);
    next.next();
  };
  while (loaded < ahead && !next.done()) load();
  for (uint32_t i = 0; i < loaded; ++i, at.next()) {
    ring.wait_for(i);
    bulk_store(to + at.offset(), ring.stage(i), at.size());
    bulk_commit();
    bulk_wait_read<ahead>();  // chunk i + ahead takes the place of chunk i - ahead
    if (!next.done()) load();
  }
  bulk_wait_read<0>();
}

__global__ void count_differences(const uint32_t* a, const uint32_t* b, size_t words,
                                  unsigned* wrong) {
  const size_t stride = size_t{gridDim.x} * blockDim.x;
  for (size_t i = size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < words; i += stride)
    if (a[i] != b[i]) atomicAdd(wrong, 1);
}

/// Rotating sets of an array of `bytes`; those larger than any L2 cache many times over need but
/// one.
class Sets {
 public:
  Sets(double bytes, bool random, bool in_parts = false)
      : pieces(static_cast<size_t>(bytes) / 128 * 128, multiprocessors(), in_parts) {
    copies = std::clamp(static_cast<int>(std::ceil(rotating_bytes / bytes)), 1, most_copies);
    data_ = DeviceArray<__nv_bfloat16>(pieces.bytes / 2 * static_cast<size_t>(copies));
    if (random) fill_normal(data_.data(), data_.size(), fill_seed, 1);
  }
  [[nodiscard]] char* set(int copy) const {
    return reinterpret_cast<char*>(data_.data()) + static_cast<size_t>(copy) * pieces.bytes;
  }
  void poison() { data_.poison(); }

  Pieces pieces;
  int copies;

 private:
  DeviceArray<__nv_bfloat16> data_;
};

double exact(bool right) { return right ? 0 : INFINITY; }

class Read final : public Work {
 public:
  Read(double size, int passes, bool in_parts = false)
      : sets_(size, true, in_parts),
        passes_(passes),
        blocks_(multiprocessors()),
        result_(static_cast<size_t>(blocks_)) {
    copies = passes > 1 ? 1 : sets_.copies;
    bytes = static_cast<double>(sets_.pieces.bytes) * passes;
    tolerance = 0;
    kernel = passes > 1 ? "bulk copies, resident"
             : in_parts ? "bulk copies, a part a block"
                        : "bulk copies";
    allow_shared(read_kernel<false>, ring_shared_bytes);
    allow_shared(read_kernel<true>, ring_shared_bytes);
  }
  void enqueue(cudaStream_t stream, int copy) override {
    launch({.blocks = blocks_, .threads = 32, .shared_bytes = ring_shared_bytes}, stream,
           passes_ > 1 ? read_kernel<true> : read_kernel<false>, sets_.set(copy), sets_.pieces,
           passes_, result_.data());
  }
  double error() override {
    result_.poison();
    enqueue(nullptr, copies - 1);
    check(cudaDeviceSynchronize(), "read");
    const DeviceArray<uint32_t> expected(result_.size());
    read_reference<<<static_cast<unsigned>(blocks_), 1>>>(sets_.set(copies - 1), sets_.pieces,
                                                          expected.data());
    check(cudaGetLastError(), "reference read");
    // An even number of passes cancels out, so there are odd ones only.
    uint32_t have = 0, want = 0;
    for (const uint32_t x : result_.to_host()) have ^= x;
    for (const uint32_t x : expected.to_host()) want ^= x;
    return exact(have == want);
  }

 private:
  Sets sets_;
  int passes_, blocks_;
  DeviceArray<uint32_t> result_;
};

class Write final : public Work {
 public:
  explicit Write(double size) : sets_(size, false), blocks_(multiprocessors()) {
    copies = sets_.copies;
    bytes = static_cast<double>(sets_.pieces.bytes);
    tolerance = 0;
    kernel = "bulk copies";
    allow_shared(write_kernel, chunk_bytes);
  }
  void enqueue(cudaStream_t stream, int copy) override {
    launch({.blocks = blocks_, .threads = 128, .shared_bytes = chunk_bytes}, stream, write_kernel,
           sets_.set(copy), sets_.pieces);
  }
  double error() override {
    sets_.poison();
    enqueue(nullptr, copies - 1);
    DeviceArray<unsigned> wrong(1);
    wrong.zero();
    count_wrong_writes<<<static_cast<unsigned>(blocks_), 1024>>>(sets_.set(copies - 1),
                                                                 sets_.pieces, wrong.data());
    check(cudaGetLastError(), "reference write");
    return exact(wrong.to_host()[0] == 0);
  }

 private:
  Sets sets_;
  int blocks_;
};

class Copy final : public Work {
 public:
  explicit Copy(double size)
      : from_(size / 2, true), to_(size / 2, false), blocks_(multiprocessors()) {
    copies = from_.copies;
    bytes = 2 * static_cast<double>(from_.pieces.bytes);
    tolerance = 0;
    kernel = "bulk copies";
    allow_shared(copy_kernel, ring_shared_bytes);
  }
  void enqueue(cudaStream_t stream, int copy) override {
    launch({.blocks = blocks_, .threads = 32, .shared_bytes = ring_shared_bytes}, stream,
           copy_kernel, from_.set(copy), to_.set(copy), from_.pieces);
  }
  double error() override {
    to_.poison();
    enqueue(nullptr, copies - 1);
    DeviceArray<unsigned> wrong(1);
    wrong.zero();
    count_differences<<<1024, 256>>>(reinterpret_cast<const uint32_t*>(from_.set(copies - 1)),
                                     reinterpret_cast<const uint32_t*>(to_.set(copies - 1)),
                                     from_.pieces.bytes / 4, wrong.data());
    check(cudaGetLastError(), "reference copy");
    return exact(wrong.to_host()[0] == 0);
  }

 private:
  Sets from_, to_;
  int blocks_;
};

// --- tensor cores

constexpr int tile_m = 128, tile_n = 256, k_tiles = 4;  // of 128 bytes; all in shared memory
constexpr int a_bytes = tile_m * 128, b_bytes = tile_n * 128;
constexpr int tensor_shared_bytes = k_tiles * (a_bytes + b_bytes) + 1024;
constexpr int tensor_rounds = 700;  // about 2 ms

/// Copies 128-byte column `tile` of a row-major operand of `rows` rows into shared memory,
/// swizzled.
template <class Element>
__device__ void stage_operand(char* to, const Element* from, int rows, int tile) {
  constexpr int row_bytes = k_tiles * 128;
  for (int i = static_cast<int>(threadIdx.x); i < rows * 8; i += static_cast<int>(blockDim.x)) {
    const int row = i / 8, part = i % 8;
    *reinterpret_cast<uint4*>(to + row * 128 + ((part ^ (row & 7)) << 4)) =
        *reinterpret_cast<const uint4*>(reinterpret_cast<const char*>(from) + row * row_bytes +
                                        tile * 128 + part * 16);
  }
}

/// out = rounds * A B^T, of block 0; A [128][K], B [256][K] with K in four tiles of 128 bytes.
template <class Element>
__global__ void __launch_bounds__(256, 1)
    tensor_kernel(const Element* a, const Element* b, int rounds, float* out) {
  extern __shared__ char memory[];
  char* base = memory + (1024 - (shared_address(memory) & 1023)) % 1024;
  for (int tile = 0; tile < k_tiles; ++tile) {
    stage_operand(base + tile * a_bytes, a, tile_m, tile);
    stage_operand(base + k_tiles * a_bytes + tile * b_bytes, b, tile_n, tile);
  }
  fence_async_shared();
  __syncthreads();
  const int group = static_cast<int>(threadIdx.x) / 128,
            thread = static_cast<int>(threadIdx.x) % 128;
  const uint32_t a_at = shared_address(base) + static_cast<uint32_t>(group) * (a_bytes / 2),
                 b_at = shared_address(base) + k_tiles * a_bytes;
  float d[tile_n / 2];
#pragma unroll
  for (float& x : d) x = 0;
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int tile = 0; tile < k_tiles; ++tile) {
      const uint64_t at_a = swizzled(a_at + static_cast<uint32_t>(tile) * a_bytes),
                     at_b = swizzled(b_at + static_cast<uint32_t>(tile) * b_bytes);
      wgmma_fence();
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const auto step = static_cast<uint64_t>(2 * k);
        if constexpr (sizeof(Element) == 1)
          Wgmma<tile_n>::fp8(d, at_a + step, at_b + step, 1);
        else
          Wgmma<tile_n>::bf16(d, at_a + step, at_b + step, 1);
      }
      wgmma_commit();
      wgmma_wait<1>();
    }
  }
  wgmma_wait<0>();
  keep(d);
  if (blockIdx.x != 0) return;
  const int row = group * 64 + thread / 32 * 16 + thread % 32 / 4;
#pragma unroll
  for (int i = 0; i < tile_n / 2; ++i)
    out[(row + i / 2 % 2 * 8) * tile_n + i / 4 * 8 + 2 * (thread % 4) + i % 2] = d[i];
}

template <class Element>
__global__ void tensor_reference(const Element* a, const Element* b, int k, float* out) {
  const int m = static_cast<int>(blockIdx.x), n = static_cast<int>(threadIdx.x);
  float sum = 0;
  for (int i = 0; i < k; ++i)
    sum += static_cast<float>(a[m * k + i]) * static_cast<float>(b[n * k + i]);
  out[m * tile_n + n] = sum;
}

template <class Element>
class Tensor final : public Work {
 public:
  Tensor()
      : blocks_(multiprocessors()),
        a_(size_t{tile_m} * k),
        b_(size_t{tile_n} * k),
        out_(tile_m * tile_n) {
    fill_normal(a_.data(), a_.size(), fill_seed, 1);
    fill_normal(b_.data(), b_.size(), fill_seed + 1, 1);
    flops = padded_flops = 2.0 * tile_m * tile_n * k * tensor_rounds * blocks_;
    kernel = "wgmma m64n256 in shared memory";
    allow_shared(tensor_kernel<Element>, tensor_shared_bytes);
  }
  void enqueue(cudaStream_t stream, int) override { run(stream, tensor_rounds); }
  double error() override {
    out_.poison();
    run(nullptr, 1);
    check(cudaDeviceSynchronize(), "tensor loop");
    const DeviceArray<float> expected(out_.size());
    tensor_reference<<<tile_m, tile_n>>>(a_.data(), b_.data(), k, expected.data());
    check(cudaGetLastError(), "reference product");
    return relative_error(out_.to_host(), expected.to_host());
  }

 private:
  static constexpr int k = k_tiles * 128 / static_cast<int>(sizeof(Element));

  void run(cudaStream_t stream, int rounds) {
    launch({.blocks = blocks_, .threads = 256, .shared_bytes = tensor_shared_bytes}, stream,
           tensor_kernel<Element>, a_.data(), b_.data(), rounds, out_.data());
  }

  int blocks_;
  DeviceArray<Element> a_, b_;
  DeviceArray<float> out_;
};

// --- launches

__global__ void empty_kernel() {}
__global__ void empty_dependent_kernel() {
  wait_for_previous_kernel();
  let_next_kernel_start();
}

class Empty final : public Work {
 public:
  explicit Empty(bool dependent) : dependent_(dependent), blocks_(multiprocessors()) {
    kernel = "empty";
    tolerance = 0;
  }
  void enqueue(cudaStream_t stream, int) override {
    launch({.blocks = blocks_, .threads = 128, .dependent = dependent_}, stream,
           dependent_ ? empty_dependent_kernel : empty_kernel);
  }
  /// Nothing is computed; that it runs is all.
  double error() override {
    enqueue(nullptr, 0);
    return exact(cudaDeviceSynchronize() == cudaSuccess);
  }

 private:
  bool dependent_;
  int blocks_;
};

}  // namespace

std::unique_ptr<Work> make_read(double bytes) { return std::make_unique<Read>(bytes, 1); }
std::unique_ptr<Work> make_read_parts(double bytes) {
  return std::make_unique<Read>(bytes, 1, true);
}
std::unique_ptr<Work> make_write(double bytes) { return std::make_unique<Write>(bytes); }
std::unique_ptr<Work> make_copy(double bytes) { return std::make_unique<Copy>(bytes); }
std::unique_ptr<Work> make_l2_read(double resident, double bytes) {
  const int passes = static_cast<int>(std::ceil(bytes / resident));
  return std::make_unique<Read>(resident, std::max(3, passes | 1));
}
std::unique_ptr<Work> make_tensor(Precision precision) {
  if (precision == Precision::fp8) return std::make_unique<Tensor<__nv_fp8_e4m3>>();
  return std::make_unique<Tensor<__nv_bfloat16>>();
}
std::unique_ptr<Work> make_empty(bool dependent) { return std::make_unique<Empty>(dependent); }

}  // namespace afford::calibrate
