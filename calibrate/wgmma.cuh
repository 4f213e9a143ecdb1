#pragma once
// The warpgroup matrix instruction (wgmma, sm_90a): D += A * B on 64 x N tiles, accumulators in
// registers.
//
// A (64 x K) comes from shared memory (SS) or registers (RS), B (N x K, or K x N when transposed)
// from shared memory. K is 16 for BF16 and 32 for FP8 (e4m3, which has no transposed form). Of an
// accumulator fragment, thread t of the warpgroup holds rows 16 * (t / 32) + t % 32 / 4 (+ 8) and
// columns 8 * j + 2 * (t % 4) (+ 1): d[4 * j] and d[4 * j + 1] of the upper row, d[4 * j + 2] and
// d[4 * j + 3] of the lower one. A register fragments have the same arrangement per 16 columns of
// BF16 (32 of FP8).

#include <cstdint>

namespace afford::calibrate::ptx {

__device__ __forceinline__ void wgmma_fence() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void wgmma_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Waits until at most `pending` committed groups of this warpgroup are unfinished.
template <int pending>
__device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}
/// Tells the compiler that the tensor core may still write these registers.
template <int count>
__device__ __forceinline__ void keep(float (&d)[count]) {
#pragma unroll
  for (int i = 0; i < count; ++i) asm volatile("" : "+f"(d[i])::"memory");
}

/// Descriptor of a tile in shared memory stored with the 128-byte swizzle: rows of 128 bytes,
/// groups of 8 rows `group_bytes` apart. Stepping K by 32 bytes inside the 128 adds 2.
__device__ __forceinline__ uint64_t swizzled(uint32_t address, uint32_t leading_bytes = 16,
                                             uint32_t group_bytes = 1024) {
  return uint64_t{1} << 62 | uint64_t{group_bytes >> 4} << 32 |
         uint64_t{(leading_bytes & 0x3ffff) >> 4} << 16 | uint64_t{(address & 0x3ffff) >> 4};
}

#define AFFORD_WRAP(...) __VA_ARGS__
#define AFFORD_ACC4(i) "+f"(d[(i)]), "+f"(d[(i) + 1]), "+f"(d[(i) + 2]), "+f"(d[(i) + 3])
#define AFFORD_ACC8(i) AFFORD_ACC4(i), AFFORD_ACC4((i) + 4)
#define AFFORD_ACC16(i) AFFORD_ACC8(i), AFFORD_ACC8((i) + 8)
#define AFFORD_ACC32(i) AFFORD_ACC16(i), AFFORD_ACC16((i) + 16)
#define AFFORD_ACC64(i) AFFORD_ACC32(i), AFFORD_ACC32((i) + 32)

#define AFFORD_REGS_4 "%0, %1, %2, %3"
#define AFFORD_REGS_8 \
  AFFORD_REGS_4       \
  ", %4, %5, %6, %7"
#define AFFORD_REGS_12 \
  AFFORD_REGS_8        \
  ", %8, %9, %10, %11"
#define AFFORD_REGS_16 \
  AFFORD_REGS_8        \
  ", %8, %9, %10, %11, %12, %13, %14, %15"
#define AFFORD_REGS_24 \
  AFFORD_REGS_16       \
  ", %16, %17, %18, %19, %20, %21, %22, %23"
#define AFFORD_REGS_32 \
  AFFORD_REGS_16       \
  ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define AFFORD_REGS_40 \
  AFFORD_REGS_32       \
  ", %32, %33, %34, %35, %36, %37, %38, %39"
#define AFFORD_REGS_48 \
  AFFORD_REGS_32       \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47"
#define AFFORD_REGS_64 \
  AFFORD_REGS_48       \
  ", %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define AFFORD_REGS_96                                                               \
  AFFORD_REGS_64                                                                     \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79" \
  ", %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define AFFORD_REGS_128                                                                          \
  AFFORD_REGS_96                                                                                 \
  ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111" \
  ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, " \
  "%127"

/// The instruction for each N; `accumulate` 0 overwrites D. transposed_b: B is stored K x N (BF16
/// only).
template <int N>
struct Wgmma;

