/* What a network gives becomes a picture: planar floats are rounded to whole numbers, channels last. */
#ifndef ESRGAN_PIXELS_H
#define ESRGAN_PIXELS_H

#include "shuffle.h"

#include <stdint.h>
#include <string.h>

#define AT_ONCE 512 /* pixels of a row */

/* Values in [0, 1], or cut off there, times `maximum`, rounded to the nearest, of two the even one; returns 0 where one
 * is not finite. Floats are ordered as their bits are, so they are cut off as whole numbers: no branch, whole vectors. */
static int round_row(const float *from, int64_t count, float maximum, uint16_t *to) {
  const float half = 12582912.0f; /* 1.5 * 2^23: what is added to it loses its fraction, and is in its lowest bits */
  const int32_t one = 0x3f800000, infinity = 0x7f800000;
  int32_t strange = 0;
  for (int64_t x = 0; x < count; x++) {
    int32_t bits;
    float value;
    memcpy(&bits, &from[x], sizeof bits);
    strange |= (bits & infinity) == infinity;
    bits = bits > 0 ? bits : 0;
    bits = bits < one ? bits : one;
    memcpy(&value, &bits, sizeof bits);
    value = value * maximum + half;
    memcpy(&bits, &value, sizeof bits);
    to[x] = (uint16_t)bits;
  }
  return !strange;
}

/* Three planes of bytes: pixels of three bytes each, written as four, of which the next pixel takes the last. */
static void join_bytes(const uint16_t rounded[3][AT_ONCE], int64_t count, uint8_t *to) {
  uint32_t joined[AT_ONCE];
  for (int64_t x = 0; x < count; x++)
    joined[x] = rounded[0][x] | (uint32_t)rounded[1][x] << 8 | (uint32_t)rounded[2][x] << 16;
  for (int64_t x = 0; x + 1 < count; x++)
    memcpy(to + x * 3, &joined[x], 4);
  for (int c = 0; c < 3; c++)
    to[(count - 1) * 3 + c] = (uint8_t)rounded[c][count - 1];
}

static void join(const uint16_t *rounded, int64_t count, int64_t channels, int bytes, uint8_t *to) {
  for (int64_t x = 0; x < count; x++, to += channels * bytes)
    if (bytes == 1)
      *to = (uint8_t)rounded[x];
    else
      memcpy(to, &rounded[x], 2);
}

/* `count` pixels of a row, channel `c` of them from `from`: rounded, and put where they belong when the last channel is
 * there. Returns 0 where a value is not finite. */
static int put_channel(const float *from, int64_t count, int64_t c, int64_t channels, int bytes,
                       uint16_t rounded[3][AT_ONCE], uint8_t *to) {
  const int finite = round_row(from, count, bytes == 1 ? 255.0f : 65535.0f, rounded[c % 3]);
  if (channels != 3 || bytes != 1)
    join(rounded[c % 3], count, channels, bytes, to + c * bytes);
  else if (c == 2)
    join_bytes(rounded, count, to);
  return finite;
}

static int32_t round_planes(const float *source, int64_t plane, int64_t row, void *target, int64_t target_row,
                            int64_t channels, int64_t width, int64_t top, int64_t bottom, int32_t bytes) {
  uint16_t rounded[3][AT_ONCE];
  int finite = 1;
  for (int64_t y = top; y < bottom; y++)
    for (int64_t left = 0; left < width; left += AT_ONCE) {
      const int64_t count = width - left < AT_ONCE ? width - left : AT_ONCE;
      uint8_t *to = (uint8_t *)target + y * target_row + left * channels * bytes;
      for (int64_t c = 0; c < channels; c++)
        finite &= put_channel(source + c * plane + y * row + left, count, c, channels, bytes, rounded, to);
    }
  return finite;
}

/* As round_planes of what esrgan_shuffle makes, a few pixels at a time: the planes never exist. */
static int32_t round_shuffled(const float *source, int64_t row, int64_t pixel, void *target, int64_t target_row,
                              int64_t channels, int64_t scale, int64_t width, int64_t top, int64_t bottom,
                              int32_t bytes) {
  uint16_t rounded[3][AT_ONCE];
  float line[AT_ONCE];
  const int64_t most = AT_ONCE / scale; /* pixels of the source */
  int finite = 1;
  for (int64_t y = top; y < bottom; y++)
    for (int64_t i = 0; i < scale; i++)
      for (int64_t left = 0; left < width; left += most) {
        const int64_t count = width - left < most ? width - left : most;
        uint8_t *to = (uint8_t *)target + (y * scale + i) * target_row + left * scale * channels * bytes;
        for (int64_t c = 0; c < channels; c++) {
          shuffle_line(source + y * row + left * pixel + (c * scale + i) * scale, pixel, line, count, scale);
          finite &= put_channel(line, count * scale, c, channels, bytes, rounded, to);
        }
      }
  return finite;
}

#endif
