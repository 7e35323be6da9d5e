/* The vectors of one level of instructions. `kernels.c` is compiled once for each level, with its name defined.
 *
 * LANES: floats of a vector. ROWS: tiles that a matrix product computes at once; ROWS x 2 vectors of sums, two of
 * weights and one of the map fill the registers.
 *
 * scaled(a, power): a times two to the power of the integer in `power`'s lowest bits, by adding to a's exponent.
 * above_zero, below_zero, at_least, at_most: a NaN, in the second operand, stays NaN.
 */
#ifndef ESRGAN_VECTORS_H
#define ESRGAN_VECTORS_H

#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(ESRGAN_AVX512)
#include <immintrin.h>
#define LANES 16
#define ROWS 12
typedef __m512 vec;
INLINE vec zero(void) { return _mm512_setzero_ps(); }
INLINE vec splat(float x) { return _mm512_set1_ps(x); }
INLINE vec load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, vec a) { _mm512_storeu_ps(p, a); }
INLINE vec add(vec a, vec b) { return _mm512_add_ps(a, b); }
INLINE vec sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
INLINE vec fma_(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vec fnma(vec a, vec b, vec c) { return _mm512_fnmadd_ps(a, b, c); }
INLINE vec above_zero(vec a) { return _mm512_max_ps(zero(), a); }
INLINE vec below_zero(vec a) { return _mm512_min_ps(zero(), a); }
INLINE vec mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
INLINE vec quotient(vec a, vec b) { return _mm512_div_ps(a, b); }
INLINE vec at_least(vec bound, vec a) { return _mm512_max_ps(bound, a); }
INLINE vec at_most(vec bound, vec a) { return _mm512_min_ps(bound, a); }
INLINE vec scaled(vec a, vec power) {
  const __m512i bits = _mm512_slli_epi32(_mm512_castps_si512(power), 23);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), bits));
}

#elif defined(ESRGAN_AVX2)
#include <immintrin.h>
#define LANES 8
#define ROWS 6
typedef __m256 vec;
INLINE vec zero(void) { return _mm256_setzero_ps(); }
INLINE vec splat(float x) { return _mm256_set1_ps(x); }
INLINE vec load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store(float *p, vec a) { _mm256_storeu_ps(p, a); }
INLINE vec add(vec a, vec b) { return _mm256_add_ps(a, b); }
INLINE vec sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
INLINE vec fma_(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vec fnma(vec a, vec b, vec c) { return _mm256_fnmadd_ps(a, b, c); }
INLINE vec above_zero(vec a) { return _mm256_max_ps(zero(), a); }
INLINE vec below_zero(vec a) { return _mm256_min_ps(zero(), a); }
INLINE vec mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
INLINE vec quotient(vec a, vec b) { return _mm256_div_ps(a, b); }
INLINE vec at_least(vec bound, vec a) { return _mm256_max_ps(bound, a); }
INLINE vec at_most(vec bound, vec a) { return _mm256_min_ps(bound, a); }
INLINE vec scaled(vec a, vec power) {
  const __m256i bits = _mm256_slli_epi32(_mm256_castps_si256(power), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), bits));
}

#elif defined(ESRGAN_SSE2)
#include <emmintrin.h>
#define LANES 4
#define ROWS 6
typedef __m128 vec;
INLINE vec zero(void) { return _mm_setzero_ps(); }
INLINE vec splat(float x) { return _mm_set1_ps(x); }
INLINE vec load(const float *p) { return _mm_loadu_ps(p); }
INLINE void store(float *p, vec a) { _mm_storeu_ps(p, a); }
INLINE vec add(vec a, vec b) { return _mm_add_ps(a, b); }
INLINE vec sub(vec a, vec b) { return _mm_sub_ps(a, b); }
INLINE vec fma_(vec a, vec b, vec c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
INLINE vec fnma(vec a, vec b, vec c) { return _mm_sub_ps(c, _mm_mul_ps(a, b)); }
INLINE vec above_zero(vec a) { return _mm_max_ps(zero(), a); }
INLINE vec below_zero(vec a) { return _mm_min_ps(zero(), a); }
INLINE vec mul(vec a, vec b) { return _mm_mul_ps(a, b); }
INLINE vec quotient(vec a, vec b) { return _mm_div_ps(a, b); }
INLINE vec at_least(vec bound, vec a) { return _mm_max_ps(bound, a); }
INLINE vec at_most(vec bound, vec a) { return _mm_min_ps(bound, a); }
INLINE vec scaled(vec a, vec power) {
  const __m128i bits = _mm_slli_epi32(_mm_castps_si128(power), 23);
  return _mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(a), bits));
}

