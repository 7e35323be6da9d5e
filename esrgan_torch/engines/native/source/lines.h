/* The transforms of F(4x4, 3x3) along one dimension (Lavin and Gray 2015). */
#ifndef ESRGAN_LINES_H
#define ESRGAN_LINES_H

#include "kernels.h"
#include "vectors.h"

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

#endif
