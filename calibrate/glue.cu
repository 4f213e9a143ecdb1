#include "device.hpp"
#include "glue.hpp"
#include "warp.cuh"

namespace afford::calibrate {
namespace {

constexpr int block = 128;  // values that share a scale
constexpr float largest_fp8 = 448;

/// Eight BF16 values, as they are loaded.
struct Eight {
  float v[8];
};
__device__ __forceinline__ Eight load_eight(const __nv_bfloat16* from) {
  const uint4 raw = *reinterpret_cast<const uint4*>(from);
  const uint32_t words[4] = {raw.x, raw.y, raw.z, raw.w};
  Eight out;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    out.v[2 * i] = __uint_as_float(words[i] << 16);
    out.v[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
  }
  return out;
}
__device__ __forceinline__ void store_eight(__nv_bfloat16* to, const Eight& x) {
  *reinterpret_cast<uint4*>(to) =
      make_uint4(ptx::pack_bf16(x.v[0], x.v[1]), ptx::pack_bf16(x.v[2], x.v[3]),
                 ptx::pack_bf16(x.v[4], x.v[5]), ptx::pack_bf16(x.v[6], x.v[7]));
}

/// Eight values in FP8, and the scale of the 128 that 16 neighbouring threads hold.
struct Quantised {
  uint2 values;
  float scale;
};
__device__ __forceinline__ Quantised quantise(const Eight& x) {
  float largest = 0;
#pragma unroll
  for (const float v : x.v) largest = fmaxf(largest, fabsf(v));
  const unsigned group = 0xffffu << (threadIdx.x & 16);
#pragma unroll
  for (int step = 8; step > 0; step /= 2)
    largest = fmaxf(largest, __shfl_xor_sync(group, largest, step));
  const float scale = fmaxf(largest, 1e-12f) / largest_fp8, up = 1 / scale;
  return {make_uint2(ptx::pack_fp8(x.v[0] * up, x.v[1] * up, x.v[2] * up, x.v[3] * up),
                     ptx::pack_fp8(x.v[4] * up, x.v[5] * up, x.v[6] * up, x.v[7] * up)),
          scale};
}

template <int threads>
__device__ float block_sum(float x) {
  __shared__ float warps[threads / 32];
#pragma unroll
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(~0u, x, step);
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = x;
  __syncthreads();
  float sum = 0;
#pragma unroll
  for (const float part : warps) sum += part;
  return sum;
}

constexpr int norm_threads = 512, norm_vectors = 2;  // eight values each: rows of up to 8192
constexpr float epsilon = 1e-6f;

__global__ void __launch_bounds__(norm_threads) norm_kernel(NormCall call) {
  const int row = static_cast<int>(blockIdx.x), vectors = call.width / 8;
  const size_t at = static_cast<size_t>(row) * call.width;
  Eight x[norm_vectors];
  float squares = 0;
#pragma unroll
  for (int i = 0; i < norm_vectors; ++i) {
    const int vector = i * norm_threads + static_cast<int>(threadIdx.x);
    if (vector >= vectors) break;
    x[i] = load_eight(call.input + static_cast<size_t>(row) * call.input_stride + 8 * vector);
    for (int p = 0; p < call.partials; ++p) {
      const Eight more = load_eight(call.partial + static_cast<size_t>(p) * call.rows * call.width +
                                    at + 8 * vector);
#pragma unroll
      for (int j = 0; j < 8; ++j) x[i].v[j] += more.v[j];
    }
    if (call.sum != nullptr) store_eight(call.sum + at + 8 * vector, x[i]);
#pragma unroll
    for (const float v : x[i].v) squares += v * v;
  }
  const float scale =
      rsqrtf(block_sum<norm_threads>(squares) / static_cast<float>(call.width) + epsilon);
#pragma unroll
  for (int i = 0; i < norm_vectors; ++i) {
    const int vector = i * norm_threads + static_cast<int>(threadIdx.x);
    if (vector >= vectors) break;  // whole groups of 16 threads: the width is a multiple of 128
    const Eight gain = load_eight(call.gain + 8 * vector);
#pragma unroll
    for (int j = 0; j < 8; ++j) x[i].v[j] *= scale * gain.v[j];
    if (call.normed != nullptr) store_eight(call.normed + at + 8 * vector, x[i]);
    if (call.precision == Precision::bf16) {
      for (int t = 0; t < call.target_count; ++t)
        store_eight(static_cast<__nv_bfloat16*>(call.targets[t].values) + at + 8 * vector, x[i]);
      continue;
    }
    if (call.target_count == 0) continue;
    const Quantised q = quantise(x[i]);
    for (int t = 0; t < call.target_count; ++t) {
      *reinterpret_cast<uint2*>(static_cast<char*>(call.targets[t].values) + at + 8 * vector) =
          q.values;
      if (threadIdx.x % 16 == 0)
        call.targets[t].scales[static_cast<size_t>(vector / 16) * call.scales.block_stride +
                               static_cast<size_t>(row) * call.scales.row_stride] = q.scale;
    }
  }
}

__global__ void quantise_kernel(QuantiseCall call) {
  const size_t vector = size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const auto in_row = static_cast<size_t>(call.width / 8);
  const size_t row = vector / in_row;
  if (row >= static_cast<size_t>(call.rows)) return;  // whole groups of 16 threads
  const Quantised q = quantise(load_eight(call.input + 8 * vector));
  reinterpret_cast<uint2*>(call.target.values)[vector] = q.values;
  if (threadIdx.x % 16 == 0)
    call.target
        .scales[vector % in_row / 16 * call.scales.block_stride + row * call.scales.row_stride] =
        q.scale;
}

template <class Element>
__device__ __forceinline__ void turn(const __nv_bfloat16* from, const float2* turns, int dim,
                                     Element* to) {
  for (int i = static_cast<int>(threadIdx.x) % 32; i < dim / 2; i += 32) {
    const float a = __bfloat162float(from[i]), b = __bfloat162float(from[i + dim / 2]);
    const float2 t = turns[i];
    to[i] = static_cast<Element>(a * t.x - b * t.y);
    to[i + dim / 2] = static_cast<Element>(b * t.x + a * t.y);
  }
}

constexpr int warps = 8;  // of a block, one a head

template <class Element>
__global__ void rotary_kernel(RotaryCall call) {
  const auto row = static_cast<size_t>(blockIdx.x);
  const int head = static_cast<int>(blockIdx.y * warps + threadIdx.x / 32),
            lane = static_cast<int>(threadIdx.x) % 32, dim = call.dim;
  const float2* turns = call.turns + row * (dim / 2);
  if (head < call.query_heads) {
    turn(call.queries + row * call.query_stride + head * dim, turns, dim,
         static_cast<Element*>(call.queries_out) + (row * call.query_heads + head) * dim);
  } else if (head < call.query_heads + call.kv_heads) {
    const int kv = head - call.query_heads;
    const auto place = static_cast<size_t>(call.cache_rows[row * call.kv_heads + kv]) * dim;
    turn(call.keys + row * call.kv_stride + kv * dim, turns, dim,
         static_cast<Element*>(call.key_cache) + place);
    const __nv_bfloat16* value = call.values + row * call.kv_stride + kv * dim;
    for (int i = lane; i < dim; i += 32)
      static_cast<Element*>(call.value_cache)[place + i] =
          static_cast<Element>(__bfloat162float(value[i]));
  }
}

__global__ void latent_rotary_kernel(LatentRotaryCall call) {
  const auto row = static_cast<size_t>(blockIdx.x);
  const int head = static_cast<int>(blockIdx.y * warps + threadIdx.x / 32),
            lane = static_cast<int>(threadIdx.x) % 32, width = call.latent + call.rope;
  const float2* turns = call.turns + row * (call.rope / 2);
  if (head < call.heads) {
    const size_t at = row * call.heads + head;
    turn(call.queries + (at + 1) * call.query_width - call.rope, turns, call.rope,
         call.queries_out + at * width + call.latent);
  } else if (head == call.heads) {
    const __nv_bfloat16* latent = call.kv + row * call.kv_stride;
    __nv_bfloat16* to = call.cache + static_cast<size_t>(call.cache_rows[row]) * width;
    float squares = 0;
    for (int i = lane; i < call.latent; i += 32) {
      const float x = __bfloat162float(latent[i]);
      squares += x * x;
    }
    for (int step = 16; step > 0; step /= 2) squares += __shfl_xor_sync(~0u, squares, step);
    const float scale = rsqrtf(squares / static_cast<float>(call.latent) + epsilon);
    for (int i = lane; i < call.latent; i += 32)
      to[i] =
          __float2bfloat16(__bfloat162float(latent[i]) * scale * __bfloat162float(call.gain[i]));
    turn(latent + call.latent, turns, call.rope, to + call.latent);
  }
}

constexpr int most_experts = 512, each_lane = most_experts / 32, most_active = 32;

/// One warp a row.
__global__ void top_k_kernel(TopKCall call) {
  const int row = static_cast<int>(blockIdx.x * warps + threadIdx.x / 32),
            lane = static_cast<int>(threadIdx.x) % 32;
  if (row >= call.rows) return;
  float mine[each_lane];
#pragma unroll
  for (int i = 0; i < each_lane; ++i) {
    const int expert = i * 32 + lane;
    mine[i] = expert < call.experts
                  ? __bfloat162float(call.logits[static_cast<size_t>(row) * call.experts + expert])
                  : -INFINITY;
  }
  float chosen = -INFINITY, sum = 0, first = 0;
  int id = 0;
  for (int k = 0; k < call.active; ++k) {
    float best = -INFINITY;
    int at = most_experts;
#pragma unroll
    for (int i = 0; i < each_lane; ++i)
      if (mine[i] > best) best = mine[i], at = i * 32 + lane;
    for (int step = 16; step > 0; step /= 2) {
      const float other = __shfl_xor_sync(~0u, best, step);
      const int other_at = __shfl_xor_sync(~0u, at, step);
      if (other > best || (other == best && other_at < at)) best = other, at = other_at;
    }
    if (k == 0) first = best;
    sum += __expf(best - first);
    if (lane == k) chosen = best, id = at;
#pragma unroll
    for (int i = 0; i < each_lane; ++i)
      if (i * 32 + lane == at) mine[i] = -INFINITY;
  }
  if (lane >= call.active) return;
  const size_t place = static_cast<size_t>(row) * call.active + lane;
  for (int t = 0; t < call.target_count; ++t) {
    call.ids[t][place] = id;
    call.weights[t][place] = __expf(chosen - first) / sum;
  }
}

/// One block an expert. Each warp takes a range of the routed copies: counts those of experts
/// before its own and its own, then places its own in order.
__global__ void place_kernel(PlaceCall call) {
  __shared__ int less[warps], hits[warps];
  const LocalExperts& here = call.experts;
  const int mine = static_cast<int>(blockIdx.x), warp = static_cast<int>(threadIdx.x) / 32,
            lane = static_cast<int>(threadIdx.x) % 32;
  const bool shared = mine >= here.count;
  const int entries = call.rows * call.active, row_places = call.active + here.shared,
            expert = here.first + (shared ? here.count : mine);
  const int range = (entries + 32 * warps - 1) / (32 * warps) * 32,
            begin = min(entries, warp * range), end = min(entries, begin + range);
  int before = 0, own = 0;
#pragma unroll 4
  for (int i = begin + lane; i < end; i += 32) {
    const int id = call.ids[i];
    before += id >= here.first && id < expert ? 1 : 0;
    own += !shared && id == expert ? 1 : 0;
  }
  before = __reduce_add_sync(~0u, before);
  own = __reduce_add_sync(~0u, own);
  if (lane == 0) less[warp] = before, hits[warp] = own;
  __syncthreads();
  int place = 0, count = 0;
  for (int w = 0; w < warps; ++w) {
    place += less[w] + (w < warp ? hits[w] : 0);
    count += hits[w];
  }
  if (shared) {
    const int which = mine - here.count, rows = here.shared_end - here.shared_begin;
    for (int row = static_cast<int>(threadIdx.x); row < call.rows; row += 32 * warps) {
      const bool taken = row >= here.shared_begin && row < here.shared_end;
      call.places[row * row_places + call.active + which] =
          taken ? place + which * rows + row - here.shared_begin : -1;
    }
    count = rows;
  } else {
    for (int first = begin; first < end; first += 32) {
      const int i = first + lane;
      const bool hit = i < end && call.ids[i] == expert;
      const unsigned all = __ballot_sync(~0u, hit);
      if (hit)
        call.places[i / call.active * row_places + i % call.active] =
            place + __popc(all & ((1u << lane) - 1));
      place += __popc(all);
    }
  }
  if (threadIdx.x == 0 && call.planned[mine] != count) atomicAdd(call.mismatches, 1u);
}

/// One block a row; of experts elsewhere there is no place.
__global__ void pack_kernel(PackCall call, size_t row_bytes) {
  const auto row = static_cast<size_t>(blockIdx.x);
  const int place = call.places[row * call.copies + blockIdx.y];
  if (place < 0) return;
  const auto* from =
      reinterpret_cast<const uint4*>(static_cast<const char*>(call.from.values) + row * row_bytes);
  auto* to = reinterpret_cast<uint4*>(static_cast<char*>(call.to.values) +
                                      static_cast<size_t>(place) * row_bytes);
  for (size_t i = threadIdx.x; i < row_bytes / 16; i += blockDim.x) to[i] = from[i];
  if (call.precision == Precision::bf16) return;
  const int blocks = call.width / block;
  for (int i = static_cast<int>(threadIdx.x); i < blocks; i += static_cast<int>(blockDim.x))
    call.to.scales[static_cast<size_t>(i) * call.scale_stride + place] =
        call.from.scales[row * blocks + i];
}

__global__ void combine_kernel(CombineCall call) {
  const auto row = static_cast<int>(blockIdx.x);
  const int copies = call.active + call.shared, *places = call.places + row * copies;
  __nv_bfloat16* to =
      call.targets[row / call.rows_each] + static_cast<size_t>(row % call.rows_each) * call.width;
  const int vector = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  if (vector >= call.width / 8) return;
  Eight sum{};
  for (int i = 0; i < copies; ++i) {
    const int place = places[i];
    if (place < 0) continue;
    const float weight = i < call.active ? call.weights[row * call.active + i] : 1;
    const Eight x = load_eight(call.outputs + static_cast<size_t>(place) * call.width + 8 * vector);
#pragma unroll
    for (int j = 0; j < 8; ++j) sum.v[j] += weight * x.v[j];
  }
  store_eight(to + 8 * vector, sum);
}

unsigned ceil_div(size_t a, size_t b) { return static_cast<unsigned>((a + b - 1) / b); }
void launched(const char* what) { check(cudaGetLastError(), what); }

}  // namespace

void enqueue_norm(const NormCall& call, cudaStream_t stream) {
  if (call.width > norm_threads * norm_vectors * 8 || call.width % block != 0)
    throw CudaError("norm: rows of " + std::to_string(call.width) + " values");
  norm_kernel<<<static_cast<unsigned>(call.rows), norm_threads, 0, stream>>>(call);
  launched("norm");
}

void enqueue_quantise(const QuantiseCall& call, cudaStream_t stream) {
  const size_t vectors = static_cast<size_t>(call.rows) * (call.width / 8);
  quantise_kernel<<<ceil_div(vectors, 256), 256, 0, stream>>>(call);
  launched("quantise");
}

void enqueue_rotary(const RotaryCall& call, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(call.rows),
                  ceil_div(static_cast<size_t>(call.query_heads) + call.kv_heads, warps));
  if (call.precision == Precision::fp8)
    rotary_kernel<__nv_fp8_e4m3><<<grid, 32 * warps, 0, stream>>>(call);
  else
    rotary_kernel<__nv_bfloat16><<<grid, 32 * warps, 0, stream>>>(call);
  launched("rotary embedding");
}

