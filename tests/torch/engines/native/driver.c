/* Drives the library on every level of instructions, on odd sizes, with sizes that stop half way: for the sanitizers,
 * and where there is no Python. Convolutions copy their input, so that what follows them is known. */
#include "esrgan_native.h"
#include "threads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURE, RESULT, FIRST, GROWN, JOINED, CURVED, GATED, LARGE, MAPS };

/* The identity's weights, transformed: the middle tap of weight 1 from input `i` to output `i`; or those of 1x1, where
 * there is one frequency. Of an enlargement's four parts those that a frequency has weights for, row by row. */
static float *identity(int frequencies, int inputs, int outputs, int lanes, int parts) {
  const double a = 11.0 / 16, b = 1.5, one_a = 1 / (2 * a * (a * a - b * b)), one_b = 1 / (2 * b * (b * b - a * a));
  const double middle[6] = {0, one_a, -one_a, one_b, -one_b, 0}; /* see winograd.py */
  float *weights = calloc((size_t)frequencies * inputs * outputs, sizeof *weights), *at = weights;
  const int one = outputs / parts, phases = parts == 4 ? 2 : 1;
  for (int f = 0; f < frequencies; f++)
    for (int row = phases > 1 && f / 6 == 5; row < (phases > 1 && f / 6 == 0 ? 1 : phases); row++) {
      const int all = (phases > 1 && (f % 6 == 0 || f % 6 == 5) ? 1 : phases) * one;
      for (int n = 0; n < all; n += 2 * lanes) {
        const int wide = all - n < 2 * lanes ? all - n : 2 * lanes;
        for (int k = 0; k < inputs; k++)
          for (int w = 0; w < wide; w++)
            *at++ = (n + w) % one != k ? 0 : frequencies == 1 ? 1 : (float)(middle[f / 6] * middle[f % 6]);
      }
    }
  return weights;
}

static float *zeros(int count) { return calloc((size_t)count, sizeof(float)); }

