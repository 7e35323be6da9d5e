/* What a level of instructions computes: one convolution for a group of tiles. */
#ifndef ESRGAN_KERNELS_H
#define ESRGAN_KERNELS_H

#include "esrgan_native.h"

#include <stddef.h>
#include <stdint.h>

#define TILE 4         /* pixels of a tile's side */
#define PATCH 6        /* of the pixels that it sees */
#define FREQUENCIES 36 /* values of a patch's transform: PATCH * PATCH */
#define STEP 16        /* channels of a map are padded to a multiple of it: whole vectors on every level */

/* Rows of pixels, channels last. A ring keeps the last `rows` of them: row y is at (first + y) % rows. */
typedef struct {
  float *data;
  ptrdiff_t row;   /* floats from a row to the next */
  ptrdiff_t pixel; /* floats from a pixel to the next: the channels, padded */
  int64_t rows, first;
  int64_t height, width;
} view;

/* One convolution with what follows it, for tiles `first` to `first + count` of the sources in order of rows. */
typedef struct {
  int sources;
  view source[ESRGAN_SOURCES]; /* their channels follow one another */
  int channels[ESRGAN_SOURCES]; /* that count of each */
  uint32_t begins; /* bit s: the sums go on with a product of its own from source s on */
  view target;
  view residual[2];    /* data is NULL where there is none */
  float scale[2];      /* result = result * scale + residual, once for each residual */
  int64_t across;      /* tiles in a row */
  int64_t first, count;
  int outputs;         /* a multiple of STEP */
  int enlarge;         /* 2: outputs come in four parts, the four pixels that each pixel becomes; else 1 */
  float *domain;       /* room for transformed maps: [FREQUENCIES][count][a product's channels, padded], and STEP
                          floats more for each frequency */
  const float *weights; /* as `lanes` wants them: see winograd.py */
  const float *bias;
  int activation;
  const float *slopes; /* of PReLU, one for each output */
  float *products;     /* room for [FREQUENCIES][count][outputs], and STEP floats more for each frequency */
  float *patch;        /* room for PATCH * PATCH * channels, padded */
} convolution;

typedef struct {
  const char *name;
  int lanes;
  void (*convolve)(const convolution *);
  void (*pointwise)(const convolution *); /* 1x1; every source has a product of its own */
#if !defined(__wasm__)
  /* see esrgan_round and esrgan_round_shuffled */
  int32_t (*round_planes)(const float *, int64_t, int64_t, void *, int64_t, int64_t, int64_t, int64_t, int64_t,
                          int32_t);
  int32_t (*round_shuffled)(const float *, int64_t, int64_t, void *, int64_t, int64_t, int64_t, int64_t, int64_t,
                            int64_t, int32_t);
#endif
} level;

static inline float *view_row(const view *map, int64_t y) {
  return map->data + ((map->first + y) % map->rows) * map->row;
}

#endif
