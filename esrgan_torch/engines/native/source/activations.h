/* What follows a convolution's sum: activations that need an exponential, residuals. */
#ifndef ESRGAN_ACTIVATIONS_H
#define ESRGAN_ACTIVATIONS_H

#include "kernels.h"
#include "vectors.h"

/* e^x for x from -87 to 87: 2^n * e^r, where |r| is at most half of log 2. SiLU made of it has a relative error of at
 * most 1.8e-7, which PyTorch's has too. */
INLINE vec exponential(vec x) {
  const vec round = splat(12582912.0f); /* 1.5 * 2^23: what is added to it loses its fraction */
  const vec power = fma_(x, splat(1.44269504f), round), n = sub(power, round);
  /* log 2 in two parts, of which the first has so few bits that its product is exact */
  const vec r = fnma(n, splat(-2.12194440e-4f), fnma(n, splat(0.693359375f), x));
  /* 1 + r + r^2 * (a polynomial of degree 4), fitted so that the largest relative error is least: 4e-9 */
  vec sum = splat(1.381432e-3f);
  sum = fma_(sum, r, splat(8.368852e-3f));
  sum = fma_(sum, r, splat(4.16684e-2f));
  sum = fma_(sum, r, splat(1.666652e-1f));
  sum = fma_(sum, r, splat(4.9999994e-1f));
  sum = fma_(sum, r, splat(1));
  sum = fma_(sum, r, splat(1));
  return scaled(sum, power);
}

INLINE vec sigmoid(vec y) {
  const vec one = splat(1), small = at_least(splat(-87), at_most(splat(87), sub(zero(), y)));
  return quotient(one, add(one, exponential(small)));
}

/* What follows a sum, which has its bias, for outputs `first` to `end` of some pixels in a row. `from` and `step`:
 * the sums, and floats from a pixel's to the next one's. `to`, `residual`: the row's first pixel; NULL where there is
 * none. A function of its own: its constants and what a tile's transform holds do not fit the registers together. */
static void follow(const convolution *task, const float *from, ptrdiff_t step, float *to, float *const residual[2],
                   int64_t pixels, int first, int end) {
  const ptrdiff_t to_step = task->enlarge * task->target.pixel;
  for (int64_t x = 0; x < pixels; x++, from += step, to += to_step)
    for (int c = 0; c < end - first; c += LANES) {
      const vec sum = load(from + c);
      vec value = sum;
      if (task->activation == ESRGAN_PRELU)
        value = fma_(load(task->slopes + first + c), below_zero(sum), above_zero(sum));
      else if (task->activation == ESRGAN_SILU)
        value = mul(sum, sigmoid(sum));
      for (int r = 0; r < 2; r++) {
        if (residual[r] == NULL)
          continue;
        const vec other = load(residual[r] + x * task->enlarge * task->residual[r].pixel + c);
        if (r == 0 && task->activation == ESRGAN_GATE)
          value = mul(add(sum, other), sub(sigmoid(sum), splat(0.5f)));
        else
          value = fma_(value, splat(task->scale[r]), other);
      }
      store(to + c, value);
    }
}

#endif