static int check(int level, int lanes, int64_t height, int64_t width, int threads, int tiles, int stop) {
  const esrgan_map maps[MAPS] = {{ESRGAN_GIVEN, 16, 1}, {ESRGAN_GIVEN, 16, 2}, {ESRGAN_RING, 16, 1},
                                 {ESRGAN_RING, 16, 1},  {ESRGAN_PLANE, 16, 1}, {ESRGAN_RING, 16, 1},
                                 {ESRGAN_RING, 16, 1},  {ESRGAN_RING, 16, 2}};
  float *one = identity(36, 3, 16, lanes, 1), *wide = identity(36, 16, 16, lanes, 1);
  float *four = identity(36, 16, 64, lanes, 4), *points = calloc(2 * 16 * 16, sizeof *points);
  float *last_point = identity(1, 16, 16, lanes, 1); /* zeros for the first map, and the second as it is */
  memcpy(points + 16 * 16, last_point, 16 * 16 * sizeof *points);
  float *joined = malloc(2 * 36 * 16 * 16 * sizeof *joined), *nothing = zeros(64), *slopes = zeros(64);
  memcpy(joined, wide, 36 * 16 * 16 * sizeof *joined);
  memcpy(joined + 36 * 16 * 16, wide, 36 * 16 * 16 * sizeof *joined);
  const float factors[3] = {2, 0.5f, -1}, offsets[3] = {0, 1, -2}; /* all results are positive */
  const esrgan_operation operations[] = {
      {.kind = ESRGAN_LOAD, .sources = 1, .source = {PICTURE}, .channels = {3}, .target = FIRST, .residual = {-1, -1},
       .waits = {-1, -1}, .enlarge = 1, .repeat = 1, .weights = factors, .bias = offsets},
      {.kind = ESRGAN_CONVOLVE, .sources = 1, .source = {FIRST}, .channels = {3}, .target = GROWN, .residual = {-1, -1},
       .waits = {0, -1}, .outputs = 16, .enlarge = 1, .activation = ESRGAN_PRELU, .weights = one, .bias = nothing,
       .slopes = slopes},
      {.kind = ESRGAN_CONVOLVE, .sources = 2, .source = {FIRST, GROWN}, .channels = {16, 16}, .begins = 3,
       .target = JOINED, .residual = {FIRST, -1}, .scale = {0.5f, 0}, .waits = {1, -1}, .outputs = 16, .enlarge = 1,
       .weights = joined, .bias = nothing},
      {.kind = ESRGAN_POINTWISE, .sources = 2, .source = {FIRST, JOINED}, .channels = {16, 16}, .begins = 3,
       .target = CURVED, .residual = {-1, -1}, .waits = {2, -1}, .outputs = 16, .enlarge = 1,
       .activation = ESRGAN_SILU, .weights = points, .bias = nothing},
      {.kind = ESRGAN_CONVOLVE, .sources = 1, .source = {CURVED}, .channels = {16}, .target = GATED,
       .residual = {JOINED, -1}, .waits = {3, -1}, .outputs = 16, .enlarge = 1, .activation = ESRGAN_GATE,
       .weights = wide, .bias = nothing},
      {.kind = ESRGAN_CONVOLVE, .sources = 1, .source = {GATED}, .channels = {16}, .target = LARGE,
       .residual = {-1, -1}, .waits = {4, -1}, .outputs = 64, .enlarge = 2, .weights = four, .bias = nothing},
      {.kind = ESRGAN_STORE, .sources = 1, .source = {LARGE}, .channels = {3}, .target = RESULT, .residual = {-1, -1},
       .waits = {5, -1}, .enlarge = 1},
  };
  const esrgan_phase phase = {0, 7, 1};
  const esrgan_program program = {MAPS, 1, 7, maps, &phase, operations};
  esrgan_engine *engine = esrgan_open(&program, level, threads, tiles);
  if (engine == NULL)
    return 0;
  const size_t pixels = (size_t)(3 * height * width);
  float *picture = malloc(pixels * sizeof *picture), *result = malloc(4 * pixels * sizeof *result);
  for (size_t i = 0; i < pixels; i++)
    picture[i] = (float)(i % 101) / 100;
  const int64_t bytes = esrgan_plan(engine, height, width);
  int right = bytes == esrgan_bytes(engine, height, width);
  void *memory = aligned_memory(64, (size_t)bytes);
  right &= memory != NULL;
  memset(memory, 0xff, (size_t)bytes); /* NaN */
  float *given[MAPS] = {picture, result};
  double share = 0;
  for (int run = 0; run < 2; run++) {
    esrgan_start(engine, memory, given);
    if (stop && run == 0)
      esrgan_stop(engine);
    while (!esrgan_wait(engine, 1, &share))
      ;
  }
  for (int64_t c = 0; c < 3; c++)
    for (int64_t y = 0; y < 2 * height; y++)
      for (int64_t x = 0; x < 2 * width; x++) {
        const float loaded = (picture[(c * height + y / 2) * width + x / 2] + offsets[c]) * factors[c];
        const float sum = 2 * loaded, curved = sum / (1 + expf(-sum)); /* grown and half of both: twice the picture */
        const float expected = (curved + sum) * (1 / (1 + expf(-curved)) - 0.5f);
        right &= fabsf(result[(c * 2 * height + y) * 2 * width + x] - expected) < 1e-5f;
      }
  esrgan_close(engine);
  float *all[] = {one, wide, four, points, last_point, joined, nothing, slopes, picture, result};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    free(all[i]);
  aligned_free(memory);
  return right;
}

int main(void) {
  static const int64_t sizes[][2] = {{1, 1}, {1, 17}, {23, 1}, {4, 4}, {13, 9}, {40, 21}};
  if (esrgan_abi() != ESRGAN_ABI)
    return 2;
  for (int level = 0; esrgan_level_name(level) != NULL; level++) {
    const int lanes = esrgan_level_lanes(level);
    if (lanes == 0) {
      printf("%s not here\n", esrgan_level_name(level));
      continue;
    }
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
      for (int threads = 1; threads < 4; threads++)
        for (int tiles = 0; tiles < 6; tiles += 5)
          if (!check(level, lanes, sizes[s][0], sizes[s][1], threads, tiles, tiles > 0)) {
            fprintf(stderr, "%s: wrong at %d x %d\n", esrgan_level_name(level), (int)sizes[s][0], (int)sizes[s][1]);
            return 1;
          }
    printf("%s ok\n", esrgan_level_name(level));
  }
  return 0;
}
