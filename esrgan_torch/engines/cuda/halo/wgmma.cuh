// Hopper's instructions that C++ has no words for.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

__device__ __forceinline__ uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

__device__ __forceinline__ void barrier_init(uint32_t barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals));
}

__device__ __forceinline__ void barrier_expect(uint32_t barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

__device__ __forceinline__ void barrier_arrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

__device__ __forceinline__ void barrier_wait(uint32_t barrier, uint32_t parity) {
  asm volatile(
      "{\n.reg .pred done;\n"
      "TRY%=:\nmbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@done bra DONE%=;\nbra TRY%=;\nDONE%=:\n}" ::"r"(barrier), "r"(parity) : "memory");
}

// Copy a run of bytes (a multiple of 16) into shared memory; the barrier counts them when they have arrived.
__device__ __forceinline__ void copy_in(uint32_t target, const void* source, int bytes, uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(target),
      "l"(source), "r"(bytes), "r"(barrier)
      : "memory");
}

// Where an operand of 16 inputs lies in shared memory, unswizzled: blocks of 8 rows by 8 inputs (16 bytes a row,
// 128 bytes a block), `inputs_apart` bytes to the block of the next 8 inputs, `rows_apart` to that of the next 8 rows.
__device__ __forceinline__ uint64_t operand(uint32_t address, int inputs_apart, int rows_apart) {
  return static_cast<uint64_t>((address & 0x3FFFF) >> 4) | static_cast<uint64_t>(inputs_apart >> 4) << 16 |
         static_cast<uint64_t>(rows_apart >> 4) << 32;
}

__device__ __forceinline__ void multiply_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void multiply_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

template <int PENDING>
__device__ __forceinline__ void multiply_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

// Registers of a thread, from here on: a group of warps that only copies lends them to those that multiply.
template <int COUNT>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}
template <int COUNT>
__device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}

#define SUMS8(n) \
  "+f"(s[n]), "+f"(s[n + 1]), "+f"(s[n + 2]), "+f"(s[n + 3]), "+f"(s[n + 4]), "+f"(s[n + 5]), "+f"(s[n + 6]), \
      "+f"(s[n + 7])
#define SUMS64 SUMS8(0), SUMS8(8), SUMS8(16), SUMS8(24), SUMS8(32), SUMS8(40), SUMS8(48), SUMS8(56)
#define WGMMA_64_128_16(TYPE)                                                                       \
  asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32." TYPE "." TYPE                         \
               " {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,"   \
               "%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,"   \
               "%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,"   \
               "%62,%63}, %64, %65, 1, 1, 1, 0, 0;"                                                 \
               : SUMS64                                                                             \
               : "l"(weights), "l"(pixels))

// sums[64 outputs, 128 pixels] += weights[64, 16] * pixels[128, 16]^T, by a group of four warps.
template <typename T>
__device__ __forceinline__ void multiply(float (&s)[64], uint64_t weights, uint64_t pixels);
template <>
__device__ __forceinline__ void multiply<__half>(float (&s)[64], uint64_t weights, uint64_t pixels) {
  WGMMA_64_128_16("f16");
}
template <>
__device__ __forceinline__ void multiply<__nv_bfloat16>(float (&s)[64], uint64_t weights, uint64_t pixels) {
  WGMMA_64_128_16("bf16");
}

// Store four 8x8 matrices of a warp, each transposed; lane L gives the address of row L % 8 of matrix L / 8.
__device__ __forceinline__ void store_transposed(uint32_t address, const uint32_t (&values)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address),
               "r"(values[0]), "r"(values[1]), "r"(values[2]), "r"(values[3])
               : "memory");
}

// Two values in half precision and back.
template <typename T>
struct Two;
template <>
struct Two<__half> {
  static __device__ __forceinline__ uint32_t pack(float a, float b) {
    __half2 both = __floats2half2_rn(a, b);
    return *reinterpret_cast<uint32_t*>(&both);
  }
  static __device__ __forceinline__ float2 unpack(uint32_t both) {
    return __half22float2(*reinterpret_cast<__half2*>(&both));
  }
};
template <>
struct Two<__nv_bfloat16> {
  static __device__ __forceinline__ uint32_t pack(float a, float b) {
    __nv_bfloat162 both = __floats2bfloat162_rn(a, b);
    return *reinterpret_cast<uint32_t*>(&both);
  }
  static __device__ __forceinline__ float2 unpack(uint32_t both) {
    return __bfloat1622float2(*reinterpret_cast<__nv_bfloat162*>(&both));
  }
};
