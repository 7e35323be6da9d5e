/* 3x3 convolution by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2015): a patch of 6x6 pixels is
 * transformed, multiplied with the transformed weights frequency by frequency, summed over channels, and transformed
 * back into 4x4 pixels: 36 multiplications where the direct form needs 144. Sums over channels are matrix products.
 *
 * A tile's values do not depend on which tiles are computed with it.
 */
#include "kernels.h"
#include "vectors.h"

#include <string.h>

#define JOINED(a, b) a##b
#define NAMED(a, b) JOINED(a, b)
#define LINE 16 /* floats of a cache line */

/* One dimension of B^T d B: the first three values of six, and the others. */
INLINE void transform_first(const vec d[PATCH], vec out[3]) {
  const vec four = splat(4);
  const vec wide = fnma(four, d[2], d[4]), tall = fnma(four, d[1], d[3]);
  out[0] = fma_(four, sub(d[0], d[2]), sub(d[4], d[2]));
  out[1] = add(wide, tall);
  out[2] = sub(wide, tall);
}

INLINE void transform_last(const vec d[PATCH], vec out[3]) {
  const vec four = splat(4), two = splat(2);
  const vec even = sub(d[4], d[2]), odd = sub(d[3], d[1]);
  out[0] = fma_(two, odd, even);
  out[1] = fnma(two, odd, even);
  out[2] = fnma(four, odd, sub(d[5], d[3]));
}

/* one dimension of A^T m A */
INLINE void restore_line(const vec m[PATCH], vec out[TILE]) {
  const vec a = add(m[1], m[2]), b = sub(m[1], m[2]), c = add(m[3], m[4]), d = sub(m[3], m[4]);
  out[0] = add(m[0], add(a, c));
  out[1] = fma_(splat(2), d, b);
  out[2] = fma_(splat(4), c, a);
  out[3] = fma_(splat(8), d, add(b, m[5]));
}

/* The 6x6 pixels that a tile sees, with zeros beyond the map's borders, as rows of a patch. */
static void copy_patch(const view *map, int64_t top, int64_t left, ptrdiff_t pixel, float *patch) {
  for (int y = 0; y < PATCH; y++) {
    float *to = patch + (size_t)y * PATCH * pixel;
    const int inside = top + y >= 0 && top + y < map->height;
    for (int x = 0; x < PATCH; x++, to += pixel) {
      if (inside && left + x >= 0 && left + x < map->width)
        memcpy(to, view_row(map, top + y) + (left + x) * map->pixel, pixel * sizeof(float));
      else
        memset(to, 0, pixel * sizeof(float));
    }
  }
}

/* Three of the six rows of a patch's transform: as many values as stay in registers between its two dimensions. */
INLINE void transform_half(int last, const float *const rows[PATCH], ptrdiff_t pixel, float *to, ptrdiff_t frequency) {
  vec half[3][PATCH];
  for (int x = 0; x < PATCH; x++) {
    vec d[PATCH], out[3];
    for (int y = 0; y < PATCH; y++)
      d[y] = load(rows[y] + x * pixel);
    if (last)
      transform_last(d, out);
    else
      transform_first(d, out);
    for (int y = 0; y < 3; y++)
      half[y][x] = out[y];
  }
  for (int y = 0; y < 3; y++) {
    vec out[PATCH];
    transform_first(half[y], out);
    transform_last(half[y], out + 3);
    for (int x = 0; x < PATCH; x++)
      store(to + ((last ? 3 : 0) + y) * PATCH * frequency + x * frequency, out[x]);
  }
}

/* One tile of one map; `frequency`: floats from a frequency to the next. */
static void transform_tile(const view *map, int channels, int64_t ty, int64_t tx, float *patch, float *to,
                           ptrdiff_t frequency) {
  const int64_t top = ty * TILE - 1, left = tx * TILE - 1;
  const float *rows[PATCH];
  ptrdiff_t pixel = map->pixel;
  if (top >= 0 && left >= 0 && top + PATCH <= map->height && left + PATCH <= map->width) {
    for (int y = 0; y < PATCH; y++)
      rows[y] = view_row(map, top + y) + left * pixel;
  } else {
    pixel = (channels + LANES - 1) / LANES * LANES;
    copy_patch(map, top, left, pixel, patch);
    for (int y = 0; y < PATCH; y++)
      rows[y] = patch + (size_t)y * PATCH * pixel;
  }
  for (int c = 0; c < channels; c += LANES) {
    transform_half(0, rows, pixel, to + c, frequency);
    transform_half(1, rows, pixel, to + c, frequency);
    for (int y = 0; y < PATCH; y++)
      rows[y] += LANES;
  }
}

