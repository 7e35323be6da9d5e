/* A line of the pixel shuffle, on every level of instructions. */
#ifndef ESRGAN_SHUFFLE_H
#define ESRGAN_SHUFFLE_H

#include <stdint.h>
#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))

ALWAYS void shuffle_parts(const float *from, int64_t pixel, float *to, int64_t width, int64_t scale) {
  for (int64_t x = 0; x < width; x++, from += pixel, to += scale)
    memcpy(to, from, (size_t)scale * sizeof(float));
}

/* `scale` floats of every pixel, one after the other. Where their number is known when this is compiled, each part is
 * one move. */
ALWAYS void shuffle_line(const float *from, int64_t pixel, float *to, int64_t width, int64_t scale) {
  if (scale == 4)
    shuffle_parts(from, pixel, to, width, 4);
  else if (scale == 2)
    shuffle_parts(from, pixel, to, width, 2);
  else
    shuffle_parts(from, pixel, to, width, scale);
}

#endif