void enqueue_latent_rotary(const LatentRotaryCall& call, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(call.rows),
                  ceil_div(static_cast<size_t>(call.heads) + 1, warps));
  latent_rotary_kernel<<<grid, 32 * warps, 0, stream>>>(call);
  launched("rotary embedding");
}

void enqueue_top_k(const TopKCall& call, cudaStream_t stream) {
  if (call.experts > most_experts || call.active > most_active)
    throw CudaError("top-k: more than 512 experts, or 32 of them active");
  top_k_kernel<<<ceil_div(static_cast<size_t>(call.rows), warps), 32 * warps, 0, stream>>>(call);
  launched("top-k");
}

void enqueue_place(const PlaceCall& call, cudaStream_t stream) {
  const LocalExperts& here = call.experts;
  if (here.count < here.total)  // else every place is written
    check(cudaMemsetAsync(
              call.places, 0xff,
              static_cast<size_t>(call.rows) * (call.active + here.shared) * sizeof(int), stream),
          "places");
  place_kernel<<<static_cast<unsigned>(here.count + here.shared), 32 * warps, 0, stream>>>(call);
  launched("placing of tokens");
}

void enqueue_pack(const PackCall& call, cudaStream_t stream) {
  const size_t row_bytes =
      static_cast<size_t>(call.width) * (call.precision == Precision::fp8 ? 1 : 2);
  const dim3 grid(static_cast<unsigned>(call.rows), static_cast<unsigned>(call.copies));
  pack_kernel<<<grid, 128, 0, stream>>>(call, row_bytes);
  launched("packing of tokens");
}

void enqueue_combine(const CombineCall& call, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(call.rows),
                  ceil_div(static_cast<size_t>(call.width) / 8, 256));
  combine_kernel<<<grid, 256, 0, stream>>>(call);
  launched("combining of experts");
}

}  // namespace afford::calibrate