#if ROWS == 12
#define FOR_ROWS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#else
#define FOR_ROWS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#endif

/* `rows` tiles x `depth` channels times `depth` x one or two vectors of outputs. Every sum is a variable of its own:
 * in an array, gcc leaves them in memory. `rows` and `two` are known when this is
 * compiled. `more`: what is in `products` is added to. */
INLINE void multiply(int rows, int two, int more, const float *maps, ptrdiff_t stride, const float *weights, int depth,
                     float *products, ptrdiff_t outputs, const float *ahead) {
  const int width = two ? 2 * LANES : LANES;
#define DECLARE(i) vec first##i = zero(), second##i = zero();
  FOR_ROWS(DECLARE)
#define CONTINUE(i)                                                                                                    \
  if (i < rows) {                                                                                                      \
    first##i = load(products + (i) * outputs);                                                                         \
    if (two)                                                                                                           \
      second##i = load(products + (i) * outputs + LANES);                                                              \
  }
  if (more) {
    FOR_ROWS(CONTINUE)
  }
  /* five rows are reached from one address: base, base + index * {1, 2, 4}, base + 3 strides */
  const float *part0 = maps, *part1 = maps + 5 * stride, *part2 = maps + 10 * stride;
  for (int k = 0; k < depth; k++) {
    const vec w0 = load(weights), w1 = two ? load(weights + LANES) : zero();
    weights += width;
    __builtin_prefetch(ahead + k * LINE, 0, 2);
#define MULTIPLY(i)                                                                                                    \
  if (i < rows) {                                                                                                      \
    const vec value = splat((i < 5 ? part0 : i < 10 ? part1 : part2)[(i % 5) * stride + k]);                           \
    first##i = fma_(value, w0, first##i);                                                                              \
    if (two)                                                                                                           \
      second##i = fma_(value, w1, second##i);                                                                          \
  }
    FOR_ROWS(MULTIPLY)
  }
#define KEEP(i)                                                                                                        \
  if (i < rows) {                                                                                                      \
    store(products + (i) * outputs, first##i);                                                                         \
    if (two)                                                                                                           \
      store(products + (i) * outputs + LANES, second##i);                                                              \
  }
  FOR_ROWS(KEEP)
}

/* All tiles times one panel of weights. Meanwhile the next panel comes nearer: all weights of a block do not fit a
 * second-level cache, and without that the products took twice the time. */
INLINE void multiply_panel(int two, int more, const float *maps, ptrdiff_t stride, int64_t count, const float *weights,
                           int depth, float *products, ptrdiff_t outputs) {
  const float *ahead = weights + (two ? 2 : 1) * LANES * depth;
  const float *const end = ahead + (two ? 2 : 1) * LANES * depth;
  for (int64_t blocks = (count + ROWS - 1) / ROWS; blocks > 0; blocks--) {
    const int64_t rows = (count + blocks - 1) / blocks; /* evenly: 8 + 8 rather than 12 + 4 */
    switch (rows) {
#define CASE(i)                                                                                                        \
  case i + 1:                                                                                                          \
    multiply(i + 1, two, more, maps, stride, weights, depth, products, outputs, ahead);                                \
    break;
      FOR_ROWS(CASE)
    }
    maps += rows * stride;
    products += rows * outputs;
    count -= rows;
    ahead = ahead + depth * LINE < end ? ahead + depth * LINE : weights;
  }
}

/* The matrix products of all frequencies; returns the weights that follow. */
static const float *multiply_all(const convolution *task, const float *weights, int depth, ptrdiff_t stride,
                                 ptrdiff_t frequency, int more) {
  for (int f = 0; f < FREQUENCIES; f++) {
    const float *maps = task->domain + f * (task->count * stride + STEP);
    float *products = task->products + f * frequency;
    int n = 0;
    for (; n + 2 * LANES <= task->outputs; n += 2 * LANES) {
      multiply_panel(1, more, maps, stride, task->count, weights, depth, products + n, task->outputs);
      weights += (size_t)depth * 2 * LANES;
    }
    if (n < task->outputs) {
      multiply_panel(0, more, maps, stride, task->count, weights, depth, products + n, task->outputs);
      weights += (size_t)depth * LANES;
    }
  }
  return weights;
}

static float *find_pixel(const view *map, int64_t y, int64_t x) {
  return map->data == NULL ? NULL : view_row(map, y) + x * map->pixel;
}

/* One vector of outputs of one tile back into pixels; then bias, activation, residuals. */
INLINE void restore_vector(const convolution *task, const float *products, ptrdiff_t frequency, int n, int rows,
                           int columns, float *const to[TILE], float *const residual[2][TILE], int channel) {
  vec half[TILE][PATCH];
  for (int x = 0; x < PATCH; x++) {
    vec m[PATCH], line[TILE];
    for (int y = 0; y < PATCH; y++)
      m[y] = load(products + (y * PATCH + x) * frequency + n);
    restore_line(m, line);
    for (int y = 0; y < TILE; y++)
      half[y][x] = line[y];
  }
  const vec bias = load(task->bias + n), slope = task->slopes == NULL ? splat(1) : load(task->slopes + n);
  for (int y = 0; y < rows; y++) {
    vec out[TILE];
    restore_line(half[y], out);
    for (int x = 0; x < columns; x++) {
      vec value = add(out[x], bias);
      if (task->slopes != NULL)
        value = fma_(slope, below_zero(value), above_zero(value));
      for (int r = 0; r < 2; r++)
        if (residual[r][y] != NULL)
          value = fma_(value, splat(task->scale[r]),
                       load(residual[r][y] + x * task->enlarge * task->residual[r].pixel + channel));
      store(to[y] + x * task->enlarge * task->target.pixel + channel, value);
    }
  }
}

static void restore_tile(const convolution *task, const float *products, ptrdiff_t frequency, int64_t ty, int64_t tx) {
  const int64_t left = tx * TILE, top = ty * TILE;
  const int64_t height = task->source[0].height - top, width = task->source[0].width - left;
  const int rows = height < TILE ? (int)height : TILE, columns = width < TILE ? (int)width : TILE;
  const int parts = task->enlarge * task->enlarge, outputs = task->outputs / parts;
  for (int part = 0; part < parts; part++) {
    /* rows of the enlarged map that this part makes are two apart */
    float *to[TILE], *residual[2][TILE];
    for (int y = 0; y < rows; y++) {
      const int64_t target_y = (top + y) * task->enlarge + part / 2, target_x = left * task->enlarge + part % 2;
      to[y] = find_pixel(&task->target, target_y, target_x);
      for (int r = 0; r < 2; r++)
        residual[r][y] = find_pixel(&task->residual[r], target_y, target_x);
    }
    for (int n = 0; n < outputs; n += LANES) {
      if (rows == TILE && columns == TILE) /* known when this is compiled: all values stay in registers */
        restore_vector(task, products, frequency, part * outputs + n, TILE, TILE, to, residual, n);
      else
        restore_vector(task, products, frequency, part * outputs + n, rows, columns, to, residual, n);
    }
  }
}

/* Padded channels of the sources that are multiplied together with source `s`; `end` is the one after them. */
static int product_channels(const convolution *task, int s, int *end) {
  int channels = 0;
  do
    channels += (task->channels[s++] + STEP - 1) / STEP * STEP;
  while (s < task->sources && !(task->begins >> s & 1));
  *end = s;
  return channels;
}

static void convolve(const convolution *task) {
  /* frequencies a power of two apart would share few sets of a cache */
  const ptrdiff_t frequency = task->count * task->outputs + STEP;
  const float *weights = task->weights;
  for (int s = 0, end; s < task->sources;) {
    const int more = s > 0;
    const ptrdiff_t stride = product_channels(task, s, &end);
    int depth = 0;
    for (int offset = 0; s < end; s++) {
      for (int64_t i = 0; i < task->count; i++) {
        const int64_t tile = task->first + i;
        transform_tile(&task->source[s], task->channels[s], tile / task->across, tile % task->across, task->patch,
                       task->domain + i * stride + offset, task->count * stride + STEP);
      }
      depth = offset + task->channels[s];
      offset += (task->channels[s] + STEP - 1) / STEP * STEP;
    }
    weights = multiply_all(task, weights, depth, stride, frequency, more);
  }
  for (int64_t i = 0; i < task->count; i++) {
    const int64_t tile = task->first + i;
    restore_tile(task, task->products + i * task->outputs, frequency, tile / task->across, tile % task->across);
  }
}

#if defined(ESRGAN_AVX512)
const level esrgan_avx512 = {"avx512", LANES, convolve};
#elif defined(ESRGAN_AVX2)
const level esrgan_avx2 = {"avx2", LANES, convolve};
#elif defined(ESRGAN_SSE2)
const level esrgan_sse2 = {"sse2", LANES, convolve};
#elif defined(ESRGAN_WASM)
const level esrgan_wasm = {"wasm", LANES, convolve};
#else
const level esrgan_neon = {"neon", LANES, convolve};
#endif
