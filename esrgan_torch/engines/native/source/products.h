/* Matrix products: rows of maps (tiles of a frequency, or pixels) times panels of weights. */
#ifndef ESRGAN_PRODUCTS_H
#define ESRGAN_PRODUCTS_H

#include "vectors.h"

#include <stdint.h>

#define CACHE_LINE 16 /* floats */

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
    __builtin_prefetch(ahead + k * CACHE_LINE, 0, 2);
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
    ahead = ahead + depth * CACHE_LINE < end ? ahead + depth * CACHE_LINE : weights;
  }
}

/* All tiles times all panels of some outputs; returns the weights that follow. `row`: floats from a tile's products to
 * the next one's. */
static const float *multiply_panels(int more, const float *maps, ptrdiff_t stride, int64_t count, const float *weights,
                                    int depth, float *products, int outputs, ptrdiff_t row) {
  int n = 0;
  for (; n + 2 * LANES <= outputs; n += 2 * LANES, weights += (size_t)depth * 2 * LANES)
    multiply_panel(1, more, maps, stride, count, weights, depth, products + n, row);
  if (n < outputs) {
    multiply_panel(0, more, maps, stride, count, weights, depth, products + n, row);
    weights += (size_t)depth * LANES;
  }
  return weights;
}

#endif
