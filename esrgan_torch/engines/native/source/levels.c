/* Levels of instructions, from the fastest, and which of them this processor has. */
#include "esrgan_native.h"
#include "kernels.h"
#include "shuffle.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

extern const level esrgan_avx512, esrgan_avx2, esrgan_sse2;
static const level *const levels[] = {&esrgan_avx512, &esrgan_avx2, &esrgan_sse2};

/* The system must keep the wide registers as well: XCR0 says so. */
static int is_here(int number) {
  unsigned a, b, c, d, kept, unused;
  if (number >= 2) /* every x86-64 processor has SSE2 */
    return 1;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA))
    return 0;
  __asm__ volatile("xgetbv" : "=a"(kept), "=d"(unused) : "c"(0));
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
    return 0;
  return number == 0 ? (b & bit_AVX512F) && (kept & 0xe6) == 0xe6 : (b & bit_AVX2) && (kept & 6) == 6;
}
#elif defined(__wasm__)
extern const level esrgan_wasm;
static const level *const levels[] = {&esrgan_wasm};
static int is_here(int number) { return number == 0; }
#else
extern const level esrgan_neon;
static const level *const levels[] = {&esrgan_neon};
static int is_here(int number) { return number == 0; }
#endif

static const int COUNT = sizeof levels / sizeof *levels;

int32_t esrgan_abi(void) { return ESRGAN_ABI; }

const level *esrgan_find_level(int32_t number) {
  return number >= 0 && number < COUNT && is_here(number) ? levels[number] : NULL;
}

const char *esrgan_level_name(int32_t number) {
  return number >= 0 && number < COUNT ? levels[number]->name : NULL;
}

int32_t esrgan_level_lanes(int32_t number) {
  const level *found = esrgan_find_level(number);
  return found == NULL ? 0 : found->lanes;
}

void esrgan_shuffle(const float *source, int64_t row, int64_t pixel, float *target, int64_t channels, int64_t scale,
                    int64_t height, int64_t width, int64_t top, int64_t bottom) {
  for (int64_t y = top; y < bottom; y++)
    for (int64_t c = 0; c < channels; c++)
      for (int64_t i = 0; i < scale; i++)
        shuffle_line(source + y * row + (c * scale + i) * scale, pixel,
                     target + ((c * height + y) * scale + i) * width * scale, width, scale);
}

#if !defined(__wasm__)
/* The fastest that this processor has. */
static const level *fastest(void) {
  int number = 0;
  while (!is_here(number))
    number++;
  return levels[number];
}

int32_t esrgan_round(const float *source, int64_t plane, int64_t row, void *target, int64_t target_row,
                     int64_t channels, int64_t width, int64_t top, int64_t bottom, int32_t bytes) {
  return fastest()->round_planes(source, plane, row, target, target_row, channels, width, top, bottom, bytes);
}

int32_t esrgan_round_shuffled(const float *source, int64_t row, int64_t pixel, void *target, int64_t target_row,
                              int64_t channels, int64_t scale, int64_t width, int64_t top, int64_t bottom,
                              int32_t bytes) {
  return fastest()->round_shuffled(source, row, pixel, target, target_row, channels, scale, width, top, bottom, bytes);
}
#endif