#elif defined(ESRGAN_NEON)
#include <arm_neon.h>
#define LANES 4
#define ROWS 12
typedef float32x4_t vec;
INLINE vec zero(void) { return vdupq_n_f32(0); }
INLINE vec splat(float x) { return vdupq_n_f32(x); }
INLINE vec load(const float *p) { return vld1q_f32(p); }
INLINE void store(float *p, vec a) { vst1q_f32(p, a); }
INLINE vec add(vec a, vec b) { return vaddq_f32(a, b); }
INLINE vec sub(vec a, vec b) { return vsubq_f32(a, b); }
INLINE vec fma_(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
INLINE vec fnma(vec a, vec b, vec c) { return vfmsq_f32(c, a, b); }
INLINE vec above_zero(vec a) { return vmaxq_f32(zero(), a); }
INLINE vec below_zero(vec a) { return vminq_f32(zero(), a); }
INLINE vec mul(vec a, vec b) { return vmulq_f32(a, b); }
INLINE vec quotient(vec a, vec b) { return vdivq_f32(a, b); }
INLINE vec at_least(vec bound, vec a) { return vmaxq_f32(bound, a); }
INLINE vec at_most(vec bound, vec a) { return vminq_f32(bound, a); }
INLINE vec scaled(vec a, vec power) {
  const int32x4_t bits = vshlq_n_s32(vreinterpretq_s32_f32(power), 23);
  return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(a), bits));
}

#elif defined(ESRGAN_WASM)
#include <wasm_simd128.h>
#define LANES 4
#define ROWS 6
typedef v128_t vec;
INLINE vec zero(void) { return wasm_f32x4_splat(0); }
INLINE vec splat(float x) { return wasm_f32x4_splat(x); }
INLINE vec load(const float *p) { return wasm_v128_load(p); }
INLINE void store(float *p, vec a) { wasm_v128_store(p, a); }
INLINE vec add(vec a, vec b) { return wasm_f32x4_add(a, b); }
INLINE vec sub(vec a, vec b) { return wasm_f32x4_sub(a, b); }
#if defined(__wasm_relaxed_simd__)
INLINE vec fma_(vec a, vec b, vec c) { return wasm_f32x4_relaxed_madd(a, b, c); }
INLINE vec fnma(vec a, vec b, vec c) { return wasm_f32x4_relaxed_nmadd(a, b, c); }
#else
INLINE vec fma_(vec a, vec b, vec c) { return wasm_f32x4_add(wasm_f32x4_mul(a, b), c); }
INLINE vec fnma(vec a, vec b, vec c) { return wasm_f32x4_sub(c, wasm_f32x4_mul(a, b)); }
#endif
/* pmax and pmin are single instructions where max and min are not; they give the first where one is NaN */
INLINE vec above_zero(vec a) { return wasm_f32x4_pmax(a, zero()); }
INLINE vec below_zero(vec a) { return wasm_f32x4_pmin(a, zero()); }
INLINE vec mul(vec a, vec b) { return wasm_f32x4_mul(a, b); }
INLINE vec quotient(vec a, vec b) { return wasm_f32x4_div(a, b); }
INLINE vec at_least(vec bound, vec a) { return wasm_f32x4_pmax(a, bound); }
INLINE vec at_most(vec bound, vec a) { return wasm_f32x4_pmin(a, bound); }
INLINE vec scaled(vec a, vec power) { return wasm_i32x4_add(a, wasm_i32x4_shl(power, 23)); }

#else
#error "no level of instructions is named: give -DESRGAN_AVX512, _AVX2, _SSE2, _NEON or _WASM"
#endif
#endif
