#pragma once
// The grouped matrix product of the expert networks. One persistent block per multiprocessor works
// through its segments (moe_plan.hpp) of tiles: 256 weight rows by N tokens. A producer warp
// streams blocks of 128 bytes of K into a ring in shared memory; two warpgroups multiply, with the
// weights on the M side of the tensor core where tokens are few (moe_few.cuh) and on the N side
// where they are many (moe_many.cuh).
//
// FP8: the tensor core sums 128 of K, then the block scales are applied in FP32. A spare warp
// multiplies the scales of weights and tokens for each stage.

#include "moe_few.cuh"
#include "moe_many.cuh"

namespace afford::calibrate {

template <class S>
__global__ void __launch_bounds__(S::threads, 1)
    moe_kernel(const __grid_constant__ MoeInput in, const __grid_constant__ CUtensorMap tokens) {
  using namespace ptx;
  extern __shared__ __align__(1024) unsigned char memory[];
  const moe::Ring<S> ring{shared_address(memory)};
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < S::stages; ++stage) {
      barrier_init(ring.full(stage), S::fp8 ? 2 : 1);   // the producer, and the warp of the scales
      barrier_init(ring.empty(stage), 8 * S::cluster);  // one arrival of each warp that computes
    }
    fence_barrier_init();
  }
  __syncthreads();
  if constexpr (S::cluster > 1) {
    cluster_arrive();
    cluster_wait();
  }
  let_next_kernel_start();
  const int warp = static_cast<int>(threadIdx.x) / 32;
  if (warp >= 8) {
    give_registers<40>();
    if (warp == 8) {
      if (threadIdx.x % 32 == 0) moe::Producer<S>(in, &tokens, ring).run();
      __syncwarp();
    } else if (S::fp8 && warp == 9) {
      moe::multiply_scales<S>(in, ring, memory);
    }
  } else {
    take_registers<232>();
    if constexpr (S::tokens_on_m)
      moe::consume<S>(in, moe::TokensOnM<S>(in, ring, memory));
    else
      moe::consume<S>(in, moe::WeightsOnM<S>(in, ring, memory));
  }
  if constexpr (S::cluster > 1) {  // no block leaves while the other may still write into it
    cluster_arrive();
    cluster_wait();
  }
}

}  // namespace afford::calibrate
