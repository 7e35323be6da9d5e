/* The transforms of F(4x4, 3x3) along one dimension (Lavin and Gray 2015), through the points 0, A, -A, B, -B and
 * infinity. The usual 1 and 2 for A and B are cheaper by an addition here and there, and give two and a half times the
 * rounding error of these, which were the best of all sixteenths for random maps and weights. All constants below are
 * exact. `winograd.py` and `winograd.ts` have the same points. */
#ifndef ESRGAN_LINES_H
#define ESRGAN_LINES_H

#include "kernels.h"
#include "vectors.h"

#define A 0.6875f
#define B 1.5f
#define A2 (A * A)
#define B2 (B * B)

/* One dimension of B^T d B: the first three values of six, and the others. */
INLINE void transform_first(const vec d[PATCH], vec out[3]) {
  const vec a = splat(A), b2 = splat(B2);
  const vec even = fnma(b2, d[2], d[4]), odd = fnma(b2, d[1], d[3]);
  out[0] = fma_(splat(A2 * B2), d[0], fnma(splat(A2 + B2), d[2], d[4]));
  out[1] = fma_(a, odd, even);
  out[2] = fnma(a, odd, even);
}

INLINE void transform_last(const vec d[PATCH], vec out[3]) {
  const vec b = splat(B), a2 = splat(A2);
  const vec even = fnma(a2, d[2], d[4]), odd = fnma(a2, d[1], d[3]);
  out[0] = fma_(b, odd, even);
  out[1] = fnma(b, odd, even);
  out[2] = fma_(splat(A2 * B2), d[1], fnma(splat(A2 + B2), d[3], d[5]));
}

/* one dimension of A^T m A */
INLINE void restore_line(const vec m[PATCH], vec out[TILE]) {
  const vec a = add(m[1], m[2]), b = sub(m[1], m[2]), c = add(m[3], m[4]), d = sub(m[3], m[4]);
  out[0] = add(m[0], add(a, c));
  out[1] = fma_(splat(B), d, mul(splat(A), b));
  out[2] = fma_(splat(B2), c, mul(splat(A2), a));
  out[3] = fma_(splat(B2 * B), d, fma_(splat(A2 * A), b, m[5]));
}

#undef A
#undef B

#endif
