/* Convolutions of 3x3 by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2015): a patch of 6x6 pixels is
 * transformed, multiplied with the transformed weights frequency by frequency, summed over channels, and transformed
 * back into 4x4 pixels: 36 multiplications where the direct form needs 144. Sums over channels are matrix products.
 * Convolutions of 1x1 are such a product alone, over pixels.
 *
 * A tile's values do not depend on which tiles are computed with it.
 */
#include "activations.h"
#include "kernels.h"
#include "lines.h"
#if !defined(__wasm__)
#include "pixels.h"
#endif
#include "products.h"
#include "vectors.h"

#include <string.h>

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

/* Each of the four pixels that a pixel becomes sees two of three taps along an axis, so that one frequency has no
 * weights: the last for the first pixel, the first for the second. `phase`: 0 or 1. */
INLINE int unweighted(int phase) { return phase == 0 ? PATCH - 1 : 0; }

/* The matrix products of all frequencies; returns the weights that follow. */
static const float *multiply_all(const convolution *task, const float *weights, int depth, ptrdiff_t stride,
                                 ptrdiff_t frequency, int more) {
  const int phases = task->enlarge, wide = task->outputs / (phases * phases);
  for (int f = 0; f < FREQUENCIES; f++) {
    const float *maps = task->domain + f * (task->count * stride + STEP);
    const int left = phases > 1 && f % PATCH == unweighted(0), right = phases > 1 && f % PATCH == unweighted(1);
    for (int y = 0; y < phases; y++) {
      if (phases > 1 && f / PATCH == unweighted(y))
        continue;
      float *products = task->products + f * frequency + (y * phases + left) * wide;
      weights = multiply_panels(more, maps, stride, task->count, weights, depth, products,
                                (phases - left - right) * wide, task->outputs);
    }
  }
  return weights;
}

static float *find_pixel(const view *map, int64_t y, int64_t x) {
  return map->data == NULL ? NULL : view_row(map, y) + x * map->pixel;
}

/* One vector of outputs of one tile back into pixels; then bias, activation, residuals. `no_y`, `no_x`: a row and a
 * column of frequencies without products, or PATCH. */
INLINE void restore_vector(const convolution *task, const float *products, ptrdiff_t frequency, int n, int no_y,
                           int no_x, int rows, int columns, float *const to[TILE], float *const residual[2][TILE],
                           int channel) {
  static const float nothing[LANES];
  vec half[TILE][PATCH];
  for (int x = 0; x < PATCH; x++) {
    vec m[PATCH], line[TILE];
    for (int y = 0; y < PATCH; y++)
      m[y] = load(y == no_y || x == no_x ? nothing : products + (y * PATCH + x) * frequency + n);
    restore_line(m, line);
    for (int y = 0; y < TILE; y++)
      half[y][x] = line[y];
  }
  const int bends = task->activation == ESRGAN_PRELU, later = task->activation > ESRGAN_PRELU;
  const vec bias = load(task->bias + n), slope = bends ? load(task->slopes + n) : splat(1);
  for (int y = 0; y < rows; y++) {
    vec out[TILE];
    restore_line(half[y], out);
    for (int x = 0; x < columns; x++) {
      vec value = add(out[x], bias);
      if (bends)
        value = fma_(slope, below_zero(value), above_zero(value));
      for (int r = 0; r < 2 && !later; r++)
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
  const int phases = task->enlarge, outputs = task->outputs / (phases * phases);
  for (int part = 0; part < phases * phases; part++) {
    /* rows of the enlarged map that this part makes are two apart */
    float *to[TILE], *residual[2][TILE];
    for (int y = 0; y < rows; y++) {
      const int64_t target_y = (top + y) * phases + part / 2, target_x = left * phases + part % 2;
      to[y] = find_pixel(&task->target, target_y, target_x);
      for (int r = 0; r < 2; r++)
        residual[r][y] = find_pixel(&task->residual[r], target_y, target_x);
    }
    const int no_y = phases > 1 ? unweighted(part / 2) : PATCH, no_x = phases > 1 ? unweighted(part % 2) : PATCH;
    for (int n = 0; n < outputs; n += LANES) {
      const int from = part * outputs + n;
      if (rows < TILE || columns < TILE)
        restore_vector(task, products, frequency, from, no_y, no_x, rows, columns, to, residual, n);
      else if (phases > 1) /* sizes are known when this is compiled: all values stay in registers */
        restore_vector(task, products, frequency, from, no_y, no_x, TILE, TILE, to, residual, n);
      else
        restore_vector(task, products, frequency, from, PATCH, PATCH, TILE, TILE, to, residual, n);
    }
    for (int y = 0; y < rows && task->activation > ESRGAN_PRELU; y++) {
      float *const others[2] = {residual[0][y], residual[1][y]};
      follow(task, to[y], task->enlarge * task->target.pixel, to[y], others, columns, part * outputs,
             (part + 1) * outputs);
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

/* One row of pixels from `left` to `right`. */
static void sum_row(const convolution *task, int64_t y, int64_t left, int64_t right) {
  const int64_t pixels = right - left;
  const float *weights = task->weights;
  for (int64_t x = 0; x < pixels; x++)
    memcpy(task->products + x * task->outputs, task->bias, (size_t)task->outputs * sizeof(float));
  for (int s = 0; s < task->sources; s++)
    weights = multiply_panels(1, find_pixel(&task->source[s], y, left), task->source[s].pixel, pixels, weights,
                              task->channels[s], task->products, task->outputs, task->outputs);
  float *const residual[2] = {find_pixel(&task->residual[0], y, left), find_pixel(&task->residual[1], y, left)};
  follow(task, task->products, task->outputs, find_pixel(&task->target, y, left), residual, pixels, 0, task->outputs);
}

static void pointwise(const convolution *task) {
  const int64_t last = task->first + task->count - 1;
  for (int64_t ty = task->first / task->across; ty <= last / task->across; ty++) {
    const int64_t left = ty == task->first / task->across ? task->first % task->across * TILE : 0;
    const int64_t end = ty == last / task->across ? (last % task->across + 1) * TILE : task->source[0].width;
    const int64_t right = end < task->source[0].width ? end : task->source[0].width;
    for (int64_t y = ty * TILE; y < (ty + 1) * TILE && y < task->source[0].height; y++)
      sum_row(task, y, left, right);
  }
}

#if defined(ESRGAN_AVX512)
const level esrgan_avx512 = {"avx512", LANES, convolve, pointwise, round_planes, round_shuffled};
#elif defined(ESRGAN_AVX2)
const level esrgan_avx2 = {"avx2", LANES, convolve, pointwise, round_planes, round_shuffled};
#elif defined(ESRGAN_SSE2)
const level esrgan_sse2 = {"sse2", LANES, convolve, pointwise, round_planes, round_shuffled};
#elif defined(ESRGAN_WASM)
const level esrgan_wasm = {"wasm", LANES, convolve, pointwise};
#else
const level esrgan_neon = {"neon", LANES, convolve, pointwise, round_planes, round_shuffled};
#endif