#define AFFORD_WGMMA(N, REGS, ACC, I0, I1, I2, I3, I4, I5, I6)                                \
  template <>                                                                                 \
  struct Wgmma<N> {                                                                           \
    template <int transposed_b = 0>                                                           \
    static __device__ __forceinline__ void bf16(float (&d)[N / 2], uint64_t a, uint64_t b,    \
                                                int accumulate) {                             \
      asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" I2                                    \
                   ", 0;\nwgmma.mma_async.sync.aligned.m64n" #N "k16.f32.bf16.bf16 {" REGS    \
                   "}, %" I0 ", %" I1 ", p, 1, 1, 0, %" I3 ";\n}\n"                           \
                   : ACC                                                                      \
                   : "l"(a), "l"(b), "r"(accumulate), "n"(transposed_b));                     \
    }                                                                                         \
    template <int transposed_b>                                                               \
    static __device__ __forceinline__ void bf16(float (&d)[N / 2], const uint32_t (&a)[4],    \
                                                uint64_t b, int accumulate) {                 \
      asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" I5                                    \
                   ", 0;\nwgmma.mma_async.sync.aligned.m64n" #N "k16.f32.bf16.bf16 {" REGS    \
                   "}, {%" I0 ", %" I1 ", %" I2 ", %" I3 "}, %" I4 ", p, 1, 1, %" I6 ";\n}\n" \
                   : ACC                                                                      \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate),     \
                     "n"(transposed_b));                                                      \
    }                                                                                         \
    static __device__ __forceinline__ void fp8(float (&d)[N / 2], uint64_t a, uint64_t b,     \
                                               int accumulate) {                              \
      asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" I2                                    \
                   ", 0;\nwgmma.mma_async.sync.aligned.m64n" #N "k32.f32.e4m3.e4m3 {" REGS    \
                   "}, %" I0 ", %" I1 ", p, 1, 1;\n}\n"                                       \
                   : ACC                                                                      \
                   : "l"(a), "l"(b), "r"(accumulate));                                        \
    }                                                                                         \
    static __device__ __forceinline__ void fp8(float (&d)[N / 2], const uint32_t (&a)[4],     \
                                               uint64_t b, int accumulate) {                  \
      asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" I5                                    \
                   ", 0;\nwgmma.mma_async.sync.aligned.m64n" #N "k32.f32.e4m3.e4m3 {" REGS    \
                   "}, {%" I0 ", %" I1 ", %" I2 ", %" I3 "}, %" I4 ", p, 1, 1;\n}\n"          \
                   : ACC                                                                      \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));    \
    }                                                                                         \
  };

AFFORD_WGMMA(8, AFFORD_REGS_4, AFFORD_WRAP(AFFORD_ACC4(0)), "4", "5", "6", "7", "8", "9", "10")
AFFORD_WGMMA(16, AFFORD_REGS_8, AFFORD_WRAP(AFFORD_ACC8(0)), "8", "9", "10", "11", "12", "13", "14")
AFFORD_WGMMA(24, AFFORD_REGS_12, AFFORD_WRAP(AFFORD_ACC8(0), AFFORD_ACC4(8)), "12", "13", "14",
             "15", "16", "17", "18")
AFFORD_WGMMA(32, AFFORD_REGS_16, AFFORD_WRAP(AFFORD_ACC16(0)), "16", "17", "18", "19", "20", "21",
             "22")
AFFORD_WGMMA(48, AFFORD_REGS_24, AFFORD_WRAP(AFFORD_ACC16(0), AFFORD_ACC8(16)), "24", "25", "26",
             "27", "28", "29", "30")
AFFORD_WGMMA(64, AFFORD_REGS_32, AFFORD_WRAP(AFFORD_ACC32(0)), "32", "33", "34", "35", "36", "37",
             "38")
AFFORD_WGMMA(80, AFFORD_REGS_40, AFFORD_WRAP(AFFORD_ACC32(0), AFFORD_ACC8(32)), "40", "41", "42",
             "43", "44", "45", "46")
AFFORD_WGMMA(96, AFFORD_REGS_48, AFFORD_WRAP(AFFORD_ACC32(0), AFFORD_ACC16(32)), "48", "49", "50",
             "51", "52", "53", "54")
AFFORD_WGMMA(128, AFFORD_REGS_64, AFFORD_WRAP(AFFORD_ACC64(0)), "64", "65", "66", "67", "68", "69",
             "70")
AFFORD_WGMMA(192, AFFORD_REGS_96, AFFORD_WRAP(AFFORD_ACC64(0), AFFORD_ACC32(64)), "96", "97", "98",
             "99", "100", "101", "102")
AFFORD_WGMMA(256, AFFORD_REGS_128, AFFORD_WRAP(AFFORD_ACC64(0), AFFORD_ACC64(64)), "128", "129",
             "130", "131", "132", "133", "134")

#undef AFFORD_WGMMA
#undef AFFORD_WRAP
#undef AFFORD_ACC4
#undef AFFORD_ACC8
#undef AFFORD_ACC16
#undef AFFORD_ACC32
#undef AFFORD_ACC64
#undef AFFORD_REGS_4
#undef AFFORD_REGS_8
#undef AFFORD_REGS_12
#undef AFFORD_REGS_16
#undef AFFORD_REGS_24
#undef AFFORD_REGS_32
#undef AFFORD_REGS_40
#undef AFFORD_REGS_48
#undef AFFORD_REGS_64
#undef AFFORD_REGS_96
#undef AFFORD_REGS_128

}  // namespace afford::calibrate::ptx
